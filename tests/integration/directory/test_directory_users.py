"""Users: what a caller of the directory may rely on, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from provisor.directory.attributes import InvalidAttributes
from provisor.directory.model import NewUser, User
from provisor.directory.service import Directory
from provisor.directory.users import NameTaken, UserNotFound
from provisor.errors import Conflict, Forbidden, InvalidInput, NotFound
from provisor.security.actor import Actor, Realm, Right
from provisor.testing.clock import SettableClock

MakeUser = Callable[..., Awaitable[User]]
DAY = 24 * 60 * 60


async def _entries(directory: Directory, actor: Actor, tenant: str, after: int) -> list[tuple[str, str]]:
    return [(entry.object_id, entry.change) for entry in await directory.changes(actor, tenant, after, 100)]


async def test_a_user_is_found_by_id_name_and_display_name(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    zoe = await make_user("zoe", displayName="Zoë Brânză", jobTitle="Optician")
    for ref in (zoe.id, zoe.id.upper(), "ZOE@Lindenhof.example", "Zoë Brânză", "zoë brânză"):
        assert await directory.find_user(actor, tenant, ref) == zoe
    assert zoe.attributes["jobTitle"] == "Optician"
    with pytest.raises(UserNotFound, match="no user 'nobody'"):
        await directory.find_user(actor, tenant, "nobody")


async def test_two_people_of_one_display_name_must_be_told_apart(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    await make_user("a", displayName="Anna Keller")
    await make_user("b", displayName="Anna Keller")
    with pytest.raises(Conflict, match=r"a@lindenhof\.example, b@lindenhof\.example"):
        await directory.find_user(actor, tenant, "anna keller")


async def test_a_name_that_is_taken_in_any_case_names_its_holder(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    anna = await make_user("anna")
    other = await make_user("other")
    with pytest.raises(NameTaken, match=f"belongs to Anna .{anna.id}"):
        await make_user("ANNA")
    with pytest.raises(NameTaken, match=anna.id):
        await directory.update_user(actor, tenant, other.id, {"userPrincipalName": "Anna@lindenhof.example"})


async def test_of_two_who_want_one_name_at_once_the_later_hears_of_the_other(make_user: MakeUser) -> None:
    outcomes = await asyncio.gather(*(make_user("anna") for _ in range(5)), return_exceptions=True)
    winners = [user for user in outcomes if isinstance(user, User)]
    losers = [error for error in outcomes if isinstance(error, NameTaken)]
    assert (len(winners), len(losers)) == (1, 4)
    assert all(winners[0].id in error.message for error in losers)


async def test_a_batch_is_made_whole_or_not_at_all(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    await make_user("anna")
    batch = [
        NewUser({"displayName": name, "userPrincipalName": f"{name}@lindenhof.example"}) for name in ("ben", "anna")
    ]
    with pytest.raises(NameTaken):
        await directory.create_users(actor, tenant, batch)
    twice = [NewUser({"displayName": "x", "userPrincipalName": upn}) for upn in ("x@y.example", "X@y.example")]
    with pytest.raises(NameTaken, match="Two of these users"):
        await directory.create_users(actor, tenant, twice)
    assert (await directory.counts(actor, tenant)).users == 1


async def test_an_update_that_changes_nothing_leaves_no_trace(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    anna = await make_user("anna", jobTitle="Optician", businessPhones=["+49 30 23125 000"])
    head = await directory.head(actor, tenant)
    same = {"jobTitle": "Optician", "city": None, "businessPhones": ["+49 30 23125 000"]}
    assert await directory.update_user(actor, tenant, anna.id, same) == anna
    assert await directory.update_users(actor, tenant, {anna.id: same}) == 0
    assert await directory.head(actor, tenant) == head

    after = await directory.update_user(actor, tenant, anna.id, {"jobTitle": None, "city": "Lyon"})
    assert after.version == anna.version + 1
    assert after.attributes == {**{k: v for k, v in anna.attributes.items() if k != "jobTitle"}, "city": "Lyon"}
    assert await directory.users_by_id(actor, tenant, [anna.id]) == {anna.id: after}
    assert await _entries(directory, actor, tenant, head) == [(anna.id, "updated")]


async def test_concurrent_changes_of_one_user_lose_nothing(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    anna = await make_user("anna")
    values = {"city": "Lyon", "state": "x", "jobTitle": "y", "country": "z", "department": "w"}
    await asyncio.gather(*(directory.update_user(actor, tenant, anna.id, {k: v}) for k, v in values.items()))
    after = (await directory.users_by_id(actor, tenant, [anna.id]))[anna.id]
    assert after.attributes == {**anna.attributes, **values}
    assert after.version == anna.version + len(values)


async def test_a_deleted_user_gives_its_name_away_and_can_be_restored(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    anna = await make_user("anna")
    gone = await directory.delete_user(actor, tenant, anna.id)
    assert gone.user_principal_name == f"{anna.id.replace('-', '')}anna@lindenhof.example"
    assert gone.attributes["userPrincipalName"] == gone.user_principal_name
    assert gone.deleted_at is not None
    assert await directory.users_by_id(actor, tenant, [anna.id]) == {anna.id: gone}
    assert await directory.users_after(actor, tenant, None, 10) == [gone]
    assert await directory.users_by_upn(actor, tenant, ["anna@lindenhof.example"]) == {}
    assert (await directory.counts(actor, tenant)).users == 0
    with pytest.raises(Conflict, match="among the deleted users"):
        await directory.update_user(actor, tenant, anna.id, {"city": "Lyon"})
    with pytest.raises(Conflict, match="among the deleted users"):
        await directory.delete_user(actor, tenant, anna.id)

    second = await make_user("anna")
    with pytest.raises(NameTaken, match=second.id):
        await directory.restore_user(actor, tenant, anna.id)
    await directory.update_user(actor, tenant, second.id, {"userPrincipalName": "anna2@lindenhof.example"})
    back = await directory.restore_user(actor, tenant, anna.id)
    assert back.attributes == anna.attributes
    assert (back.deleted_at, back.version) == (None, anna.version + 2)
    with pytest.raises(Conflict, match="is not deleted"):
        await directory.restore_user(actor, tenant, anna.id)


async def test_thirty_days_after_its_deletion_a_user_is_lost(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser, clock: SettableClock
) -> None:
    anna, ben = await make_user("anna"), await make_user("ben")
    group = await directory.create_group(actor, tenant, {"displayName": "All Staff"})
    await directory.add_members(actor, tenant, group.id, [anna.id, ben.id])
    await directory.delete_user(actor, tenant, anna.id)
    clock.advance(30 * DAY - 1)
    await directory.delete_user(actor, tenant, ben.id)
    assert await directory.purge_expired(actor, tenant) == 0
    clock.advance(1)
    with pytest.raises(Conflict, match="more than 30 days ago"):
        await directory.restore_user(actor, tenant, anna.id)
    head = await directory.head(actor, tenant)
    assert await directory.purge_expired(actor, tenant) == 1
    assert set(await directory.users_by_id(actor, tenant, [anna.id, ben.id])) == {ben.id}
    assert await _entries(directory, actor, tenant, head) == [(anna.id, "purged")]
    with pytest.raises(UserNotFound):
        await directory.restore_user(actor, tenant, anna.id)


async def test_only_a_deleted_user_is_purged(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    anna = await make_user("anna")
    with pytest.raises(Conflict, match="is not deleted"):
        await directory.purge_user(actor, tenant, anna.id)
    await directory.delete_user(actor, tenant, anna.id)
    await directory.purge_user(actor, tenant, anna.id)
    assert await directory.users_by_id(actor, tenant, [anna.id]) == {}


async def test_a_manager_who_is_deleted_is_nobodys_until_restored(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    boss, anna, ben = await make_user("boss"), await make_user("anna"), await make_user("ben")
    assert await directory.set_managers(actor, tenant, {anna.id: boss.id, ben.id: boss.id}) == 2
    assert await directory.set_managers(actor, tenant, {anna.id: boss.id}) == 0
    assert await directory.reports_of(actor, tenant, [boss.id, anna.id]) == {boss.id: [anna.id, ben.id]}

    head = await directory.head(actor, tenant)
    await directory.delete_user(actor, tenant, boss.id)
    users = await directory.users_by_id(actor, tenant, [anna.id, ben.id])
    assert [user.manager_id for user in users.values()] == [None, None]
    assert await _entries(directory, actor, tenant, head) == [
        (anna.id, "updated"),
        (ben.id, "updated"),
        (anna.id, "removed"),
        (ben.id, "removed"),
        (boss.id, "deleted"),
    ]
    await directory.restore_user(actor, tenant, boss.id)
    assert (await directory.find_user(actor, tenant, anna.id)).manager_id == boss.id

    await directory.delete_user(actor, tenant, boss.id)
    await directory.purge_user(actor, tenant, boss.id)
    assert (await directory.find_user(actor, tenant, anna.id)).manager_id is None


async def test_nobody_is_their_own_manager_but_circles_are_as_in_entra(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    anna, ben = await make_user("anna"), await make_user("ben")
    with pytest.raises(InvalidInput, match="own manager"):
        await directory.set_manager(actor, tenant, anna.id, anna.id)
    await directory.set_manager(actor, tenant, anna.id, ben.id)
    await directory.set_manager(actor, tenant, ben.id, anna.id)
    assert await directory.reports_of(actor, tenant, [anna.id, ben.id]) == {anna.id: [ben.id], ben.id: [anna.id]}
    await directory.set_manager(actor, tenant, ben.id, None)
    assert (await directory.find_user(actor, tenant, ben.id)).manager_id is None
    with pytest.raises(UserNotFound):
        await directory.set_manager(actor, tenant, ben.id, "00000000-0000-0000-0000-000000000000")


async def test_pages_go_through_everybody_once(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    made = [(await make_user(name)).id for name in "abcdefg"]
    seen: list[str] = []
    while page := await directory.users_after(actor, tenant, seen[-1] if seen else None, 3):
        assert len(page) <= 3
        seen += [user.id for user in page]
    assert seen == sorted(made)


async def test_faults_of_attributes_reach_the_caller_and_store_nothing(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    anna = await make_user("anna")
    with pytest.raises(InvalidAttributes, match="did you mean jobTitle"):
        await directory.update_user(actor, tenant, anna.id, {"jobTitel": "x", "city": "Lyon"})
    assert await directory.find_user(actor, tenant, anna.id) == anna


async def test_a_guid_from_elsewhere_can_be_kept(directory: Directory, actor: Actor, tenant: str) -> None:
    attributes = {"displayName": "A", "userPrincipalName": "a@lindenhof.example"}
    kept = "9B1F6A52-0000-4000-8000-00000000000A"
    (user,) = await directory.create_users(actor, tenant, [NewUser(attributes, kept)])
    assert user.id == kept.lower()
    with pytest.raises(Conflict, match=r"belongs to a@lindenhof\.example already"):
        await directory.create_users(
            actor, tenant, [NewUser({**attributes, "userPrincipalName": "b@lindenhof.example"}, kept)]
        )
    with pytest.raises(InvalidInput, match="It is a GUID"):
        await directory.create_users(actor, tenant, [NewUser(attributes, "7")])


async def test_a_tenant_is_found_by_any_of_its_names(directory: Directory, actor: Actor) -> None:
    with pytest.raises(NotFound, match="no tenant yet"):
        await directory.find_tenant(actor, None)
    first = await directory.create_tenant(actor, "Lindenhof", "Lindenhof.example")
    assert first.domain == "lindenhof.example"
    assert await directory.find_tenant(actor, None) == first
    second = await directory.create_tenant(actor, "Ulmenhof", "ulmenhof.example")
    with pytest.raises(InvalidInput, match=r"2 tenants \(Lindenhof, Ulmenhof\)"):
        await directory.find_tenant(actor, None)
    for ref in (second.id, "ulmenhof", "ULMENHOF.example"):
        assert await directory.find_tenant(actor, ref) == second
    with pytest.raises(NotFound, match="no tenant 'x'"):
        await directory.find_tenant(actor, "x")
    assert await directory.tenants(actor) == [first, second]


@pytest.mark.parametrize(("name", "domain"), [("LINDENHOF", "b.example"), ("B", "lindenhof.EXAMPLE")])
async def test_a_tenants_name_and_domain_are_its_own(
    directory: Directory, actor: Actor, tenant: str, name: str, domain: str
) -> None:
    with pytest.raises(Conflict, match=f"belongs to the tenant 'Lindenhof' .{tenant}"):
        await directory.create_tenant(actor, name, domain)


async def test_tenants_are_apart(directory: Directory, actor: Actor, tenant: str, make_user: MakeUser) -> None:
    anna = await make_user("anna")
    other = (await directory.create_tenant(actor, "Ulmenhof", "ulmenhof.example")).id
    assert await directory.users_by_id(actor, other, [anna.id]) == {}
    assert await directory.users_after(actor, other, None, 10) == []
    with pytest.raises(UserNotFound):
        await directory.delete_user(actor, other, anna.id)
    with pytest.raises(NotFound, match="no tenant with the id"):
        await directory.create_user(actor, "nowhere", {"displayName": "A", "userPrincipalName": "a@lindenhof.example"})


async def test_who_lacks_the_right_gets_nothing(directory: Directory, tenant: str, make_user: MakeUser) -> None:
    anna = await make_user("anna")
    reader = Actor(Realm("tenant", tenant), "reader", frozenset({Right.DIRECTORY_READ}))
    stranger = Actor(Realm("tenant", "another"), "stranger", frozenset(Right))
    assert (await directory.find_user(reader, tenant, anna.id)).id == anna.id
    assert [found.id for found in await directory.tenants(reader)] == [tenant]
    for who in (reader, stranger):
        with pytest.raises(Forbidden):
            await directory.create_tenant(who, "X", "x.example")
        with pytest.raises(Forbidden):
            await directory.update_user(who, tenant, anna.id, {"city": "Lyon"})
        with pytest.raises(Forbidden):
            await directory.delete_user(who, tenant, anna.id)
    with pytest.raises(Forbidden):
        await directory.find_user(stranger, tenant, anna.id)
