"""Random histories under the guards: no more than the limits reaches the target unasked, and in the end all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisor.provisioning.engine import run_inline
from provisor.provisioning.guarding.model import FLOOR, WINDOW_MS
from provisor.security.actor import operator
from provisor.testing.database import memory_database
from provisor.testing.target import SimulatedTarget

if TYPE_CHECKING:
    from conftest import World

PEOPLE = 12
some = st.sets(st.integers(0, PEOPLE - 1), min_size=1)
steps = st.one_of(
    st.tuples(st.just("disable"), some),
    st.tuples(st.just("enable"), some),
    st.tuples(st.just("title"), some, st.sampled_from(["Boss", "Clerk"])),
    st.tuples(st.just("cycle")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("approve one")),
    st.tuples(st.just("reject")),
    st.tuples(st.just("hours"), st.integers(1, 30)),
)


class History:
    """One of them, with every disabling that the target was asked for without somebody's approval."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids: list[str] = []
        self.enabled = dict.fromkeys(range(PEOPLE), True)
        self.titles: dict[int, str | None] = dict.fromkeys(range(PEOPLE))
        self.unasked: list[int] = []

    async def begin(self) -> None:
        self.ids = [(await self.world.person(f"p{i:02}")).id for i in range(PEOPLE)]
        await self.world.services.applications.set_sync_all(operator(), self.world.job_id, True)
        await self.world.start()
        await self.world.cycle()

    async def tell(self, step: tuple[Any, ...]) -> None:
        services, tenant = self.world.services, self.world.tenant.id
        match step:
            case ("disable" | "enable" as name, who):
                changes = {self.ids[i]: {"accountEnabled": name == "enable"} for i in who}
                self.enabled |= dict.fromkeys(who, name == "enable")
                await services.directory.update_users(operator(), tenant, changes)
            case ("title", who, title):
                self.titles |= dict.fromkeys(who, title)
                changes = {self.ids[i]: {"jobTitle": title} for i in who}
                await services.directory.update_users(operator(), tenant, changes)
            case ("restart",):
                await services.provisioning.restart(operator(), self.world.job_id)
            case ("approve one",):
                rows = await services.guards.held(operator(), self.world.job_id, limit=1)
                if rows:
                    await services.guards.approve(operator(), self.world.job_id, [rows[0].source_id])
                    await self.cycle(approved={rows[0].target_id})
            case ("reject",):
                if await services.guards.held(operator(), self.world.job_id, limit=1):
                    await services.guards.reject(operator(), self.world.job_id, None)
            case ("hours", hours):
                self.world.clock.advance(hours * 3600)
            case _:
                await self.cycle()

    async def cycle(self, approved: set[str] | None = None) -> None:
        self.world.target.requests.clear()
        cycle_id = await run_inline(self.world.services.engine("test", batch=3), self.world.job_id)
        if cycle_id is not None:
            await self.world.ended(cycle_id)
        changed: set[str] = set()
        for request in self.world.target.sent("PATCH"):
            target_id = request.path.rpartition("/")[2]
            if target_id in (approved or ()):
                continue
            values = [operation["value"] for operation in request.body["Operations"]]
            if False in values or any(isinstance(value, dict) and value.get("active") is False for value in values):
                self.unasked.append(self.world.clock.now_ms())
            else:
                changed.add(target_id)
        now = self.world.clock.now_ms()
        assert sum(1 for at in self.unasked if at > now - WINDOW_MS) < FLOOR, "too many lost access unasked"
        assert len(changed) < FLOOR, "too many were changed unasked"

    async def end(self) -> None:
        """Approve everything: then the target is what the directory says."""
        guards, job_id = self.world.services.guards, self.world.job_id
        for _ in range(10):
            states: tuple[Any, ...] = ("held", "rejected")
            rows = [row for state in states for row in await guards.held(operator(), job_id, state=state)]
            if rows:
                await guards.approve(operator(), job_id, [row.source_id for row in rows])
            if await run_inline(self.world.services.engine("test", batch=3), job_id) is None and not rows:
                break
        accounts = self.world.target.users_by_name()
        for i in range(PEOPLE):
            account = accounts[f"p{i:02}@example.org"]
            assert account["active"] is self.enabled[i]
            if self.enabled[i]:
                assert account.get("title") == self.titles[i]


async def play(make_world: Callable[..., Awaitable[World]], history: list[tuple[Any, ...]]) -> None:
    database = await memory_database()
    try:
        story = History(await make_world(database, SimulatedTarget(token="let-me-in")))
        await story.begin()
        for step in history:
            await story.tell(step)
        await story.end()
    finally:
        await database.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(history=st.lists(steps, max_size=12))
def test_no_more_than_the_limits_reaches_the_target_unasked(
    world_maker: Callable[..., Awaitable[World]], history: list[tuple[Any, ...]]
) -> None:
    asyncio.run(play(world_maker, history))
