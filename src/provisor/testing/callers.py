"""For tests of the API: an authority that knows its tokens beforehand, and callers with given permissions."""

from __future__ import annotations

from collections.abc import Iterable

from provisor.errors import Forbidden, InvalidInput
from provisor.security.actor import Actor, Realm, Right, rights_of
from provisor.signin.model import Caller
from provisor.signin.people import MEMBER_RIGHTS


class KnownTokens:
    """Token -> caller; tests add to ``callers``."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}

    async def authenticate(self, token: str) -> Caller:
        """Raises ``Forbidden`` for a token that is not there."""
        if token not in self.callers:
            raise Forbidden("The token is not known.")
        return self.callers[token]


class KeptPasswords:
    """The passwords that people were given, as they are, by user id."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}

    def check(self, password: str, login: str) -> None:
        """Raises ``InvalidInput`` for less than eight characters."""
        if len(password) < 8:
            raise InvalidInput(f"The password of {login} has less than 8 characters.")

    async def give(self, actor: Actor, tenant_id: str, user_id: str, password: str) -> None:
        """Keep it."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        self.given[user_id] = password


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
    actor = Actor(Realm("tenant", tenant_id), user_id, rights_of(held) | MEMBER_RIGHTS)
    return Caller(actor, tenant_id, "user", app_id, user_id, frozenset(scopes), directory_roles=held)
