"""The numbers to watch, on both engines: what a scrape says of jobs, queues, cycles and messages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.provisioning.conftest import World, make_world

from provisor.storage.database import Database
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import failure, unauthorized
from provisor.web import metrics

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def world(database: Database) -> World:
    return await make_world(database, SimulatedTarget(token="let-me-in"))


async def scraped(world: World) -> dict[str, dict[str, float]]:
    """Metric -> its labels' values -> value."""
    world.clock.advance(11)
    text = (await world.services.meters.exposition()).decode()
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = [value for name, value in sample.labels.items() if name != "job"]
            found.setdefault(sample.name, {})["/".join(labels)] = sample.value
    return found


async def test_a_scrape_tells_what_goes_on(world: World) -> None:
    for name in ("ada", "bob"):
        await world.assign(await world.person(name))
    world.target.fault(failure(400, "No."), when=lambda request: request.method == "POST", times=1)
    await world.start()
    before = await scraped(world)
    assert before["provisor_jobs"] == {"NotRun": 1}
    await world.cycle()
    now = await scraped(world)
    assert now["provisor_jobs"] == {"Active": 1}
    assert now["provisor_cycles_last_hour"] == {"Initial/Succeeded": 1}
    outcomes = now["provisor_objects_last_hour"]
    assert (outcomes["created"], outcomes["failed"]) == (1, 1)
    assert now["provisor_queue_failing"] == {"App": 1}
    assert now["provisor_links"] == {"App": 1}
    assert now["provisor_job_feed_lag"] == {"App": 0}
    assert now["provisor_log_entries_last_hour"]["failure"] == 1
    await world.person("eve")
    assert (await scraped(world))["provisor_job_feed_lag"] == {"App": 1}
    world.clock.advance(86_400)
    assert (await scraped(world))["provisor_oldest_pending_seconds"]["App"] > 3_600


async def test_a_quarantine_shows_with_its_reason(world: World) -> None:
    await world.assign(await world.person("ada"))
    world.target.fault(unauthorized(), times=None)
    await world.start()
    await world.broken_cycle()
    now = await scraped(world)
    assert now["provisor_job_quarantine"] == {"App/EncounteredQuarantineException": 1}
    assert now["provisor_jobs"] == {"Quarantine": 1}


async def test_an_answer_is_kept_for_ten_seconds(world: World) -> None:
    first = await world.services.meters.exposition()
    assert await world.services.meters.exposition() is first
    world.clock.advance(11)
    assert await world.services.meters.exposition() is not first


async def test_the_dashboard_asks_only_for_numbers_that_there_are(world: World) -> None:
    await world.assign(await world.person("ada"))
    await world.start()
    await world.cycle()
    known = set((await scraped(world)).keys())
    known |= {sample.name for family in metrics.REGISTRY.collect() for sample in family.samples}
    known |= {f"{family.name}_bucket" for family in metrics.REGISTRY.collect() if family.type == "histogram"}
    known |= {f"{family.name}_total" for family in metrics.REGISTRY.collect() if family.type == "counter"}
    # Only there while there is something to tell.
    known |= {"provisor_job_quarantine", "provisor_oldest_pending_seconds", "provisor_leases", "provisor_mail_messages"}
    dashboard = json.loads((ROOT / "docs/operations/grafana-dashboard.json").read_text("utf-8"))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
        for name in re.findall(r"provisor_\w+", target["expr"])
    }
    assert len(asked) > 12
    assert asked <= known
