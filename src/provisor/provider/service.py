"""App side, steps 0 and 1: companies, administrators and API keys, and who a SCIM request comes from."""

from __future__ import annotations

import hmac
from datetime import date

from provisor.clock import Clock
from provisor.errors import Conflict, InvalidInput, NotFound
from provisor.ids import new_id
from provisor.provider import keys
from provisor.provider.model import (
    Administrator,
    ApiKey,
    Company,
    ExpiredKey,
    ListedKey,
    Owner,
    OwnerGone,
    OwnerNotAdmin,
    Principal,
    RateLimits,
    RevokedKey,
    ServiceAccount,
    StoredKey,
    UnknownKey,
)
from provisor.provider.store import CompanyStore
from provisor.provider.verified import Verified
from provisor.scim import dialect as dialects
from provisor.security.actor import Actor, Realm, Right, rights_of

# Whose key it is where a company has no administrator.
DEFAULT_ACCOUNT = "provisioning"
# A key is worth a warning this long before it expires.
_SOON_MS = 14 * 24 * 3_600_000
# What Entra expects a SCIM endpoint to take, requests a second.
EXPECTED_RATE = 25


class Companies:
    """Companies, their administrators and keys. ``pepper`` is the server's secret: without it no key can be checked."""

    def __init__(self, store: CompanyStore, pepper: bytes, clock: Clock) -> None:
        self._store = store
        self._pepper = pepper
        self._clock = clock
        self._key_rights = rights_of(["Company Administrator"])
        self._verified = Verified(store.touch_key)

    # Companies -------------------------------------------------------------------------------------------------------

    async def create_company(self, actor: Actor, name: str, admin_email: str | None = None) -> Company:
        """A new company and, with ``admin_email``, its first administrator. Raises ``Conflict`` for a taken name."""
        actor.require(Right.COMPANIES_MANAGE)
        now = self._clock.now_ms()
        company = Company(new_id(), _name(name, "company"), now)
        administrator = admin_email and Administrator(new_id(), company.id, _email(admin_email), True, now)
        await self._store.insert_company(company, administrator or None, actor)
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

    async def set_limits(self, actor: Actor, company_id: str, limits: RateLimits) -> str | None:
        """How many requests a second may be made, from the next seconds on. A warning for too low a limit, or null.

        Only the operator sets limits: they protect the server from the company. Raises ``InvalidInput``.
        """
        actor.require(Right.COMPANIES_MANAGE)
        given = [rate for rate in (limits.credential, limits.company) if rate is not None]
        if any(rate < 1 for rate in given):
            raise InvalidInput("A limit is at least 1 request a second.", hint="Leave it off for no limit.")
        await self._store.set_limits(company_id, limits, actor=actor, at=self._clock.now_ms())
        self._verified.forget()
        if not given or min(given) >= EXPECTED_RATE:
            return None
        return f"Entra ID expects a SCIM endpoint to take {EXPECTED_RATE} requests a second; {min(given)} is less."

    async def delete_company(self, actor: Actor, ref: str) -> Company:
        """Delete a company with its people, keys, users, groups and outbox."""
        actor.require(Right.COMPANIES_MANAGE)
        company = await self.find_company(actor, ref)
        await self._store.delete_company(company, actor=actor, at=self._clock.now_ms())
        self._verified.forget()
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
        await self._store.insert_administrator(administrator, actor)
        return administrator

    async def set_admin(self, actor: Actor, company_id: str, email: str, is_admin: bool) -> None:
        """Give or take the Admin permission, which the person's keys need too. The last one cannot lose it."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        person = await self._person(company_id, email)
        await self._store.set_admin(person, is_admin, actor=actor, at=self._clock.now_ms())
        self._verified.forget()

    async def remove_administrator(self, actor: Actor, company_id: str, email: str) -> None:
        """Remove a person; their keys stop working. Raises ``Conflict`` for the last administrator."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        person = await self._person(company_id, email)
        await self._store.delete_administrator(person, actor=actor, at=self._clock.now_ms())
        self._verified.forget()

    # Service accounts -------------------------------------------------------------------------------------------------

    async def service_accounts(self, actor: Actor, company_id: str) -> list[ServiceAccount]:
        """A company's service accounts, oldest first."""
        actor.require(Right.COMPANY_READ, company_id)
        return await self._store.service_accounts(company_id)

    async def remove_service_account(self, actor: Actor, company_id: str, name: str) -> ServiceAccount:
        """Remove a service account; its keys stop working. Raises ``NotFound``."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        for account in await self._store.service_accounts(company_id):
            if account.name == name:
                await self._store.delete_service_account(account, actor=actor, at=self._clock.now_ms())
                self._verified.forget()
                return account
        raise NotFound(
            f"The company has no service account {name!r}.", hint="'provisor apikey list' says whose the keys are."
        )

    # API keys --------------------------------------------------------------------------------------------------------

    async def create_key(
        self,
        actor: Actor,
        company_id: str,
        *,
        name: str,
        expires: date | str,
        administrator: str | None = None,
        service_account: str | None = None,
        dialect: str = dialects.DEFAULT,
    ) -> tuple[ApiKey, str]:
        """A key and its text, which is shown this once.

        It works to the end of the day ``expires`` (UTC). It belongs to ``administrator`` (an address) or to
        ``service_account`` (a name; made where it is missing), else to the company's first administrator, else, when
        there is nobody, to the service account ``provisioning``. ``dialect`` says what is tolerated of whoever uses
        it. Raises ``InvalidInput`` and ``NotFound``.
        """
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        dialects.dialect(dialect)
        now = self._clock.now_ms()
        expires_at = keys.expiry(expires, now)
        person, account = await self._key_owner(company_id, administrator, service_account)
        key_id, text = keys.make()
        key = ApiKey(
            id=key_id,
            company_id=company_id,
            administrator_id=person.id if person else None,
            service_account_id=account.id if account else None,
            name=_name(name, "key"),
            start=keys.start_of(text),
            dialect=dialect,
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
            last_used_at=None,
        )
        await self._store.insert_key(key, keys.mac(text, self._pepper), actor)
        return key, text

    async def keys(self, actor: Actor, company_id: str) -> list[ApiKey]:
        """A company's keys, oldest first, revoked and expired ones included."""
        return [listed.key for listed in await self.listed_keys(actor, company_id)]

    async def listed_keys(self, actor: Actor, company_id: str) -> list[ListedKey]:
        """The same, each with its owner and what there is to know of it."""
        actor.require(Right.COMPANY_READ, company_id)
        now = self._clock.now_ms()
        found = await self._store.keys(company_id)
        return [ListedKey(key, owner, _warning(key, owner, now)) for key, owner in found]

    async def revoke_key(self, actor: Actor, company_id: str, ref: str) -> ApiKey:
        """Revoke a key, named by its id or its name, at once here and within 2 s in every other process."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        key = await self._key(company_id, ref)
        await self._store.revoke_key(key, actor=actor, at=self._clock.now_ms())
        self._verified.forget()
        return key

    async def rotate_key(self, actor: Actor, company_id: str, ref: str, *, expires: date | str) -> tuple[ApiKey, str]:
        """A second key of the same name, owner and dialect. The first goes on until it expires or is revoked.

        Raises ``Conflict`` when the owner is gone or cannot act any more.
        """
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        key = await self._key(company_id, ref)
        owner = next(owner for found, owner in await self._store.keys(company_id) if found.id == key.id)
        if owner.trouble is not None:
            raise Conflict(
                f"The key {key.name!r} belongs to {owner.name or 'somebody'}, who {owner.trouble}.",
                hint="Create a key of another administrator or of a service account instead.",
            )
        return await self.create_key(
            actor,
            company_id,
            name=key.name,
            expires=expires,
            administrator=None if owner.is_service_account else owner.name,
            service_account=owner.name if owner.is_service_account else None,
            dialect=key.dialect,
        )

    async def authenticate(self, header: str | None) -> Principal:
        """Who an ``Authorization`` header stands for.

        Raises ``Unauthenticated`` (its subclass says why: 401), ``OwnerNotAdmin`` or ``OwnerGone`` (403).
        """
        now = self._clock.now_ms()
        known = self._verified.get(header, now)
        if known is not None:
            return known
        key_id, text = keys.read_header(header)
        stored = await self._store.key_to_check(key_id)
        if stored is None or not hmac.compare_digest(stored.mac, keys.mac(text, self._pepper)):
            raise UnknownKey(hint="It may have been deleted with its company, or belong to another server.")
        self._require_valid(stored, now)
        key = stored.key
        actor = Actor(Realm("company", key.company_id), key.id, self._key_rights)
        principal = Principal(key.company_id, actor, key.id, key.dialect, stored.limits)
        self._verified.remember(header or "", principal, now, key.expires_at, key.last_used_at)
        return principal

    async def close(self) -> None:
        """Wait for what is still being noted in the background; call before the database closes."""
        await self._verified.close()

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
        owner = stored.owner
        if owner.trouble is None:
            return
        if owner.is_service_account:
            raise OwnerGone(
                f"The service account of the API key {key.name!r} was removed.",
                hint="Create a key of another service account or of an administrator.",
            )
        raise OwnerNotAdmin(
            f"The API key {key.name!r} acts as {owner.name or 'somebody'}, who {owner.trouble}.",
            hint="Make that person an administrator again, or create a key of another one or of a service account.",
        )

    async def _key_owner(
        self, company_id: str, email: str | None, account: str | None
    ) -> tuple[Administrator | None, ServiceAccount | None]:
        if email is not None and account is not None:
            raise InvalidInput("A key belongs to a person or to a service account, not to both.")
        if account is None:
            person = await self._owner(company_id, email)
            if person is not None:
                return person, None
        wanted = ServiceAccount(
            new_id(), company_id, _name(account or DEFAULT_ACCOUNT, "service account"), self._clock.now_ms()
        )
        return None, await self._store.insert_service_account(wanted)

    async def _owner(self, company_id: str, email: str | None) -> Administrator | None:
        if email is not None:
            person = await self._person(company_id, email)
            if not person.acts:
                why = "was disabled over SCIM" if person.is_admin else "is not an administrator"
                raise InvalidInput(f"{person.email} {why}.", hint="Keys act as an administrator.")
            return person
        people = await self._store.administrators(company_id)
        return next((person for person in people if person.acts), None)

    async def _person(self, company_id: str, email: str) -> Administrator:
        wanted = _email(email)
        for person in await self._store.administrators(company_id):
            if person.email == wanted:
                return person
        raise NotFound(f"{wanted} does not belong to this company.", hint="List its people with 'provisor role list'.")

    async def _key(self, company_id: str, ref: str) -> ApiKey:
        found = [key for key, _ in await self._store.keys(company_id)]
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


def _warning(key: ApiKey, owner: Owner, now: int) -> str | None:
    """What an administrator should know of a key that is still in use."""
    if key.revoked_at is not None or now >= key.expires_at:
        return None
    if owner.trouble is not None:
        whose = owner.name or ("its service account" if owner.is_service_account else "its owner")
        return f"It does not work: {whose} {owner.trouble}."
    if key.expires_at - now < _SOON_MS:
        return f"It expires at the end of {key.expires_on} (UTC): rotate it."
    return None


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
