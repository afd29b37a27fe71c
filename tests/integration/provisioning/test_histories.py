"""Random histories: whatever changes, fails and crashes, in the end the target is what directory and assignment say."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisor.directory.model import Group, User
from provisor.directory.users import NameTaken
from provisor.expressions.compile import compile as compile_expression
from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.testing.crash import Crash, CrashingDatabase
from provisor.testing.database import memory_database
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import (
    failure,
    failure_after_applying,
    lost_reply,
    reset,
    reset_after_applying,
    silence,
    too_many_requests,
    unauthorized,
)

if TYPE_CHECKING:
    from conftest import World
    from provisor.provisioning.engine import Engine

# More in a night: scripts/bench soak_engine.
HISTORIES = int(os.environ.get("PROVISOR_HISTORIES", "2000"))
NAMES = tuple("abcdefgh")
TEAMS = ("red", "green", "blue")
FAULTS = {
    "429": too_many_requests(2),
    "500": failure(500),
    "500 after applying": failure_after_applying(500),
    "400": failure(400, "Not today."),
    "lost reply": lost_reply(),
    "silence": silence(),
    "reset": reset(),
    "reset after applying": reset_after_applying(),
    "401": unauthorized(),
    "503": failure(503, "Back soon.", {"Retry-After": "2"}),
}
TITLES = ("[jobTitle]", 'Join("-", [jobTitle], "x")')

people = st.sampled_from(NAMES)
teams = st.sampled_from(TEAMS)
# What takes access away, or might: it may happen in the middle of a cycle.
leaving = st.one_of(
    st.tuples(st.just("enable"), people, st.booleans()),
    st.tuples(st.just("delete"), people),
    st.tuples(st.just("restore"), people),
    st.tuples(st.just("assign"), people),
    st.tuples(st.just("unassign"), people),
    st.tuples(st.just("join"), teams, people),
    st.tuples(st.just("leave"), teams, people),
    st.tuples(st.just("delete team"), teams),
    st.tuples(st.just("scope"), st.sampled_from(["all", "assigned"])),
)
ops = st.one_of(
    leaving,
    st.tuples(st.just("midway"), st.integers(1, 7), leaving),
    st.tuples(st.just("stop midway"), st.integers(0, 7)),
    st.tuples(st.just("swap"), people, people),
    st.tuples(st.just("vanish"), people),
    st.tuples(st.just("nested"), st.sampled_from(["on", "off"])),
    st.tuples(st.just("join team"), teams, teams),
    st.tuples(st.just("leave team"), teams, teams),
    st.tuples(st.just("mapping"), st.sampled_from(TITLES)),
    st.tuples(st.just("title"), people, st.sampled_from(["Boss", "Clerk", ""])),
    st.tuples(st.just("rename"), people),
    st.tuples(st.just("enable"), people, st.booleans()),
    st.tuples(st.just("delete"), people),
    st.tuples(st.just("restore"), people),
    st.tuples(st.just("purge"), people),
    st.tuples(st.just("rehire"), people),
    st.tuples(st.just("manager"), people, st.one_of(st.none(), people)),
    st.tuples(st.just("assign"), people),
    st.tuples(st.just("unassign"), people),
    st.tuples(st.just("assign team"), teams),
    st.tuples(st.just("unassign team"), teams),
    st.tuples(st.just("join"), teams, people),
    st.tuples(st.just("leave"), teams, people),
    st.tuples(st.just("delete team"), teams),
    st.tuples(st.just("restore team"), teams),
    st.tuples(st.just("fault"), st.sampled_from(sorted(FAULTS)), st.integers(1, 4)),
    st.tuples(st.just("cycle")),
    st.tuples(st.just("crash"), st.integers(1, 12)),
    st.tuples(st.just("restart"), st.sampled_from(["", "Watermark", "Escrows"])),
    st.tuples(st.just("pause and start")),
    st.tuples(st.just("hours pass"), st.integers(1, 30)),
)


@dataclass
class Story:
    """One history as it unfolds, with what the directory is known to hold."""

    world: World
    database: CrashingDatabase
    users: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    renames: int = 0
    lives: int = 0
    # All in one batch, or a row of small ones, each gathered and written down beside the requests of another.
    batch: int = 200
    scope: str = "assigned"
    nested: str = "off"
    title: str = TITLES[0]
    vanished: int = 0

    async def begin(self) -> None:
        # What the guards would hold is another test's.
        applications = self.world.services.applications
        await applications.change_settings(operator(), self.world.job_id, {"guard": {"enabled": False}})
        for name in NAMES:
            self.users[name] = (await self.world.person(name)).id
        for n, name in enumerate(TEAMS):
            members = [await self.user(person) for person in NAMES[n::3]]
            self.groups[name] = (await self.world.group(name, *[m for m in members if m is not None])).id
        await self.world.assign(await self.team("red"))  # type: ignore[arg-type]
        await self.world.start()

    async def user(self, name: str) -> User | None:
        found = await self.world.services.directory.users_by_id(operator(), self.world.tenant.id, [self.users[name]])
        return found.get(self.users[name])

    async def team(self, name: str) -> Group | None:
        found = await self.world.services.directory.groups_by_id(operator(), self.world.tenant.id, [self.groups[name]])
        return found.get(self.groups[name])

    async def do(self, op: tuple[Any, ...]) -> None:
        directory, tenant = self.world.services.directory, self.world.tenant.id
        match op:
            case ("title", name, title):
                if await self.live(name):
                    await directory.update_user(operator(), tenant, self.users[name], {"jobTitle": title or None})
            case ("rename", name):
                if await self.live(name):
                    self.renames += 1
                    new = {"displayName": f"{name} {self.renames}", "userPrincipalName": f"{name}{self.renames}@x.org"}
                    await directory.update_user(operator(), tenant, self.users[name], new)
            case ("enable", name, enabled):
                if await self.live(name):
                    await directory.update_user(operator(), tenant, self.users[name], {"accountEnabled": enabled})
            case ("delete", name):
                if await self.live(name):
                    await directory.delete_user(operator(), tenant, self.users[name])
            case ("restore", name):
                if await self.gone(name):
                    # After a swap the name may be another's by now: it is refused, and nothing has happened.
                    with suppress(NameTaken):
                        await directory.restore_user(operator(), tenant, self.users[name])
            case ("purge", name):
                if await self.gone(name):
                    await directory.purge_user(operator(), tenant, self.users[name])
            case ("rehire", name):
                # The old object stays deleted, or is purged later by nobody: the name is the new one's.
                if not await self.live(name):
                    with suppress(NameTaken):
                        self.users[name] = (await self.world.person(name)).id
            case ("manager", name, manager):
                if manager != name and await self.live(name) and (manager is None or await self.live(manager)):
                    manager_id = self.users[manager] if manager else None
                    await directory.set_manager(operator(), tenant, self.users[name], manager_id)
            case ("assign", name):
                user = await self.live(name)
                if user and self.users[name] not in await self.assigned():
                    await self.world.assign(user)
            case ("unassign", name):
                user = await self.user(name)
                if user and self.users[name] in await self.assigned():
                    await self.world.unassign(user)
            case ("assign team", name):
                team = await self.team(name)
                if team and team.deleted_at is None and team.id not in await self.assigned():
                    await self.world.assign(team)
            case ("unassign team", name):
                team = await self.team(name)
                if team and team.id in await self.assigned():
                    await self.world.unassign(team)
            case ("join", name, person):
                team = await self.team(name)
                if team and team.deleted_at is None and await self.live(person):
                    await directory.add_members(operator(), tenant, team.id, [self.users[person]])
            case ("leave", name, person):
                team = await self.team(name)
                if team and team.deleted_at is None and await self.live(person):
                    await directory.remove_members(operator(), tenant, team.id, [self.users[person]])
            case ("delete team", name):
                team = await self.team(name)
                if team and team.deleted_at is None:
                    await directory.delete_group(operator(), tenant, team.id)
            case ("restore team", name):
                team = await self.team(name)
                if team and team.deleted_at is not None:
                    await directory.restore_group(operator(), tenant, team.id)
            case ("scope", scope):
                self.scope = scope
                await self.world.services.provisioning.change_settings(operator(), self.world.job_id, {"scope": scope})
            case ("nested", on):
                self.nested = on
                settings_ = {"nested-groups": on}
                await self.world.services.provisioning.change_settings(operator(), self.world.job_id, settings_)
            case ("mapping", title):
                self.title = title
                await self.map_title(title)
            case ("swap", one, other):
                if one != other and await self.live(one) and await self.live(other):
                    await self.swap(self.users[one], self.users[other])
            case ("vanish", name):
                await self.vanish(name)
            case ("join team", outer, inner) | ("leave team", outer, inner) if outer != inner:
                holder, member = await self.team(outer), await self.team(inner)
                if holder and member and holder.deleted_at is None and member.deleted_at is None:
                    change = directory.add_members if op[0] == "join team" else directory.remove_members
                    await change(operator(), tenant, holder.id, [member.id])
            case ("midway", steps, inner):
                await self.midway(steps, lambda: self.do(inner))
            case ("stop midway", steps):
                await self.midway(steps, self.stop)
                await self.start()
            case ("fault", name, times):
                self.world.target.fault(FAULTS[name], when=lambda request: request.method != "GET", times=times)
            case ("cycle",):
                await self.cycle()
            case ("crash", at):
                await self.crash(at)
            case ("restart", scope):
                await self.world.services.provisioning.restart(operator(), self.world.job_id, scope)
            case ("pause and start",):
                await self.world.services.provisioning.pause(operator(), self.world.job_id)
                await self.start()
            case ("hours pass", hours):
                self.world.clock.advance(hours * 3600)

    async def map_title(self, expression: str) -> None:
        job = await self.world.services.applications.job(operator(), self.world.job_id)
        document = copy.deepcopy(dict(job.schema.document))
        rows = document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
        for row in rows:
            if row["targetAttributeName"] == "title":
                row["source"] = compile_expression(expression).to_source()
        await self.world.services.applications.set_schema(operator(), self.world.job_id, document)

    async def swap(self, one: str, other: str) -> None:
        directory, tenant = self.world.services.directory, self.world.tenant.id
        found = await directory.users_by_id(operator(), tenant, [one, other])
        first, second = found[one].user_principal_name, found[other].user_principal_name
        for id_, name in ((one, f"between{self.renames}@x.org"), (other, first), (one, second)):
            await directory.update_user(operator(), tenant, id_, {"userPrincipalName": name})

    async def vanish(self, name: str) -> None:
        """Somebody removes an account in the target by hand. Nobody notices before the next change of that person."""
        user = await self.live(name)
        account = self.world.target.account_of(user.user_principal_name) if user else None
        if user is None or account is None or self.vanished >= 3:
            return
        self.vanished += 1
        self.renames += 1
        self.world.target.users.pop(account)
        change = {"displayName": f"{name} {self.renames}"}
        await self.world.services.directory.update_user(operator(), self.world.tenant.id, user.id, change)

    async def stop(self) -> None:
        await self.world.services.provisioning.stop(operator(), self.world.job_id)

    async def start(self) -> None:
        # A target that refuses the key in a cycle is tested by the start, and answers questions all the same.
        await self.world.start()

    async def midway(self, steps: int, happens: Callable[[], Awaitable[None]]) -> None:
        """Something happens after some steps of the cycle that is due, which then goes on."""
        engine = self.engine()
        cycle_id = await engine.begin(self.world.job_id)
        for _ in range(steps):
            if cycle_id is None or (await engine.advance(self.world.job_id, cycle_id)).done:
                break
        await happens()
        await self.cycle()

    async def live(self, name: str) -> User | None:
        user = await self.user(name)
        return user if user is not None and user.deleted_at is None else None

    async def gone(self, name: str) -> User | None:
        user = await self.user(name)
        return user if user is not None and user.deleted_at is not None else None

    async def assigned(self) -> set[str]:
        found = await self.world.services.applications.assignments(
            operator(), self.world.tenant.id, self.world.app.service_principal.id
        )
        return {assignment.principal_id for assignment in found}

    def engine(self) -> Engine:
        return self.world.services.engine(f"life {self.lives}", batch=self.batch)

    async def cycle(self) -> bool:
        cycle_id = await run_inline(self.engine(), self.world.job_id)
        if cycle_id is not None:
            await self.world.ended(cycle_id)
        return cycle_id is not None

    async def crash(self, at: int) -> None:
        self.database.crash_at(at)
        try:
            await self.cycle()
        except Crash:
            self.lives += 1
        except BaseExceptionGroup:
            self.lives += 1
        finally:
            self.database.recover()
        self.world.clock.advance(60)

    async def rest(self) -> None:
        """All faults are over; time passes until nothing is due any more."""
        self.world.target.heal()
        await self.world.start()
        for _ in range(80):
            if not await self.cycle():
                if not await self.world.services.stores.jobs.waiting(self.world.job_id):
                    return
                self.world.clock.advance(3 * 3600)
        raise AssertionError("it never came to rest")

    async def check(self) -> None:
        """The target against the directory."""
        assigned = await self.assigned()
        members: dict[str, set[str]] = {}
        entitled = set(assigned)
        for name, id_ in self.groups.items():
            team = await self.team(name)
            if team is None or team.deleted_at is not None or (id_ not in assigned and self.scope != "all"):
                continue
            rows = await self.world.services.directory.members_after(operator(), self.world.tenant.id, id_, None, 100)
            members[name] = {row.id for row in rows}
        members = {name: await self.inside(id_) for name, id_ in self.groups.items() if name in members}
        entitled |= set().union(*members.values()) if members else set()
        users = {id_: await self.user(name) for name, id_ in self.users.items()}
        present = {
            id_: user
            for id_, user in users.items()
            if user is not None
            and user.deleted_at is None
            and user.account_enabled
            and (id_ in entitled or self.scope == "all")
        }
        target = self.world.target
        active = [account for account in target.users.values() if account["active"]]
        assert sorted(account["userName"] for account in active) == sorted(
            user.user_principal_name for user in present.values()
        )
        shown = {account["userName"]: account for account in active}
        for user in present.values():
            account = shown[user.user_principal_name]
            assert account["displayName"] == user.display_name
            assert account.get("title") == self.titled(user.attributes.get("jobTitle"))
            manager = present.get(user.manager_id or "")
            has = target.managers().get(user.user_principal_name)
            if manager is None and has is not None:
                # Who has lost access since is still who the directory names, and the target keeps them.
                links = await self.world.services.stores.jobs.links(self.world.job_id, [user.manager_id or ""])
                assert has == target.users[links[user.manager_id or ""].target_id]["userName"]
                assert has not in shown
            else:
                assert has == (manager and manager.user_principal_name)
        assert set(target.groups_by_name()) == set(members)
        for name, ids in members.items():
            wanted = {present[id_].user_principal_name for id_ in ids if id_ in present}
            assert target.memberships()[name] & set(shown) == wanted

    def titled(self, title: str | None) -> str | None:
        if self.title == TITLES[0]:
            return title
        return f"{title}-x" if title else "x"

    async def inside(self, group_id: str) -> set[str]:
        """Who is in a group, through the groups inside it where those count."""
        found: set[str] = set()
        seen: set[str] = set()
        left = [group_id]
        while left:
            at = left.pop()
            group = (await self.world.services.directory.groups_by_id(operator(), self.world.tenant.id, [at])).get(at)
            if at in seen or group is None or group.deleted_at is not None:
                continue
            seen.add(at)
            rows = await self.world.services.directory.members_after(operator(), self.world.tenant.id, at, None, 100)
            found |= {row.id for row in rows if row.type == "User"}
            left += [row.id for row in rows if row.type == "Group" and self.nested == "on"]
        return found


async def tell(make_world: Callable[..., Awaitable[World]], history: list[tuple[Any, ...]]) -> None:
    database = CrashingDatabase(await memory_database())
    try:
        world = await make_world(database, SimulatedTarget(token="let-me-in"))
        story = Story(world, database, batch=2 if len(history) % 2 else 200)
        await story.world.unguarded()
        await story.begin()
        for op in history:
            await story.do(op)
        await story.rest()
        await story.check()
        sent = len(story.world.writes())
        await story.world.services.provisioning.restart(operator(), story.world.job_id)
        await story.rest()
        assert len(story.world.writes()) == sent, "a restart found something to send"
    finally:
        await database.close()


@pytest.mark.parametrize("at", range(8, 15))
async def test_names_swapped_while_nobody_knows_whether_the_accounts_were_made(
    world_maker: Callable[..., Awaitable[World]], at: int
) -> None:
    # Found by the histories below.
    await tell(world_maker, [("crash", at), ("swap", "a", "d")])
    await tell(world_maker, [("crash", at), ("enable", "a", False), ("swap", "a", "d")])


async def test_a_manager_who_loses_access_stays_the_manager(world_maker: Callable[..., Awaitable[World]]) -> None:
    # Found by the histories below: a cycle left it as it was, and a restart took it away.
    led = [("manager", "c", "h"), ("scope", "all"), ("cycle",)]
    await tell(world_maker, [*led, ("enable", "h", False)])
    await tell(world_maker, [*led, ("enable", "h", False), ("cycle",), ("enable", "h", True)])
    await tell(world_maker, [*led, ("enable", "h", False), ("cycle",), ("manager", "c", None)])
    await tell(world_maker, [*led, ("enable", "h", False), ("cycle",), ("manager", "a", "h")])
    await tell(world_maker, [*led, ("scope", "assigned"), ("assign", "c")])


async def test_a_name_that_changed_with_the_leaving_is_written_for_who_waits_for_the_old_one(
    world_maker: Callable[..., Awaitable[World]],
) -> None:
    # Found by the histories below: access went first, and then the rest was forgotten.
    leaves = [("delete team", "red"), ("swap", "b", "d")]
    await tell(world_maker, [("assign", "b"), ("midway", 1, ("delete", "a")), *leaves])
    await tell(world_maker, [("assign", "b"), ("cycle",), *leaves])
    await tell(world_maker, [("assign", "b"), ("cycle",), *reversed(leaves)])
    await tell(world_maker, [("assign", "b"), ("cycle",), *leaves, ("cycle",), ("assign", "d")])


@pytest.fixture
def quiet_log() -> Iterator[None]:
    """Thousands of histories say millions of things that nobody reads."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("quiet_log")
@given(st.lists(ops, max_size=18))
@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_the_end_the_target_is_what_directory_and_assignment_say(
    world_maker: Callable[..., Awaitable[World]], history: list[tuple[Any, ...]]
) -> None:
    asyncio.run(tell(world_maker, history))
