"""Client secrets, their door: ``addPassword`` and ``removePassword``, and the check that the authority makes.

A secret has 30 random characters and more, so a keyed hash of it is enough: nobody guesses it, and the check costs no
time. It is shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from provisor.applications.errors import PasswordNotFound
from provisor.applications.model import ServicePrincipal
from provisor.applications.passwords.model import NewPassword, Password
from provisor.applications.passwords.store import PasswordStore
from provisor.applications.registrations.model import Application
from provisor.clock import Clock
from provisor.errors import Forbidden, InvalidInput
from provisor.events.audit.model import Target
from provisor.ids import new_id
from provisor.security.actor import Actor, Right

YEAR_MS = 365 * 24 * 3_600_000
_TWO_YEARS = 2 * YEAR_MS
_HINT = 3


class Passwords:
    """Client secrets of applications and service principals. ``pepper``: the key of their hashes."""

    def __init__(self, store: PasswordStore, pepper: bytes, clock: Clock) -> None:
        self._store = store
        self._pepper = pepper
        self._clock = clock

    async def add(
        self,
        actor: Actor,
        holder: Application | ServicePrincipal,
        *,
        display_name: str | None = None,
        start_at: int | None = None,
        end_at: int | None = None,
    ) -> NewPassword:
        """A new secret of an application or a service principal; it counts for two years by default.

        Raises ``InvalidInput`` for a time in which it never counts, ``TooManyPasswords``.
        """
        actor.require(Right.APPLICATIONS_WRITE, holder.tenant_id)
        now = self._clock.now_ms()
        begins = now if start_at is None else start_at
        ends = begins + _TWO_YEARS if end_at is None else end_at
        if ends <= max(begins, now):
            raise InvalidInput("The client secret would end before it begins.", hint="Give a later endDateTime.")
        if display_name is not None and len(display_name) > 256:
            raise InvalidInput("The name of a client secret has at most 256 characters.")
        text = _text()
        password = Password(new_id(), display_name, text[:_HINT], begins, ends)
        mac = self._mac(holder.app_id, text)
        where, app_id = holder.tenant_id, holder.app_id
        await self._store.insert(where, _target(holder), app_id, password, mac, actor=actor, at=now)
        return NewPassword(password, text)

    async def remove(self, actor: Actor, holder: Application | ServicePrincipal, key_id: str) -> None:
        """Forget a secret: it does not count from now on. Raises ``PasswordNotFound``."""
        actor.require(Right.APPLICATIONS_WRITE, holder.tenant_id)
        now = self._clock.now_ms()
        if not await self._store.delete(holder.tenant_id, _target(holder), key_id, actor=actor, at=now):
            raise PasswordNotFound(f"No password credential found with keyId {key_id!r}.")

    async def of(self, actor: Actor, tenant_id: str, object_ids: Iterable[str]) -> dict[str, list[Password]]:
        """Object id -> what is known of its secrets, the oldest first."""
        actor.require(Right.APPLICATIONS_READ, tenant_id)
        return await self._store.of(object_ids)

    async def verify(self, actor: Actor, tenant_id: str, app_id: str, text: str) -> str | None:
        """For the authority: the key id of the secret that ``text`` is, null when it is none of this application's.

        In a tenant those of the application itself count, and those of its service principal there.
        """
        _require_authority(actor)
        mac = self._mac(app_id, text)
        found = None
        for key_id, known in await self._store.of_app(app_id, tenant_id, self._clock.now_ms()):
            if hmac.compare_digest(known, mac):
                found = key_id
        return found

    async def still_counts(self, actor: Actor, key_id: str) -> bool:
        """For the authority: does the secret that a token was given for still count?"""
        _require_authority(actor)
        return await self._store.still_counts(key_id, self._clock.now_ms())

    def _mac(self, app_id: str, text: str) -> bytes:
        return hmac.digest(self._pepper, f"{app_id}\n{text}".encode(), hashlib.sha256)


def _target(holder: Application | ServicePrincipal) -> Target:
    kind = "Application" if isinstance(holder, Application) else "ServicePrincipal"
    return Target(kind, holder.id, holder.display_name)


def _require_authority(actor: Actor) -> None:
    if actor.realm.kind != "system":
        raise Forbidden("Only the authority checks client secrets.")


def _text() -> str:
    # In Entra's shape: three characters that people tell secrets apart by, a mark that scanners for leaked secrets
    # know, and the rest.
    return f"{secrets.token_urlsafe(8)[:_HINT]}8Q~{secrets.token_urlsafe(32)[:34]}"
