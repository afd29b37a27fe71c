"""What mappings and filters do to a target: flow types, defaults, empty sources, roles, groups, unique values."""

from __future__ import annotations

import copy
from typing import Any

from tests.integration.provisioning.conftest import World

from provisor.security.actor import operator


async def change(world: World, *, scope: list[dict[str, Any]] | None = None, **rows: dict[str, Any]) -> None:
    """Give the mappings to these target attributes these properties; ``scope``: the clauses of the one filter."""
    job = await world.services.applications.job(operator(), world.job_id)
    document = copy.deepcopy(dict(job.schema.document))
    mapping = document["synchronizationRules"][0]["objectMappings"][0]
    for row in mapping["attributeMappings"]:
        row.update(rows.get(row["targetAttributeName"], {}))
    if scope is not None:
        mapping["scope"] = {"groups": [{"name": "Only", "clauses": scope}]}
    await world.services.applications.set_schema(operator(), world.job_id, document)


def account(world: World, name: str) -> dict[str, Any]:
    return world.target.users_by_name()[f"{name}@example.org"]


def existing(world: World, name: str, **attributes: Any) -> None:
    """An account that the target had before."""
    world.target.users[name] = {"id": name, "userName": f"{name}@example.org", "active": True, **attributes}


async def update(world: World, user_id: str, **changes: Any) -> None:
    await world.services.directory.update_user(operator(), world.tenant.id, user_id, changes)
    await world.cycle()


async def test_a_default_stays_until_the_source_has_a_value(world: World) -> None:
    await change(world, title={"defaultValue": "Staff"})
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    assert account(world, "ada")["title"] == "Staff"
    await update(world, ada.id, city="Bern")
    assert account(world, "ada")["title"] == "Staff"
    await update(world, ada.id, jobTitle="Countess")
    assert account(world, "ada")["title"] == "Countess"


async def test_linking_an_account_does_not_send_a_default(world: World) -> None:
    await change(world, title={"defaultValue": "Staff"})
    existing(world, "ada", title="Lady")
    await world.assign(await world.person("ada"))
    await world.start()
    await world.cycle()
    assert account(world, "ada")["title"] == "Lady"
    assert account(world, "ada")["displayName"] == "Ada"


async def test_the_mapping_type_none_leaves_a_value_of_the_target_alone(world: World) -> None:
    await change(world, title={"source": None, "defaultValue": "Staff"})
    existing(world, "ada", title="Lady")
    await world.assign(await world.person("ada"), await world.person("bob"))
    await world.start()
    await world.cycle()
    assert account(world, "ada")["title"] == "Lady"
    assert account(world, "bob")["title"] == "Staff"


async def test_an_empty_source_removes_unless_the_mapping_or_the_dialect_says_otherwise(world: World) -> None:
    keep = [{"key": "provisor.whenSourceIsEmpty", "value": "Keep"}]
    await change(world, title={"metadata": keep})
    ada = await world.person("ada", jobTitle="Countess", preferredLanguage="en")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    await update(world, ada.id, jobTitle=None, preferredLanguage=None)
    assert account(world, "ada")["title"] == "Countess"
    assert "preferredLanguage" not in account(world, "ada")


async def test_the_dialect_of_entra_removes_nothing(world: World) -> None:
    await world.services.applications.change_settings(operator(), world.job_id, {"dialect": "entra"})
    ada = await world.person("ada", jobTitle="Countess")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    await update(world, ada.id, jobTitle=None)
    assert account(world, "ada")["title"] == "Countess"


async def test_membership_of_a_group_decides_also_when_everybody_is_in_scope(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    group = await world.group("Sellers", ada)
    clause = {"sourceOperandName": "memberOf", "operatorName": "EQUALS", "targetOperand": {"values": [group.id]}}
    await change(world, scope=[clause])
    await world.services.applications.set_sync_all(operator(), world.job_id, True)
    await world.start()
    await world.cycle()
    assert list(world.target.users_by_name()) == ["ada@example.org"]
    directory = world.services.directory
    await directory.add_members(operator(), world.tenant.id, group.id, [bob.id])
    await directory.remove_members(operator(), world.tenant.id, group.id, [ada.id])
    await world.cycle()
    assert account(world, "bob")["active"] is True
    assert account(world, "ada")["active"] is False


async def test_a_role_is_mapped_by_its_name(world: World) -> None:
    source = {"type": "Function", "name": "x", "expression": "SingleAppRoleAssignment([appRoleAssignments])"}
    await change(world, title={"source": source})
    ada = await world.person("ada")
    [role] = world.app.service_principal.app_roles
    await world.services.applications.assign(
        operator(), world.tenant.id, world.app.service_principal.id, ada.id, "User", role.id
    )
    await world.start()
    await world.cycle()
    assert account(world, "ada")["title"] == "User"


async def test_a_unique_value_is_the_first_that_nobody_has_in_the_target(world: World) -> None:
    expression = 'SelectUniqueValue([givenName], Join("", [givenName], "1"), Join("", [givenName], "2"))'
    source = {"type": "Function", "name": "SelectUniqueValue", "expression": expression}
    await change(world, externalId={"source": source, "flowType": "ObjectAddOnly"})
    existing(world, "other", externalId="Ada")
    ada = await world.person("ada", givenName="Ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    assert account(world, "ada")["externalId"] == "Ada1"
    await update(world, ada.id, city="Bern")
    assert account(world, "ada")["externalId"] == "Ada1"
