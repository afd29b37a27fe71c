"""App side, steps 0 and 1: companies, administrators and API keys, and who a SCIM request comes from."""

from __future__ import annotations

import asyncio
import hmac
from datetime import date

import structlog

from provisor.clock import Clock
from provisor.errors import InvalidInput, NotFound, ProvisorError
from provisor.ids import new_id
from provisor.provider import keys
from provisor.provider.model import (
    Administrator,
    ApiKey,
    Company,
    ExpiredKey,
    OwnerNotAdmin,
    Principal,
    RevokedKey,
    StoredKey,
    UnknownKey,
)
from provisor.provider.store import CompanyStore
from provisor.scim import dialect as dialects
from provisor.security.actor import Actor, Realm, Right, rights_of

_CACHE_MS = 1_500  # a revocation by a command must hold in every process within 2 s
_CACHE_ENTRIES = 10_000
_TOUCH_MS = 60_000

_log = structlog.get_logger(__name__)


class Companies:
    """Companies, their administrators and keys. ``pepper`` is the server's secret: without it no key can be checked."""

    def __init__(self, store: CompanyStore, pepper: bytes, clock: Clock) -> None:
        self._store = store
        self._pepper = pepper
        self._clock = clock
        self._key_rights = rights_of(["Company Administrator"])
        # Authorization header -> (principal, until when it may be believed, in ms). Holds valid keys only.
        self._verified: dict[str, tuple[Principal, int]] = {}
        self._touched: dict[str, int] = {}
        self._touching: set[asyncio.Task[None]] = set()

    # Companies -------------------------------------------------------------------------------------------------------

    async def create_company(self, actor: Actor, name: str, admin_email: str | None = None) -> Company:
        """A new company and, with ``admin_email``, its first administrator. Raises ``Conflict`` for a taken name."""
        actor.require(Right.COMPANIES_MANAGE)
        now = self._clock.now_ms()
        company = Company(new_id(), _name(name, "company"), now)
        administrator = admin_email and Administrator(new_id(), company.id, _email(admin_email), True, now)
        await self._store.insert_company(company, administrator or None)
        return company

    async def companies(self, actor: Actor) -> list[Company]:
        """All companies, oldest first."""
        actor.require(Right.COMPANIES_MANAGE)
        return await self._store.companies()

    async def find_company(self, actor: Actor, ref: str | None = None) -> Company:
        """A company by id or name; ``None`` is the only one. Raises ``NotFound``, or ``InvalidInput`` if unclear."""
        if ref is None:
            found = await self._store.companies()
            if len(found) > 1:
                raise InvalidInput(
                    "There are several companies.",
                    hint=f"Name one: {', '.join(company.name for company in found[:10])}.",
                )
        else:
            found = await self._store.find_company(ref)
            # An id wins over another company's name that looks like it.
            found.sort(key=lambda company: company.id != ref)
        if not found:
            what = "no company yet" if ref is None else f"no company {ref!r}"
            raise NotFound(f"There is {what}.", hint="Create one with 'provisor company create NAME'.")
        actor.require(Right.COMPANY_READ, found[0].id)
        return found[0]

    async def delete_company(self, actor: Actor, ref: str) -> Company:
        """Delete a company with its people, keys, users, groups and outbox."""
        actor.require(Right.COMPANIES_MANAGE)
        company = await self.find_company(actor, ref)
        await self._store.delete_company(company.id)
        self._verified.clear()
        return company

    # Administrators --------------------------------------------------------------------------------------------------

    async def administrators(self, actor: Actor, company_id: str) -> list[Administrator]:
        """A company's people, oldest first."""
        actor.require(Right.COMPANY_READ, company_id)
        return await self._store.administrators(company_id)

    async def add_administrator(self, actor: Actor, company_id: str, email: str) -> Administrator:
        """One more administrator. Raises ``Conflict`` when the address belongs to the company already."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        administrator = Administrator(new_id(), company_id, _email(email), True, self._clock.now_ms())
        await self._store.insert_administrator(administrator)
        return administrator

    async def set_admin(self, actor: Actor, company_id: str, email: str, is_admin: bool) -> None:
        """Give or take the Admin permission, which the person's keys need too. The last one cannot lose it."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        person = await self._person(company_id, email)
        await self._store.set_admin(company_id, person.id, is_admin)
        self._verified.clear()

    async def remove_administrator(self, actor: Actor, company_id: str, email: str) -> None:
        """Remove a person; their keys stop working. Raises ``Conflict`` for the last administrator."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        person = await self._person(company_id, email)
        await self._store.delete_administrator(company_id, person.id)
        self._verified.clear()

    # API keys --------------------------------------------------------------------------------------------------------

    async def create_key(
        self,
        actor: Actor,
        company_id: str,
        *,
        name: str,
        expires: date | str,
        administrator: str | None = None,
        dialect: str = dialects.DEFAULT,
    ) -> tuple[ApiKey, str]:
        """A key and its text, which is shown this once.

        It works to the end of the day ``expires`` (UTC). It acts as ``administrator`` (an address), else as the
        company's first administrator, else, when there is nobody, as the company's service account. ``dialect`` says
        what is tolerated of whoever uses it. Raises ``InvalidInput`` and ``NotFound``.
        """
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        dialects.dialect(dialect)
        now = self._clock.now_ms()
        expires_at = keys.expiry(expires, now)
        owner = await self._owner(company_id, administrator)
        key_id, text = keys.make()
        key = ApiKey(
            id=key_id,
            company_id=company_id,
            administrator_id=owner.id if owner else None,
            name=_name(name, "key"),
            start=keys.start_of(text),
            dialect=dialect,
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
            last_used_at=None,
        )
        await self._store.insert_key(key, keys.mac(text, self._pepper))
        return key, text

    async def keys(self, actor: Actor, company_id: str) -> list[ApiKey]:
        """A company's keys, oldest first, revoked and expired ones included."""
        actor.require(Right.COMPANY_READ, company_id)
        return await self._store.keys(company_id)

    async def revoke_key(self, actor: Actor, company_id: str, ref: str) -> ApiKey:
        """Revoke a key, named by its id or its name, at once here and within 2 s in every other process."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        key = await self._key(company_id, ref)
        await self._store.revoke_key(company_id, key.id, self._clock.now_ms())
        self._verified.clear()
        return key

    async def rotate_key(self, actor: Actor, company_id: str, ref: str, *, expires: date | str) -> tuple[ApiKey, str]:
        """A second key of the same name, owner and dialect. The first goes on until it expires or is revoked."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        key = await self._key(company_id, ref)
        people = {person.id: person.email for person in await self._store.administrators(company_id)}
        owner = people.get(key.administrator_id or "")
        return await self.create_key(
            actor, company_id, name=key.name, expires=expires, administrator=owner, dialect=key.dialect
        )

    async def authenticate(self, header: str | None) -> Principal:
        """Who an ``Authorization`` header stands for.

        Raises ``Unauthenticated`` (its subclass says why: 401) or ``OwnerNotAdmin`` (403).
        """
        now = self._clock.now_ms()
        known = self._verified.get(header or "")
        if known is not None and now < known[1]:
            return known[0]
        key_id, text = keys.read_header(header)
        stored = await self._store.key_to_check(key_id)
        if stored is None or not hmac.compare_digest(stored.mac, keys.mac(text, self._pepper)):
            raise UnknownKey(hint="It may have been deleted with its company, or belong to another server.")
        self._require_valid(stored, now)
        key = stored.key
        principal = Principal(
            key.company_id, Actor(Realm("company", key.company_id), key.id, self._key_rights), key.id, key.dialect
        )
        if len(self._verified) >= _CACHE_ENTRIES:
            self._verified.clear()
        self._verified[header or ""] = (principal, min(now + _CACHE_MS, key.expires_at))
        self._touch(key, now)
        return principal

    async def close(self) -> None:
        """Wait for what is still being noted in the background; call before the database closes."""
        if self._touching:
            await asyncio.gather(*self._touching)

    @staticmethod
    def _require_valid(stored: StoredKey, now: int) -> None:
        key = stored.key
        if key.revoked_at is not None:
            raise RevokedKey(f"The API key {key.name!r} was revoked.", hint="Create a new one and enter it there.")
        if now >= key.expires_at:
            raise ExpiredKey(
                f"The API key {key.name!r} expired at the end of {key.expires_on} (UTC).",
                hint="Create a new one and enter it there.",
            )
        if key.administrator_id is not None and not stored.owner_is_admin:
            raise OwnerNotAdmin(
                f"The API key {key.name!r} acts as {stored.owner or 'somebody who was removed'}, who is no longer an "
                "administrator of the company.",
                hint="Make that person an administrator again, or create a key of another administrator.",
            )

    def _touch(self, key: ApiKey, now: int) -> None:
        """Note the last use, at most once a minute, without making the request wait for it."""
        if now - max(self._touched.get(key.id, 0), key.last_used_at or 0) < _TOUCH_MS:
            return
        self._touched[key.id] = now
        task = asyncio.create_task(self._note_use(key.id, now))
        self._touching.add(task)
        task.add_done_callback(self._touching.discard)

    async def _note_use(self, key_id: str, now: int) -> None:
        try:
            await self._store.touch_key(key_id, now)
        except ProvisorError as error:
            _log.warning("key_use_not_noted", key=key_id, error=str(error))

    async def _owner(self, company_id: str, email: str | None) -> Administrator | None:
        if email is not None:
            person = await self._person(company_id, email)
            if not person.is_admin:
                raise InvalidInput(f"{person.email} is not an administrator.", hint="Keys act as an administrator.")
            return person
        people = await self._store.administrators(company_id)
        return next((person for person in people if person.is_admin), None)

    async def _person(self, company_id: str, email: str) -> Administrator:
        wanted = _email(email)
        for person in await self._store.administrators(company_id):
            if person.email == wanted:
                return person
        raise NotFound(f"{wanted} does not belong to this company.", hint="List its people with 'provisor role list'.")

    async def _key(self, company_id: str, ref: str) -> ApiKey:
        found = await self._store.keys(company_id)
        matches = [key for key in found if key.id == ref] or [
            key for key in found if key.name == ref and key.revoked_at is None
        ]
        if not matches:
            raise NotFound(f"The company has no key {ref!r}.", hint="List its keys with 'provisor apikey list'.")
        if len(matches) > 1:
            raise InvalidInput(
                f"Several keys are named {ref!r}.", hint=f"Use an id: {', '.join(k.id for k in matches)}."
            )
        return matches[0]


def _name(text: str, what: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidInput(f"A {what} needs a name.")
    return text


def _email(text: str) -> str:
    text = text.strip().lower()
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or any(character.isspace() for character in text):
        raise InvalidInput(f"{text!r} is not an e-mail address.", hint="Write it as name@example.org.")
    return text
