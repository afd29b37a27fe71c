"""A signed-in browser: sessions are kept here, the browser only has a random cookie, of which a hash is kept.

A session ends after two hours without a request, after a day in any case, with a sign-out, with a new password, and
when its person may not sign in any more. What the person may do is read anew: a role that is taken away is gone from
the next request on, in another process within two seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from provisor.clock import Clock
from provisor.security.actor import Actor
from provisor.signin.model import Session
from provisor.signin.people import Person, PersonKey
from provisor.signin.secrets import derived, hashed, make_secret
from provisor.signin.store import SessionRow, SignInStore

IDLE_MS = 2 * 3_600_000
LONGEST_MS = 24 * 3_600_000

# The names of the cookies, by the realm's kind.
COOKIES = {"tenant": "provisor_session", "company": "provisor_company"}

_CACHE_MS = 1_500
_KNOWN = 10_000
_TOUCH_MS = 60_000
_VALUE_LENGTH = 43
_LONGEST_TEXT = 256


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a browser is: its address and what it calls itself, for the list of a person's sessions."""

    address: str
    user_agent: str = ""


class Sessions:
    """Sessions of both portals."""

    def __init__(self, store: SignInStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, tuple[Session, int]] = {}

    async def create(self, key: PersonKey, origin: Origin) -> str:
        """Begin a session of a person who has proved who they are; the cookie's value."""
        value, now = make_secret(), self._clock.now_ms()
        await self._store.insert_session(
            SessionRow(hashed(value), key, now, now, origin.address, origin.user_agent[:_LONGEST_TEXT])
        )
        return value

    async def find(self, value: str | None) -> Session | None:
        """The session of a cookie's value; null where there is none, or none any more."""
        if value is None or len(value) != _VALUE_LENGTH or not value.isascii():
            return None
        now = self._clock.now_ms()
        known = self._known.get(value)
        if known is not None and now < known[1]:
            return known[0]
        found = await self._store.session(hashed(value))
        if found is None:
            return None
        row, person = found
        if person is None or not _holds(row, person, now):
            await self._store.delete_session(row.hash)
            return None
        if now - row.seen_at >= _TOUCH_MS:
            await self._store.touch_session(row.hash, now)
        session = _session(row, person, value)
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[value] = (session, now + _CACHE_MS)
        return session

    async def end(self, value: str | None) -> None:
        """Sign a browser out. What was no session is none afterwards either."""
        if value:
            self.forget()
            await self._store.delete_session(hashed(value))

    async def end_all(self, key: PersonKey) -> None:
        """Sign a person out everywhere."""
        self.forget()
        await self._store.delete_sessions_of(key)

    async def sessions_of(self, actor: Actor, key: PersonKey) -> list[SessionRow]:
        """One's own sessions, the latest first; nobody else's."""
        if (actor.realm.kind, actor.realm.id, actor.subject) != (key.kind, key.realm_id, key.subject_id):
            return []
        return await self._store.sessions_of(key)

    async def purge(self) -> int:
        """Delete the sessions that have ended by themselves; how many."""
        now = self._clock.now_ms()
        return await self._store.delete_old_sessions(seen_before=now - IDLE_MS, created_before=now - LONGEST_MS)

    def forget(self) -> None:
        """Look everything up again: something was ended or taken away in this process."""
        self._known.clear()


def _holds(row: SessionRow, person: Person, now: int) -> bool:
    return (
        person.active
        and now - row.seen_at < IDLE_MS
        and now - row.created_at < LONGEST_MS
        and row.created_at >= person.not_before
    )


def _session(row: SessionRow, person: Person, value: str) -> Session:
    return Session(
        id=row.hash,
        kind=person.key.kind,
        realm_id=person.key.realm_id,
        realm_name=person.realm_name,
        subject_id=person.key.subject_id,
        name=person.name,
        actor=person.actor,
        csrf=derived(value, "csrf"),
    )
