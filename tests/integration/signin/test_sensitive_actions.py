"""Whoever may write the directory cannot shut out, rename or remove somebody with a role: only who gives roles can."""

from __future__ import annotations

import pytest

from provisor.app.services import AppServices
from provisor.directory.model import User
from provisor.errors import Forbidden
from provisor.security.actor import Actor, Realm, operator, rights_of


def actor(tenant: str, role: str) -> Actor:
    return Actor(Realm("tenant", tenant), "somebody", rights_of([role]))


@pytest.mark.parametrize("changes", [{"accountEnabled": False}, {"userPrincipalName": "eve@contoso.com"}])
async def test_of_who_has_a_role_a_user_administrator_changes_no_more_than_the_profile(
    services: AppServices, tenant: str, ada: User, changes: dict[str, object]
) -> None:
    await services.roles.grant(operator(), tenant, ada.id, "Global Reader")
    helpdesk, chief = actor(tenant, "User Administrator"), actor(tenant, "Global Administrator")
    with pytest.raises(Forbidden):
        await services.directory.update_user(helpdesk, tenant, ada.id, changes)
    with pytest.raises(Forbidden):
        await services.directory.update_users(helpdesk, tenant, {ada.id: changes})
    with pytest.raises(Forbidden):
        await services.directory.delete_user(helpdesk, tenant, ada.id)
    changed = await services.directory.update_user(helpdesk, tenant, ada.id, {"jobTitle": "Boss"})
    assert (changed.attributes["jobTitle"], changed.account_enabled) == ("Boss", True)
    await services.directory.update_user(chief, tenant, ada.id, changes)
    await services.directory.delete_user(chief, tenant, ada.id)
    with pytest.raises(Forbidden):
        await services.directory.restore_user(helpdesk, tenant, ada.id)
    with pytest.raises(Forbidden):
        await services.directory.purge_user(helpdesk, tenant, ada.id)


async def test_of_everybody_else_it_changes_all(services: AppServices, tenant: str, ada: User) -> None:
    helpdesk = actor(tenant, "User Administrator")
    await services.directory.update_user(helpdesk, tenant, ada.id, {"accountEnabled": False})
    await services.directory.delete_user(helpdesk, tenant, ada.id)
    await services.directory.purge_user(helpdesk, tenant, ada.id)
