"""Companies, their administrators and keys, and who a request comes from."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from provisor.clock import iso
from provisor.errors import Conflict, Forbidden, InvalidInput, NotFound
from provisor.provider.model import Company, ExpiredKey, OwnerNotAdmin, Principal, RevokedKey, UnknownKey
from provisor.provider.service import Companies
from provisor.provider.store import CompanyStore
from provisor.security.actor import Actor, Realm, Right, operator
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
async def companies(memory_database: Database, clock: SettableClock) -> AsyncIterator[Companies]:
    service = Companies(CompanyStore(memory_database), b"pepper", clock)
    yield service
    await service.close()


@pytest.fixture
async def acme(companies: Companies) -> Company:
    return await companies.create_company(operator(), "Acme", "Ada@Acme.example")


def tomorrow(clock: SettableClock) -> str:
    return iso(clock.now_ms() + DAY_MS)[:10]


async def key_of(companies: Companies, company: Company, clock: SettableClock, name: str = "entra") -> tuple[str, str]:
    key, text = await companies.create_key(operator(), company.id, name=name, expires=tomorrow(clock))
    return key.id, f"Bearer {text}"


async def test_a_company_is_found_by_id_by_name_and_as_the_only_one(companies: Companies, acme: Company) -> None:
    for ref in (acme.id, "Acme", None):
        assert await companies.find_company(operator(), ref) == acme


async def test_without_a_name_several_companies_are_unclear(companies: Companies, acme: Company) -> None:
    await companies.create_company(operator(), "Other")
    with pytest.raises(InvalidInput, match="Acme, Other"):
        await companies.find_company(operator())


async def test_an_empty_database_says_how_to_make_a_company(companies: Companies) -> None:
    with pytest.raises(NotFound, match="company create"):
        await companies.find_company(operator())


async def test_two_companies_cannot_share_a_name(companies: Companies, acme: Company) -> None:
    with pytest.raises(Conflict, match=acme.name):
        await companies.create_company(operator(), "Acme")


async def test_a_key_picks_its_company_and_its_dialect(
    companies: Companies, acme: Company, clock: SettableClock
) -> None:
    key_id, header = await key_of(companies, acme, clock)
    found = await companies.authenticate(header)
    assert (found.company_id, found.key_id, found.dialect) == (acme.id, key_id, "entra")
    found.actor.require(Right.SCIM_WRITE, acme.id)


async def test_a_key_has_no_right_in_another_company(companies: Companies, acme: Company, clock: SettableClock) -> None:
    other = await companies.create_company(operator(), "Other")
    found = await companies.authenticate((await key_of(companies, acme, clock))[1])
    with pytest.raises(Forbidden):
        found.actor.require(Right.SCIM_READ, other.id)
    with pytest.raises(Forbidden):
        await companies.find_company(found.actor, other.id)


async def test_the_text_of_a_key_is_not_kept(companies: Companies, acme: Company, clock: SettableClock) -> None:
    _, header = await key_of(companies, acme, clock)
    secret = header.rpartition("_")[2]
    assert secret not in repr(await companies.keys(operator(), acme.id))


async def test_a_key_of_a_server_with_another_pepper_is_unknown(
    memory_database: Database, companies: Companies, acme: Company, clock: SettableClock
) -> None:
    _, header = await key_of(companies, acme, clock)
    with pytest.raises(UnknownKey):
        await Companies(CompanyStore(memory_database), b"other", clock).authenticate(header)


async def test_a_changed_secret_is_unknown(companies: Companies, acme: Company, clock: SettableClock) -> None:
    _, header = await key_of(companies, acme, clock)
    with pytest.raises(UnknownKey):
        await companies.authenticate(header[:-1] + ("A" if header[-1] != "A" else "B"))


async def test_a_key_stops_at_the_end_of_its_day_and_says_which(
    companies: Companies, acme: Company, clock: SettableClock
) -> None:
    key, text = await companies.create_key(operator(), acme.id, name="short", expires=iso(clock.now_ms())[:10])
    await companies.authenticate(f"Bearer {text}")
    clock.advance((key.expires_at - 1 - clock.now_ms()) / 1000)
    await companies.authenticate(f"Bearer {text}")
    clock.advance(0.001)
    with pytest.raises(ExpiredKey, match=key.expires_on):
        await companies.authenticate(f"Bearer {text}")


async def test_a_revocation_holds_at_once_here_and_within_two_seconds_elsewhere(
    memory_database: Database, companies: Companies, acme: Company, clock: SettableClock
) -> None:
    elsewhere = Companies(CompanyStore(memory_database), b"pepper", clock)
    _, header = await key_of(companies, acme, clock)
    await companies.authenticate(header)
    await elsewhere.authenticate(header)
    await companies.revoke_key(operator(), acme.id, "entra")
    with pytest.raises(RevokedKey):
        await companies.authenticate(header)
    clock.advance(2)
    with pytest.raises(RevokedKey):
        await elsewhere.authenticate(header)
    await elsewhere.close()


async def test_after_a_rotation_both_keys_work_until_the_first_is_revoked(
    companies: Companies, acme: Company, clock: SettableClock
) -> None:
    first, header = await key_of(companies, acme, clock)
    second, text = await companies.rotate_key(operator(), acme.id, "entra", expires=tomorrow(clock))
    assert (await companies.authenticate(header)).key_id == first
    assert (await companies.authenticate(f"Bearer {text}")).key_id == second.id
    await companies.revoke_key(operator(), acme.id, first)
    assert (await companies.authenticate(f"Bearer {text}")).key_id == second.id


async def test_a_key_dies_with_its_makers_admin_permission_and_comes_back_with_it(
    companies: Companies, acme: Company, clock: SettableClock
) -> None:
    _, header = await key_of(companies, acme, clock)
    await companies.add_administrator(operator(), acme.id, "grace@acme.example")
    await companies.set_admin(operator(), acme.id, "ada@acme.example", False)
    with pytest.raises(OwnerNotAdmin, match=r"ada@acme\.example"):
        await companies.authenticate(header)
    await companies.set_admin(operator(), acme.id, "ada@acme.example", True)
    await companies.authenticate(header)


async def test_a_key_of_somebody_who_was_removed_does_not_work(
    companies: Companies, acme: Company, clock: SettableClock
) -> None:
    _, header = await key_of(companies, acme, clock)
    await companies.add_administrator(operator(), acme.id, "grace@acme.example")
    await companies.remove_administrator(operator(), acme.id, "ada@acme.example")
    with pytest.raises(OwnerNotAdmin):
        await companies.authenticate(header)


async def test_the_last_administrator_cannot_be_demoted_or_removed(companies: Companies, acme: Company) -> None:
    with pytest.raises(Conflict, match="last administrator"):
        await companies.set_admin(operator(), acme.id, "ada@acme.example", False)
    with pytest.raises(Conflict, match="last administrator"):
        await companies.remove_administrator(operator(), acme.id, "ada@acme.example")


async def test_a_company_without_people_has_keys_of_its_service_account(
    companies: Companies, clock: SettableClock
) -> None:
    bare = await companies.create_company(operator(), "Bare")
    key, text = await companies.create_key(operator(), bare.id, name="entra", expires=tomorrow(clock))
    assert key.administrator_id is None
    found: Principal = await companies.authenticate(f"Bearer {text}")
    assert found.company_id == bare.id


async def test_the_last_use_of_a_key_is_noted_at_most_once_a_minute(
    companies: Companies, acme: Company, clock: SettableClock
) -> None:
    _, header = await key_of(companies, acme, clock)
    first_use = clock.now_ms()
    seen = []
    for _ in range(3):
        await companies.authenticate(header)
        await companies.close()
        seen.append((await companies.keys(operator(), acme.id))[0].last_used_at)
        clock.advance(40)
    assert seen == [first_use, first_use, first_use + 80_000]


async def test_keys_with_one_name_need_their_id(companies: Companies, acme: Company, clock: SettableClock) -> None:
    await key_of(companies, acme, clock)
    await key_of(companies, acme, clock)
    with pytest.raises(InvalidInput, match="Several keys"):
        await companies.revoke_key(operator(), acme.id, "entra")


async def test_a_deleted_companys_key_is_unknown(companies: Companies, acme: Company, clock: SettableClock) -> None:
    _, header = await key_of(companies, acme, clock)
    await companies.authenticate(header)
    await companies.delete_company(operator(), "Acme")
    assert await companies.companies(operator()) == []
    with pytest.raises(UnknownKey):
        await companies.authenticate(header)


async def test_who_lacks_the_right_makes_no_company_and_no_key(companies: Companies, acme: Company) -> None:
    nobody = Actor(Realm("company", acme.id), "somebody", frozenset({Right.COMPANY_READ}))
    with pytest.raises(Forbidden):
        await companies.create_company(nobody, "Mine")
    with pytest.raises(Forbidden):
        await companies.create_key(nobody, acme.id, name="mine", expires="2999-01-01")
    assert await companies.keys(nobody, acme.id) == []


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@acme.example", "a b@acme.example"])
async def test_an_administrator_needs_an_address(companies: Companies, email: str) -> None:
    with pytest.raises(InvalidInput):
        await companies.add_administrator(operator(), (await companies.create_company(operator(), "X")).id, email)
