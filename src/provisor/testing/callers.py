"""For tests of the API: an authority that knows its tokens beforehand, and callers with given permissions."""

from __future__ import annotations

from collections.abc import Iterable

from provisor.errors import Forbidden
from provisor.security.actor import Actor, Realm, Right, rights_of
from provisor.signin.model import Caller


class KnownTokens:
    """Token -> caller; tests add to ``callers``."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}

    async def authenticate(self, token: str) -> Caller:
        """Raises ``Forbidden`` for a token that is not there."""
        if token not in self.callers:
            raise Forbidden("The token is not known.")
        return self.callers[token]


def app(tenant_id: str, *permissions: str, app_id: str = "11111111-0000-0000-0000-000000000001") -> Caller:
    """An application with these application permissions."""
    actor = Actor(Realm("tenant", tenant_id), app_id, frozenset(Right))
    return Caller(actor, tenant_id, "app", app_id, app_roles=frozenset(permissions))


def person(
    tenant_id: str,
    user_id: str,
    scopes: Iterable[str],
    roles: Iterable[str] = (),
    app_id: str = "11111111-0000-0000-0000-000000000002",
) -> Caller:
    """A person with these directory roles, through an app that was given these scopes."""
    held = frozenset(roles)
    actor = Actor(Realm("tenant", tenant_id), user_id, rights_of(held))
    return Caller(actor, tenant_id, "user", app_id, user_id, frozenset(scopes), directory_roles=held)
