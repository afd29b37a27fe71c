"""Random histories through DBOS, many jobs at once on one worker: in the end every target is what its directory says.

The inline runner tells many more (``provisioning/test_histories.py``); this one is about the queue, the wake-up, stops
and starts between processes' steps. A failing seed is in the message; PROVISOR_HISTORY_SEED tells it again.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from typing import Any

from tests.integration.provisioning.conftest import TOKEN, World
from tests.integration.provisioning.test_histories import FAULTS, NAMES, TEAMS, TITLES, Story

from provisor.app.services import wire
from provisor.app.settings import Settings
from provisor.app.worker import running_worker
from provisor.connector.transport import Request, Response
from provisor.security.actor import operator
from provisor.security.secrets import MasterKey
from provisor.testing.clock import SettableClock
from provisor.testing.crash import CrashingDatabase
from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget

HISTORIES = int(os.environ.get("PROVISOR_DURABLE_HISTORIES", "50"))
LENGTH = 10
AT_ONCE = 25


class Targets:
    """One transport before many targets: the host's first label picks one."""

    def __init__(self) -> None:
        self.by_host: dict[str, SimulatedTarget] = {}

    async def send(self, request: Request) -> Response:
        return await self.by_host[request.url.split("/")[2]].send(request)

    async def close(self) -> None:
        """There is nothing to let go of."""


class DurableStory(Story):
    """A worker runs the cycles; what the inline story does between steps happens while it does."""

    async def cycle(self) -> bool:
        await self.settled()
        return False

    async def crash(self, at: int) -> None:
        """Processes are killed elsewhere (``test_kills.py``)."""

    async def midway(self, steps: int, happens: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(steps / 100)
        await happens()

    async def settled(self) -> None:
        """Until nothing is due and nobody is at it."""
        jobs = self.world.services.stores.jobs
        for _ in range(2_400):
            now = self.world.clock.now_ms()
            state = await jobs.state(self.world.job_id, now)
            idle = state.running_cycle_id is None or state.stopped
            if idle and not await jobs.jobs_behind(now, job_id=self.world.job_id):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"it never came to rest, at {now}: {state}")

    async def rest(self) -> None:
        self.world.target.heal()
        await self.world.start()
        for _ in range(60):
            await self.settled()
            if not await self.world.services.stores.jobs.waiting(self.world.job_id):
                return
            self.world.clock.advance(3 * 3600)
        raise AssertionError("it never came to rest")


def history(rng: random.Random) -> list[tuple[Any, ...]]:
    def person() -> str:
        return rng.choice(NAMES)

    def team() -> str:
        return rng.choice(TEAMS)

    makers: list[Callable[[], tuple[Any, ...]]] = [
        lambda: ("title", person(), rng.choice(["Boss", "Clerk", ""])),
        lambda: ("rename", person()),
        lambda: ("swap", person(), person()),
        lambda: ("enable", person(), rng.random() < 0.5),
        lambda: (rng.choice(["delete", "restore", "purge", "rehire", "assign", "unassign"]), person()),
        lambda: ("manager", person(), rng.choice([None, person()])),
        lambda: (rng.choice(["join", "leave"]), team(), person()),
        lambda: (rng.choice(["assign team", "unassign team", "delete team", "restore team"]), team()),
        lambda: ("join team", team(), team()),
        lambda: ("scope", rng.choice(["all", "assigned"])),
        lambda: ("nested", rng.choice(["on", "off"])),
        lambda: ("mapping", rng.choice(TITLES)),
        lambda: ("fault", rng.choice(sorted(set(FAULTS) - {"401"})), rng.randint(1, 3)),
        lambda: ("stop midway", rng.randint(0, 5)),
        lambda: ("restart", rng.choice(["", "Watermark", "Escrows"])),
        lambda: ("cycle",),
    ]
    return [rng.choice(makers)() for _ in range(LENGTH)]


async def test_in_the_end_every_target_is_what_its_directory_says(store: Store) -> None:
    seed = int(os.environ.get("PROVISOR_HISTORY_SEED") or random.SystemRandom().randrange(10**9))
    rng = random.Random(seed)
    clock = SettableClock(skipping=True)
    targets = Targets()
    database = CrashingDatabase(store.database())
    await database.open()
    settings = Settings(data_dir=store.data_dir, database_url=store.url)
    services = wire(database, MasterKey(bytes(32), "test"), targets, settings, clock)

    async def tell(n: int, ops: list[tuple[Any, ...]]) -> None:
        host = f"t{n}.test"
        target = targets.by_host[host] = SimulatedTarget(token=TOKEN, base_address=f"https://{host}/scim/v2")
        tenant = await services.directory.create_tenant(operator(), f"Example {n}", f"example{n}.org")
        app = await services.applications.add(
            operator(), tenant.id, "scim", "App", target.base_address, secret_token=TOKEN
        )
        story = DurableStory(World(services, target, clock, tenant, app), database)
        await story.begin()
        for op in ops:
            await story.do(op)
        await story.rest()
        await story.check()
        for cycle in await services.stores.jobs.cycles(app.job_id, 100, lane=None):
            # The clock is everybody's: where another history moves it on, a cycle by schedule may have begun.
            if cycle.state != "Running":
                await story.world.ended(cycle.id)

    histories = [history(rng) for _ in range(HISTORIES)]
    try:
        async with running_worker(services):
            for at in range(0, HISTORIES, AT_ONCE):
                async with asyncio.TaskGroup() as group:
                    for n, ops in enumerate(histories[at : at + AT_ONCE], start=at):
                        group.create_task(tell(n, ops))
    except BaseException as error:
        error.add_note(f"PROVISOR_HISTORY_SEED={seed}")
        raise
    finally:
        await services.close()
        await database.close()
