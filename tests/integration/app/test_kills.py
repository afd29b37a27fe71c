"""``kill -9`` of the real worker at random moments of an initial cycle: nobody twice, nobody missing, no membership."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys

import pytest

from provisor.app.services import wire
from provisor.app.settings import Settings
from provisor.clock import SystemClock
from provisor.directory.model import NewUser
from provisor.security.actor import operator
from provisor.security.secrets import load_key
from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_http import serve

# A few in CI; a hundred with ``scripts/bench soak_engine --kills 100``.
KILLS = int(os.environ.get("PROVISOR_KILLS", "3"))
PEOPLE, GROUPS, IN_A_GROUP = 2_000, 40, 20
KEY = "00" * 32


class Worker:
    """The real worker process on the database."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None

    async def begin(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "provisor",
            *self._arguments,
            "worker",
            env={**os.environ, "PROVISOR_SECRET_KEY": KEY},
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


async def test_killed_at_random_moments_it_makes_everybody_once(sqlite_only: Store) -> None:
    seed = int(os.environ.get("PROVISOR_HISTORY_SEED") or random.SystemRandom().randrange(10**9))
    rng = random.Random(seed)
    store = sqlite_only
    database = store.database()
    await database.open()
    target = SimulatedTarget(clock=SystemClock())
    key = load_key(None, {"PROVISOR_SECRET_KEY": KEY}, database="sqlite")
    services = wire(database, key, target, Settings(data_dir=store.data_dir), SystemClock())
    worker = Worker(store.arguments)
    kills = 0
    try:
        async with serve(target):
            tenant = await services.directory.create_tenant(operator(), "Example", "example.org")
            members = []
            for at in range(0, PEOPLE, 500):
                new = [
                    NewUser({"userPrincipalName": f"p{n}@example.org", "displayName": f"P{n}", "accountEnabled": True})
                    for n in range(at, at + 500)
                ]
                members += await services.directory.create_users(operator(), tenant.id, new)
            for n in range(GROUPS):
                group = {"displayName": f"G{n}", "securityEnabled": True}
                made = await services.directory.create_group(operator(), tenant.id, group)
                some = [member.id for member in members[n * IN_A_GROUP : (n + 1) * IN_A_GROUP]]
                await services.directory.add_members(operator(), tenant.id, made.id, some)
            app = await services.applications.add(operator(), tenant.id, "scim", "App", target.base_address)
            await services.applications.set_sync_all(operator(), app.job_id, True)
            await services.provisioning.start(operator(), app.job_id)
            size = PEOPLE + GROUPS + GROUPS
            # At random places of the work, so that the machine's speed does not matter.
            places = sorted(rng.sample(range(1, size), KILLS))
            await worker.begin()
            for _ in range(6_000 + 500 * KILLS):
                done = len(target.users) + len(target.groups) + len(target.sent("PATCH", "/Groups"))
                if kills < KILLS and done >= places[kills]:
                    await worker.kill()
                    kills += 1
                    await worker.begin()
                cycles = await services.stores.jobs.cycles(app.job_id, 1)
                if kills == KILLS and cycles and cycles[0].state == "Succeeded":
                    break
                await asyncio.sleep(0.02)
            else:
                pytest.fail(f"the cycle did not end (PROVISOR_HISTORY_SEED={seed})")
        counts = cycles[0].counts or {}
    finally:
        await worker.kill()
        await services.close()
        await database.close()

    told = f"PROVISOR_HISTORY_SEED={seed}"
    assert kills == KILLS, told
    assert counts["considered"] == counts["inScope"] + counts["skipped"] + counts["disabled"] + counts["deleted"], told
    assert len(target.users) == len(target.users_by_name()) == PEOPLE, told
    assert len(target.groups) == len(target.groups_by_name()) == GROUPS, told
    created = [request.body["userName"] for request in target.sent("POST", "/Users") if request.status == 201]
    assert len(created) == len(set(created)), told
    for n, (name, inside) in enumerate(sorted(target.memberships().items(), key=lambda one: int(one[0][1:]))):
        wanted = {f"p{i}@example.org" for i in range(n * IN_A_GROUP, (n + 1) * IN_A_GROUP)}
        assert inside == wanted, f"{name}: {told}"
