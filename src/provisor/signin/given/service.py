"""Given passwords, what the API calls. They end the person's sessions and tokens, as a password of one's own does."""

from __future__ import annotations

from provisor.clock import Clock
from provisor.errors import InvalidInput
from provisor.security.actor import Actor, Right
from provisor.security.passwords import Passwords
from provisor.signin.given.store import GivenStore

SHORTEST, LONGEST = 8, 256


class GivenPasswords:
    """``provisor.web.graph.services.Passwords``."""

    def __init__(self, store: GivenStore, passwords: Passwords, clock: Clock) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock

    def check(self, password: str, login: str) -> None:
        """Raise ``InvalidInput`` for one that ``login`` may not have."""
        if not SHORTEST <= len(password) <= LONGEST or "\x00" in password:
            raise InvalidInput(
                f"The specified password does not comply with password complexity requirements: it has {SHORTEST} to "
                f"{LONGEST} characters.",
                hint="Several words make a good one.",
            )
        if login and login.partition("@")[0].lower() == password.lower():
            raise InvalidInput("The specified password does not comply with password complexity requirements.")

    async def give(self, actor: Actor, tenant_id: str, user_id: str, password: str) -> None:
        """Set the password of a user of this tenant."""
        actor.require(Right.DIRECTORY_WRITE, tenant_id)
        await self._store.give(tenant_id, user_id, await self._passwords.hash(password), self._clock.now_ms())
