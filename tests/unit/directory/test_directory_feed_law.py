"""The law of the feed: who re-reads only what the feed names has, at any time, what a full reading would give."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from provisor.directory.service import Directory
from provisor.directory.store import DirectoryStore
from provisor.errors import ProvisorError
from provisor.security.actor import operator
from provisor.testing.clock import SettableClock
from provisor.testing.database import memory_database

_ACTOR = operator()
_WHO = st.integers(0, 3)
_STEP = st.one_of(
    st.tuples(st.sampled_from(["delete", "restore", "purge", "rename"]), _WHO, st.just(0)),
    st.tuples(st.sampled_from(["manager", "no manager"]), _WHO, _WHO),
    st.tuples(st.sampled_from(["add", "remove", "nest", "unnest"]), st.integers(0, 1), _WHO),
    st.tuples(st.sampled_from(["delete group", "restore group", "purge group"]), st.integers(0, 1), st.just(0)),
)


class _World:
    def __init__(self, directory: Directory, tenant: str, users: list[str], groups: list[str]) -> None:
        self.directory, self.tenant, self.users, self.groups = directory, tenant, users, groups

    async def step(self, what: str, a: int, b: int) -> None:
        d, t, u, g = self.directory, self.tenant, self.users, self.groups
        match what:
            case "delete":
                await d.delete_user(_ACTOR, t, u[a])
            case "restore":
                await d.restore_user(_ACTOR, t, u[a])
            case "purge":
                await d.purge_user(_ACTOR, t, u[a])
            case "rename":
                await d.update_user(_ACTOR, t, u[a], {"displayName": "Renamed"})
            case "manager":
                await d.set_manager(_ACTOR, t, u[a], u[b])
            case "no manager":
                await d.set_manager(_ACTOR, t, u[a], None)
            case "add":
                await d.add_members(_ACTOR, t, g[a], [u[b]])
            case "remove":
                await d.remove_members(_ACTOR, t, g[a], [u[b]])
            case "nest":
                await d.add_members(_ACTOR, t, g[a], [g[1 - a]])
            case "unnest":
                await d.remove_members(_ACTOR, t, g[a], [g[1 - a]])
            case "delete group":
                await d.delete_group(_ACTOR, t, g[a])
            case "restore group":
                await d.restore_group(_ACTOR, t, g[a])
            case "purge group":
                await d.purge_group(_ACTOR, t, g[a])

    async def objects(self, ids: Sequence[str]) -> dict[str, Any]:
        d, t = self.directory, self.tenant
        return {**await d.users_by_id(_ACTOR, t, ids), **await d.groups_by_id(_ACTOR, t, ids)}

    async def memberships(self, members: Sequence[str]) -> set[tuple[str, str]]:
        found = await self.directory.groups_of(_ACTOR, self.tenant, members)
        return {(group, member) for member, groups in found.items() for group in groups}


@settings(max_examples=60, deadline=None)
# A deleted report, too, shows another manager once that one is deleted.
@example([("delete", 1, 0), ("delete", 0, 0)])
@given(st.lists(_STEP, max_size=25))
def test_following_the_feed_is_as_good_as_reading_everything(steps: list[tuple[str, int, int]]) -> None:
    asyncio.run(_follow(steps))


async def _follow(steps: list[tuple[str, int, int]]) -> None:
    database = await memory_database()
    directory = Directory(DirectoryStore(database), SettableClock())
    tenant = (await directory.create_tenant(_ACTOR, "Lindenhof", "lindenhof.example")).id
    users = [
        (
            await directory.create_user(
                _ACTOR, tenant, {"displayName": n, "userPrincipalName": f"{n}@lindenhof.example"}
            )
        ).id
        for n in "abcd"
    ]
    groups = [(await directory.create_group(_ACTOR, tenant, {"displayName": n})).id for n in "gh"]
    world = _World(directory, tenant, users, groups)
    everyone = users + groups
    # Begin with links to break: a line of managers, and groups that are not empty.
    for step in (("manager", 1, 0), ("manager", 2, 0), ("add", 0, 0), ("add", 0, 1), ("add", 1, 0), ("nest", 1, 0)):
        await world.step(*step)

    known = await world.objects(everyone)
    links = await world.memberships(everyone)
    seen = await directory.head(_ACTOR, tenant)
    for step in steps:
        with suppress(ProvisorError):
            await world.step(*step)
        for entry in await directory.changes(_ACTOR, tenant, seen, 1000):
            seen = entry.seq
            if entry.related_id is None:
                known.pop(entry.object_id, None)
                known.update(await world.objects([entry.object_id]))
            else:
                link = (entry.object_id, entry.related_id)
                links.discard(link)
                links |= {link} & await world.memberships([entry.related_id])
        assert known == await world.objects(everyone)
        assert links == await world.memberships(everyone)
        visible = {(g, m.id) for g in groups for m in await directory.members_after(_ACTOR, tenant, g, None, 100)}
        alive = {id_ for id_, thing in known.items() if thing.deleted_at is None}
        assert links == {(group, member) for group, member in visible if group in alive}
    await database.close()
