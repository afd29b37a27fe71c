"""Given passwords, what the API calls. They end the person's sessions and tokens, as a new one of one's own does."""

from __future__ import annotations

from provisor.clock import Clock
from provisor.directory.users import UserNotFound
from provisor.security.actor import Actor, Right
from provisor.security.passwords import Passwords
from provisor.signin.accounts.passwords import check_given
from provisor.signin.accounts.store import AccountStore
from provisor.signin.people import PersonKey
from provisor.signin.sessions import Sessions
from provisor.signin.store import SignInStore


class GivenPasswords:
    """``provisor.web.graph.services.Passwords``."""

    def __init__(
        self, store: AccountStore, people: SignInStore, sessions: Sessions, passwords: Passwords, clock: Clock
    ) -> None:
        self._store = store
        self._people = people
        self._sessions = sessions
        self._passwords = passwords
        self._clock = clock

    def check(self, password: str, login: str) -> None:
        """Raise ``PasswordUnfit`` for one that nobody may have, ``login`` included."""
        check_given(password)

    async def give(self, actor: Actor, tenant_id: str, user_id: str, password: str) -> None:
        """Set the password of a user of this tenant; the second factor stays.

        Of who has a role only who gives roles can: else a User Administrator could become anybody. Raises
        ``Forbidden``, ``UserNotFound``.
        """
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        person = await self._people.person(PersonKey("tenant", tenant_id, user_id))
        if person is None:
            raise UserNotFound(f"There is no user {user_id} in this directory.")
        if person.roles:
            actor.require(Right.ROLES_MANAGE, tenant_id)
        hashed = await self._passwords.hash(password)
        await self._store.set_password(person, hashed, self._clock.now_ms(), actor=actor)
        self._sessions.forget()
