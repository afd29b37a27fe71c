"""Groups and members: what a caller of the directory may rely on, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from provisor.directory.groups import GroupNotFound
from provisor.directory.model import Counts, Group, Member, User
from provisor.directory.service import Directory
from provisor.directory.users import UserNotFound
from provisor.errors import Conflict, InvalidInput
from provisor.security.actor import Actor
from provisor.testing.clock import SettableClock

MakeUser = Callable[..., Awaitable[User]]
Entry = tuple[str, str, str | None, str]


async def _entries(directory: Directory, actor: Actor, tenant: str, after: int) -> list[Entry]:
    changes = await directory.changes(actor, tenant, after, 1000)
    return [(entry.object_type, entry.object_id, entry.related_id, entry.change) for entry in changes]


@pytest.fixture
async def staff(directory: Directory, actor: Actor, tenant: str) -> Group:
    return await directory.create_group(actor, tenant, {"displayName": "All Staff", "description": "Everybody"})


async def test_a_group_is_found_by_id_and_name_and_changed(
    directory: Directory, actor: Actor, tenant: str, staff: Group
) -> None:
    for ref in (staff.id, "all staff"):
        assert await directory.find_group(actor, tenant, ref) == staff
    head = await directory.head(actor, tenant)
    assert await directory.update_group(actor, tenant, staff.id, {"description": "Everybody"}) == staff
    renamed = await directory.update_group(actor, tenant, staff.id, {"displayName": "Staff", "description": None})
    assert (renamed.display_name, renamed.version) == ("Staff", staff.version + 1)
    assert "description" not in renamed.attributes
    assert await _entries(directory, actor, tenant, head) == [("Group", staff.id, None, "updated")]
    with pytest.raises(GroupNotFound, match="no group 'All Staff'"):
        await directory.find_group(actor, tenant, "All Staff")


async def test_groups_of_one_name_must_be_told_apart_by_id(
    directory: Directory, actor: Actor, tenant: str, staff: Group
) -> None:
    second = await directory.create_group(actor, tenant, {"displayName": "ALL STAFF"})
    with pytest.raises(Conflict, match=f"{staff.id}, {second.id}"):
        await directory.find_group(actor, tenant, "All Staff")


async def test_members_are_added_and_removed_once(
    directory: Directory, actor: Actor, tenant: str, staff: Group, make_user: MakeUser
) -> None:
    anna, ben = await make_user("anna"), await make_user("ben")
    head = await directory.head(actor, tenant)
    assert await directory.add_members(actor, tenant, staff.id, [ben.id, anna.id, ben.id]) == [ben.id, anna.id]
    assert await directory.add_members(actor, tenant, staff.id, [anna.id]) == []
    assert await directory.members_after(actor, tenant, staff.id, None, 10) == [
        Member(anna.id, "User"),
        Member(ben.id, "User"),
    ]
    assert await directory.groups_of(actor, tenant, [anna.id, staff.id]) == {anna.id: [staff.id]}
    assert await directory.remove_members(actor, tenant, staff.id, [anna.id]) == [anna.id]
    assert await directory.remove_members(actor, tenant, staff.id, [anna.id]) == []
    assert await _entries(directory, actor, tenant, head) == [
        ("Member", staff.id, ben.id, "added"),
        ("Member", staff.id, anna.id, "added"),
        ("Member", staff.id, anna.id, "removed"),
    ]
    assert await directory.counts(actor, tenant) == Counts(users=2, groups=1, memberships=1)


async def test_concurrent_additions_lose_and_double_nothing(
    directory: Directory, actor: Actor, tenant: str, staff: Group, make_user: MakeUser
) -> None:
    people = [(await make_user(name)).id for name in "abcdefgh"]
    head = await directory.head(actor, tenant)
    answers = await asyncio.gather(
        *(directory.add_members(actor, tenant, staff.id, people[start : start + 5]) for start in range(4))
    )
    assert sorted(member for answer in answers for member in answer) == sorted(people)
    assert [member.id for member in await directory.members_after(actor, tenant, staff.id, None, 100)] == sorted(people)
    assert len(await _entries(directory, actor, tenant, head)) == len(people)


async def test_one_stranger_among_new_members_and_nobody_is_added(
    directory: Directory, actor: Actor, tenant: str, staff: Group, make_user: MakeUser
) -> None:
    anna, gone = await make_user("anna"), await make_user("gone")
    await directory.delete_user(actor, tenant, gone.id)
    with pytest.raises(UserNotFound, match=f"{gone.id}' and 1 more"):
        await directory.add_members(actor, tenant, staff.id, [anna.id, gone.id, "nobody"])
    assert await directory.members_after(actor, tenant, staff.id, None, 10) == []


async def test_groups_contain_groups_also_in_a_circle_but_not_themselves(
    directory: Directory, actor: Actor, tenant: str, staff: Group
) -> None:
    other = await directory.create_group(actor, tenant, {"displayName": "Other"})
    await directory.add_members(actor, tenant, staff.id, [other.id])
    await directory.add_members(actor, tenant, other.id, [staff.id])
    assert await directory.members_after(actor, tenant, staff.id, None, 10) == [Member(other.id, "Group")]
    with pytest.raises(InvalidInput, match="cannot be a member of itself"):
        await directory.add_members(actor, tenant, staff.id, [staff.id])


async def test_a_deleted_member_is_hidden_and_comes_back(
    directory: Directory, actor: Actor, tenant: str, staff: Group, make_user: MakeUser
) -> None:
    anna = await make_user("anna")
    await directory.add_members(actor, tenant, staff.id, [anna.id])
    head = await directory.head(actor, tenant)
    await directory.delete_user(actor, tenant, anna.id)
    assert await directory.members_after(actor, tenant, staff.id, None, 10) == []
    assert await directory.groups_of(actor, tenant, [anna.id]) == {}
    assert (await directory.counts(actor, tenant)).memberships == 0
    await directory.restore_user(actor, tenant, anna.id)
    assert await directory.groups_of(actor, tenant, [anna.id]) == {anna.id: [staff.id]}
    assert await _entries(directory, actor, tenant, head) == [
        ("Member", staff.id, anna.id, "removed"),
        ("User", anna.id, None, "deleted"),
        ("User", anna.id, None, "restored"),
        ("Member", staff.id, anna.id, "added"),
    ]
    await directory.delete_user(actor, tenant, anna.id)
    await directory.purge_user(actor, tenant, anna.id)
    again = await make_user("anna")
    assert await directory.groups_of(actor, tenant, [anna.id, again.id]) == {}


async def test_a_deleted_group_takes_its_memberships_along_and_brings_them_back(
    directory: Directory, actor: Actor, tenant: str, staff: Group, make_user: MakeUser, clock: SettableClock
) -> None:
    anna = await make_user("anna")
    inner = await directory.create_group(actor, tenant, {"displayName": "Inner"})
    await directory.add_members(actor, tenant, staff.id, [inner.id])
    await directory.add_members(actor, tenant, inner.id, [anna.id])
    head = await directory.head(actor, tenant)

    gone = await directory.delete_group(actor, tenant, inner.id)
    assert gone.deleted_at == clock.now_ms()
    assert await directory.groups_of(actor, tenant, [anna.id, inner.id]) == {}
    assert await directory.members_after(actor, tenant, staff.id, None, 10) == []
    with pytest.raises(Conflict, match="among the deleted groups"):
        await directory.add_members(actor, tenant, inner.id, [anna.id])
    with pytest.raises(GroupNotFound):
        await directory.find_group(actor, tenant, "Inner")
    back = await directory.restore_group(actor, tenant, inner.id)
    assert (back.deleted_at, back.display_name) == (None, "Inner")
    assert await directory.groups_of(actor, tenant, [anna.id, inner.id]) == {
        anna.id: [inner.id],
        inner.id: [staff.id],
    }
    assert await _entries(directory, actor, tenant, head) == [
        ("Member", inner.id, anna.id, "removed"),
        ("Member", staff.id, inner.id, "removed"),
        ("Group", inner.id, None, "deleted"),
        ("Group", inner.id, None, "restored"),
        ("Member", inner.id, anna.id, "added"),
        ("Member", staff.id, inner.id, "added"),
    ]
    with pytest.raises(Conflict, match="is not deleted"):
        await directory.purge_group(actor, tenant, inner.id)
    await directory.delete_group(actor, tenant, inner.id)
    clock.advance(30 * 24 * 60 * 60)
    with pytest.raises(Conflict, match="more than 30 days ago"):
        await directory.restore_group(actor, tenant, inner.id)
    assert await directory.purge_expired(actor, tenant) == 1
    assert set(await directory.groups_by_id(actor, tenant, [staff.id, inner.id])) == {staff.id}
    assert (await directory.counts(actor, tenant)).memberships == 0


async def test_pages_of_groups_and_members_go_through_all_once(
    directory: Directory, actor: Actor, tenant: str, staff: Group, make_user: MakeUser
) -> None:
    people = sorted([(await make_user(name)).id for name in "abcde"])
    await directory.add_members(actor, tenant, staff.id, people)
    await directory.delete_user(actor, tenant, people[2])
    seen: list[str] = []
    while page := await directory.members_after(actor, tenant, staff.id, seen[-1] if seen else None, 2):
        seen += [member.id for member in page]
    assert seen == [id_ for id_ in people if id_ != people[2]]
    more = [staff.id, *[(await directory.create_group(actor, tenant, {"displayName": n})).id for n in "xyz"]]
    first = await directory.groups_after(actor, tenant, None, 3)
    rest = await directory.groups_after(actor, tenant, first[-1].id, 3)
    assert [group.id for group in first + rest] == sorted(more)
