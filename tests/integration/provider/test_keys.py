"""Whose keys work, and until when: over both engines, with SCIM and another process changing things meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import structlog

from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.provider.model import Company, ListedKey, OwnerGone, OwnerNotAdmin, Principal, RateLimits, RevokedKey
from provisor.provider.people.store import LastAdministrator
from provisor.provider.resources.service import Resources
from provisor.provider.service import Companies
from provisor.provider.store import CompanyStore
from provisor.scim.messages import PATCH_OP
from provisor.scim.schemas import USER_URN
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store

ADA, GRACE = "ada@acme.example", "grace@acme.example"


def acting_for(company: Company) -> Principal:
    """Whoever provisions the company, with a key that nobody can take away."""
    actor = Actor(Realm("company", company.id), "key", rights_of(["Company Administrator"]))
    return Principal(company.id, actor, "key", "entra")


@pytest.fixture
async def companies(database: Database, clock: SettableClock) -> AsyncIterator[Companies]:
    service = Companies(CompanyStore(database), b"pepper", clock)
    yield service
    await service.close()


@pytest.fixture
async def acme(companies: Companies) -> Company:
    return await companies.create_company(operator(), "Acme", ADA)


@pytest.fixture
def caller(acme: Company) -> Principal:
    return acting_for(acme)


async def bearer(companies: Companies, company: Company, **options: Any) -> str:
    _, text = await companies.create_key(operator(), company.id, name="entra", expires="2030-01-01", **options)
    return f"Bearer {text}"


async def the_key(companies: Companies, company: Company) -> ListedKey:
    [listed] = await companies.listed_keys(operator(), company.id)
    return listed


async def person(resources: Resources, caller: Principal, name: str, **more: Any) -> str:
    body = {"schemas": [USER_URN], "userName": name, **more}
    return (await resources.create(caller, "User", body)).stored.id


def replacing(**values: Any) -> dict[str, Any]:
    operations = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
    return {"schemas": [PATCH_OP], "Operations": operations}


def disabling(resources: Resources, caller: Principal, user: str) -> Any:
    return resources.patch(caller, "User", user, replacing(active=False))


# Service accounts ----------------------------------------------------------------------------------------------------


async def test_a_key_of_a_service_account_goes_on_when_every_person_has_left(
    companies: Companies, acme: Company
) -> None:
    header = await bearer(companies, acme, service_account="provisioning")
    await companies.add_administrator(operator(), acme.id, GRACE)
    await companies.remove_administrator(operator(), acme.id, ADA)
    assert (await companies.authenticate(header)).company_id == acme.id
    listed = await the_key(companies, acme)
    assert (listed.owner.name, listed.owner.is_service_account, listed.warning) == ("provisioning", True, None)


async def test_keys_of_one_service_account_stop_with_it(companies: Companies, acme: Company) -> None:
    first = await bearer(companies, acme, service_account="sync")
    second = await bearer(companies, acme, service_account="sync")
    assert [account.name for account in await companies.service_accounts(operator(), acme.id)] == ["sync"]
    await companies.remove_service_account(operator(), acme.id, "sync")
    for header in (first, second):
        with pytest.raises(OwnerGone, match="entra"):
            await companies.authenticate(header)
    with pytest.raises(NotFound, match="sync"):
        await companies.remove_service_account(operator(), acme.id, "sync")


async def test_a_key_has_one_owner(companies: Companies, acme: Company) -> None:
    with pytest.raises(InvalidInput, match="not to both"):
        await bearer(companies, acme, service_account="sync", administrator=ADA)


async def test_a_rotated_key_keeps_its_owner(companies: Companies, acme: Company) -> None:
    await bearer(companies, acme, service_account="sync")
    await companies.rotate_key(operator(), acme.id, "entra", expires="2030-01-01")
    owners = [listed.owner.name for listed in await companies.listed_keys(operator(), acme.id)]
    assert owners == ["sync", "sync"]


async def test_a_key_whose_owner_is_gone_is_not_rotated_into_somebody_elses(
    companies: Companies, acme: Company
) -> None:
    await bearer(companies, acme)
    await companies.add_administrator(operator(), acme.id, GRACE)
    await companies.remove_administrator(operator(), acme.id, ADA)
    with pytest.raises(Conflict, match="was removed"):
        await companies.rotate_key(operator(), acme.id, "entra", expires="2030-01-01")


# What SCIM does to the maker of a key --------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["disabled", "deleted"])
async def test_a_maker_whom_scim_disables_or_deletes_takes_their_key_along_and_a_warning_says_so(
    companies: Companies, acme: Company, resources: Resources, caller: Principal, end: str
) -> None:
    header = await bearer(companies, acme)
    await companies.add_administrator(operator(), acme.id, GRACE)
    ada = await person(resources, caller, "Ada@acme.example")
    with structlog.testing.capture_logs() as logs:
        if end == "disabled":
            await disabling(resources, caller, ada)
        else:
            await resources.delete(caller, "User", ada)
    assert [(entry["event"], entry["log_level"], entry["administrator"], entry["keys"]) for entry in logs] == [
        ("key_maker_disabled_over_scim", "warning", ADA, 1)
    ]
    with pytest.raises(OwnerNotAdmin, match="disabled over SCIM"):
        await companies.authenticate(header)
    assert ADA in ((await the_key(companies, acme)).warning or "")


async def test_a_maker_who_is_enabled_again_gets_the_key_back(
    companies: Companies, acme: Company, resources: Resources, caller: Principal
) -> None:
    header = await bearer(companies, acme)
    await companies.add_administrator(operator(), acme.id, GRACE)
    ada = await person(resources, caller, ADA)
    await disabling(resources, caller, ada)
    await resources.patch(caller, "User", ada, replacing(active=True))
    await companies.authenticate(header)
    assert (await the_key(companies, acme)).warning is None


async def test_a_renamed_user_is_still_the_administrator_they_were(
    companies: Companies, acme: Company, resources: Resources, caller: Principal
) -> None:
    header = await bearer(companies, acme)
    await companies.add_administrator(operator(), acme.id, GRACE)
    ada = await person(resources, caller, ADA)
    await resources.patch(caller, "User", ada, replacing(userName="ada.king@acme.example"))
    await disabling(resources, caller, ada)
    with pytest.raises(OwnerNotAdmin):
        await companies.authenticate(header)


async def test_an_administrator_is_found_by_an_email_address_too(
    companies: Companies, acme: Company, resources: Resources, caller: Principal
) -> None:
    await companies.add_administrator(operator(), acme.id, GRACE)
    ada = await person(resources, caller, "ada", emails=[{"value": "ADA@acme.example", "type": "work"}])
    await disabling(resources, caller, ada)
    found = {one.email: one.acts for one in await companies.administrators(operator(), acme.id)}
    assert found == {ADA: False, GRACE: True}


async def test_a_deleted_administrator_does_not_come_back_by_being_created_again(
    companies: Companies, acme: Company, resources: Resources, caller: Principal
) -> None:
    await companies.add_administrator(operator(), acme.id, GRACE)
    await resources.delete(caller, "User", await person(resources, caller, ADA))
    await person(resources, caller, ADA)
    assert [one.acts for one in await companies.administrators(operator(), acme.id)] == [False, True]
    await companies.set_admin(operator(), acme.id, ADA, True)
    assert [one.acts for one in await companies.administrators(operator(), acme.id)] == [True, True]


@pytest.mark.parametrize(
    "attempt",
    [
        lambda resources, caller, user: disabling(resources, caller, user),
        lambda resources, caller, user: resources.delete(caller, "User", user),
        lambda resources, caller, user: resources.replace(
            caller, "User", user, {"schemas": [USER_URN], "userName": ADA, "active": False}
        ),
    ],
    ids=["PATCH", "DELETE", "PUT"],
)
async def test_scim_cannot_disable_or_delete_the_last_administrator(
    companies: Companies, acme: Company, resources: Resources, caller: Principal, attempt: Callable[..., Any]
) -> None:
    header = await bearer(companies, acme)
    ada = await person(resources, caller, ADA)
    with pytest.raises(LastAdministrator, match=ADA):
        await attempt(resources, caller, ada)
    assert (await resources.read(caller, "User", ada)).stored.version == 1
    await companies.authenticate(header)


async def test_scim_cannot_create_the_last_administrator_disabled(
    companies: Companies, acme: Company, resources: Resources, caller: Principal
) -> None:
    with pytest.raises(LastAdministrator):
        await person(resources, caller, ADA, active=False)
    assert len(await companies.administrators(operator(), acme.id)) == 1


async def test_two_administrators_who_are_disabled_at_once_leave_one(
    companies: Companies, acme: Company, resources: Resources, caller: Principal
) -> None:
    await companies.add_administrator(operator(), acme.id, GRACE)
    users = [await person(resources, caller, name) for name in (ADA, GRACE)]
    ended = await asyncio.gather(*(disabling(resources, caller, user) for user in users), return_exceptions=True)
    assert sorted(isinstance(end, LastAdministrator) for end in ended) == [False, True]
    assert sum(one.acts for one in await companies.administrators(operator(), acme.id)) == 1


async def test_what_is_done_to_another_companys_user_concerns_no_administrator_here(
    companies: Companies, acme: Company, resources: Resources
) -> None:
    header = await bearer(companies, acme)
    other = acting_for(await companies.create_company(operator(), "Other"))
    await disabling(resources, other, await person(resources, other, ADA))
    await companies.authenticate(header)


async def test_an_administrator_whom_scim_disabled_does_not_count_as_another_one(
    companies: Companies, acme: Company, resources: Resources, caller: Principal
) -> None:
    await companies.add_administrator(operator(), acme.id, GRACE)
    await disabling(resources, caller, await person(resources, caller, ADA))
    with pytest.raises(Conflict, match="last administrator"):
        await companies.set_admin(operator(), acme.id, GRACE, False)
    with pytest.raises(InvalidInput, match="disabled over SCIM"):
        await bearer(companies, acme, administrator=ADA)


# Two processes -------------------------------------------------------------------------------------------------------


async def test_what_one_process_takes_away_is_gone_in_every_other_within_two_seconds(
    companies: Companies, acme: Company, store: Store, clock: SettableClock
) -> None:
    other_database = store.database()
    await other_database.open()
    elsewhere = Companies(CompanyStore(other_database), b"pepper", clock)
    revoked = await bearer(companies, acme)
    await companies.revoke_key(operator(), acme.id, "entra")
    demoted = await bearer(companies, acme)
    await companies.add_administrator(operator(), acme.id, GRACE)
    limited = await bearer(companies, acme, service_account="sync")
    for header in (demoted, limited):
        await elsewhere.authenticate(header)
    await companies.set_admin(operator(), acme.id, ADA, False)
    await companies.set_limits(operator(), acme.id, RateLimits(credential=30))
    clock.advance(2)
    with pytest.raises(RevokedKey):
        await elsewhere.authenticate(revoked)
    with pytest.raises(OwnerNotAdmin):
        await elsewhere.authenticate(demoted)
    assert (await elsewhere.authenticate(limited)).limits == RateLimits(credential=30)
    await elsewhere.close()
    await other_database.close()


async def test_the_latest_use_that_any_process_saw_is_the_last_one(
    database: Database, companies: Companies, acme: Company, clock: SettableClock
) -> None:
    header = await bearer(companies, acme)
    await companies.authenticate(header)
    used = clock.now_ms()
    await companies.close()
    listed = await the_key(companies, acme)
    await CompanyStore(database).touch_key(listed.key.id, used - 5_000)
    assert (await the_key(companies, acme)).key.last_used_at == used


async def test_a_key_that_expires_soon_is_worth_a_warning(
    companies: Companies, acme: Company, clock: SettableClock
) -> None:
    await companies.create_key(operator(), acme.id, name="short", expires="2026-03-01")
    assert (await the_key(companies, acme)).warning is None
    clock.advance(50 * 24 * 3600)
    assert "2026-03-01" in ((await the_key(companies, acme)).warning or "")
    clock.advance(30 * 24 * 3600)
    assert (await the_key(companies, acme)).warning is None
