"""Plans a second: everybody of a large directory planned without a write to the target, in several situations.

    scripts/bench plan [--users 100000] [--database-url URL]

first      nobody is linked, and the target has as many accounts: its list is read, everybody is matched
create     nobody is linked, and the target has nobody
converged  everybody is linked and in order
changed    a tenth of the people have another title
edited     a mapping was edited: everybody is linked, and has another value of one attribute

The target is in memory in this process. Beside them: as many mapping evaluations alone, which is the ceiling.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import resource
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from cycle import quiet

from provisor.app.services import AppServices, open_services, wire
from provisor.app.settings import Settings
from provisor.applications.model import App
from provisor.applications.schema_editing import RowEdit, put_row
from provisor.clock import SystemClock
from provisor.connector.transport import Response
from provisor.directory.attributes import source_values
from provisor.directory.model import NewUser
from provisor.directory.sample import sample_directory
from provisor.expressions.values import Context
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.planning.model import StoredPlan
from provisor.security.actor import operator
from provisor.security.secrets import load_key
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import Recorded
from provisor.testing.transport import json_reply

CHUNK = 500


class IndexedTarget(SimulatedTarget):
    """The simulated target with an index by user name, so that its own search is not what is measured."""

    def __init__(self) -> None:
        super().__init__(refuses_duplicates=False)
        self._by_name: dict[str, dict[str, Any]] = {}
        self._listed: list[dict[str, Any]] = []

    def _list(self, store: dict[str, dict[str, Any]], request: Recorded) -> Response:
        if store is not self.users:
            return super()._list(store, request)
        if len(self._by_name) != len(store):
            self._by_name = {user["userName"].lower(): user for user in store.values()}
            self._listed = list(store.values())
        text = request.query.get("filter")
        if text is None:
            start = int(request.query["startIndex"]) - 1
            found, total = self._listed[start : start + int(request.query["count"])], len(self._listed)
        else:
            user = self._by_name.get(text.partition('"')[2].rstrip('"').lower())
            found, total = [user] if user else [], 1 if user else 0
        return json_reply({"totalResults": total, "Resources": found})


async def load_people(services: AppServices, tenant_id: str, n: int) -> list[str]:
    """``n`` sample people; their ids."""
    ids: list[str] = []
    users = sample_directory(n).users
    for at in range(0, n, CHUNK):
        chunk = [NewUser(user) for user in users[at : at + CHUNK]]
        ids += [user.id for user in await services.directory.create_users(operator(), tenant_id, chunk)]
    return ids


def existing_accounts(target: SimulatedTarget, n: int) -> None:
    """As many accounts in the target as there are people, with nothing but a name."""
    for at, user in enumerate(sample_directory(n).users):
        name = user["userPrincipalName"]
        target.users[f"t{at}"] = {"id": f"t{at}", "userName": name, "active": True}


async def planned(services: AppServices, app: App, name: str, target: SimulatedTarget) -> StoredPlan:
    target.requests.clear()
    began, cpu = time.perf_counter(), time.process_time()
    plan = await services.plans.make(operator(), app.job_id)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    counts = plan.counts or {}
    writes = sum(1 for request in target.requests if request.method != "GET")
    if writes:
        raise SystemExit(f"{name}: {writes} writes reached the target")
    told = {key: counts[key] for key in ("considered", "create", "link", "update", "unchanged") if counts[key]}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{name:<10} {took:6.1f} s  {counts['considered'] / took:7.0f} objects/s  {used:6.1f} s CPU  "
        f"{len(target.requests)} reads  peak {peak} MB  {told}"
    )
    return plan


async def edit_a_mapping(services: AppServices, job_id: str) -> None:
    """``title`` is another text than before for everybody."""
    job = await services.applications.job(operator(), job_id)
    row = RowEdit("title", "Function", 'Join(", ", [jobTitle], [department])')
    edit = partial(put_row, kind="User", row=row, replacing="title")
    await services.applications.edit_schema(operator(), job_id, job.schema_version, edit)


async def ceiling(services: AppServices, app: App, n: int) -> None:
    """The mappings of so many people, and nothing else."""
    job = await services.applications.job(operator(), app.job_id)
    context = Context(
        now_ms=lambda: 0, random=random.Random(1), uuid=lambda: str(uuid.uuid4()), default_domain="bench.example"
    )
    mappings = Mappings.of("User", job.schema.user, context)
    page = await services.directory.users_after(operator(), job.tenant_id, None, CHUNK)
    began = time.perf_counter()
    for at in range(n):
        mappings.desired(source_values(page[at % len(page)]), soft_deleted=False, creating=True)
    took = time.perf_counter() - began
    print(f"{'ceiling':<10} {took:6.1f} s  {n / took:7.0f} mapping evaluations/s")


async def main(users: int, database_url: str | None) -> None:
    with tempfile.TemporaryDirectory(prefix="provisor-bench-") as name:
        folder = Path(name)
        settings = replace(Settings(data_dir=folder, database_url=database_url), environment=os.environ)
        target = IndexedTarget()
        async with open_services(settings) as opened:
            key = load_key(folder, os.environ)
            services = wire(opened.database, key, target, settings, SystemClock())
            tenant = await services.directory.create_tenant(operator(), "Bench", "bench.example")
            app = await services.applications.add(
                operator(), tenant.id, "scim", "Bench", "https://target.test/scim/v2", secret_token="bench"
            )
            ids = await load_people(services, tenant.id, users)
            await services.applications.set_sync_all(operator(), app.job_id, True)
            await ceiling(services, app, users)
            existing_accounts(target, users)
            await planned(services, app, "first", target)
            target.users.clear()
            plan = await planned(services, app, "create", target)
            await services.plans.approve(operator(), app.job_id, plan.id)
            await services.plans.apply(operator(), app.job_id, plan.id)
            await planned(services, app, "converged", target)
            changes = {id_: {"jobTitle": "Changed"} for id_ in ids[: users // 10]}
            await services.directory.update_users(operator(), tenant.id, changes)
            await planned(services, app, "changed", target)
            await edit_a_mapping(services, app.job_id)
            await planned(services, app, "edited", target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--database-url")
    given = parser.parse_args()
    quiet()
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {sys.version.split()[0]}, {given.users} users")
    asyncio.run(main(given.users, given.database_url))
