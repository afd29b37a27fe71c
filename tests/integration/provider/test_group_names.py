"""Group names are unique, as Entra matches groups by name; a company may want otherwise."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.integration.provider.conftest import principal

from provisor.provider.model import Company, Principal
from provisor.provider.resources.custom.model import GroupNamesTaken
from provisor.provider.resources.service import Resources
from provisor.provider.service import Companies
from provisor.provider.store import CompanyStore
from provisor.scim.errors import ScimError, Uniqueness
from provisor.security.actor import operator
from provisor.storage.database import Database
from provisor.testing.clock import SettableClock


@pytest.fixture
async def company(database: Database, clock: SettableClock) -> Company:
    companies = Companies(CompanyStore(database), b"0" * 32, clock)
    return await companies.create_company(operator(), "Acme", "admin@acme.example")


async def test_a_company_may_allow_groups_of_the_same_name_and_go_back(
    resources: Resources, company: Company, group: Any
) -> None:
    acme = principal(company.id)
    first = await group("Sales", caller=acme)
    with pytest.raises(Uniqueness, match="another group with the displayName 'sales'"):
        await group("sales", caller=acme)
    assert await resources.custom.set_unique_group_names(operator(), company.id, False)
    second = await group("sales", caller=acme)
    # Going back is refused while two of them would clash, and changes nothing.
    with pytest.raises(GroupNamesTaken, match=f"{first} and {second} are both called 'sales'"):
        await resources.custom.set_unique_group_names(operator(), company.id, True)
    third = await group("SALES", caller=acme)
    for gone in (second, third):
        await resources.delete(acme, "Group", gone)
    assert await resources.custom.set_unique_group_names(operator(), company.id, True)
    assert not await resources.custom.set_unique_group_names(operator(), company.id, True)
    with pytest.raises(Uniqueness):
        await group("Sales", caller=acme)


async def test_another_company_is_not_concerned(resources: Resources, company: Company, group: Any) -> None:
    await resources.custom.set_unique_group_names(operator(), company.id, False)
    await group("Sales", caller=principal("other"))
    with pytest.raises(Uniqueness):
        await group("Sales", caller=principal("other"))


async def test_members_that_come_while_their_group_or_they_are_deleted_leave_nothing_behind(
    resources: Resources, database: Database, user: Any, group: Any, acme: Principal
) -> None:

    def patch(group_id: str, op: str, member: str) -> Any:
        body = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": op, "path": "members", "value": [{"value": member}]}],
        }
        return resources.patch(acme, "Group", group_id, body)

    for number in range(8):
        people = [await user(f"u{number}.{one}") for one in range(6)]
        team = await group(f"team{number}", people[:3])
        done = await asyncio.gather(
            *(patch(team, "Add", one) for one in people[3:]),
            resources.delete(acme, "User", people[4]),
            patch(team, "Remove", people[0]),
            *([resources.delete(acme, "Group", team)] if number % 2 else []),
            return_exceptions=True,
        )
        # What was too late is refused, never broken.
        assert all(isinstance(one, ScimError) for one in done if isinstance(one, BaseException))

    async def orphans(tx: Any) -> list[tuple[Any, ...]]:
        return await tx.fetch_all(  # type: ignore[no-any-return]
            "SELECT m.group_id, m.member_id FROM resource_member m WHERE NOT EXISTS "
            "(SELECT 1 FROM resource r WHERE r.id = m.group_id) OR NOT EXISTS "
            "(SELECT 1 FROM resource r WHERE r.id = m.member_id)"
        )

    assert await database.read(orphans) == []
