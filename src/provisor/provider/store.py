"""App side: companies, administrators and API keys in the database."""

from __future__ import annotations

from typing import Any

from provisor.clock import iso
from provisor.errors import Conflict
from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target, differences
from provisor.events.audit.store import SYSTEM, drop_chain, record
from provisor.events.audit.store import company as company_realm
from provisor.provider.model import (
    Administrator,
    ApiKey,
    Company,
    Owner,
    RateLimits,
    ServiceAccount,
    StoredKey,
)
from provisor.security.actor import Actor
from provisor.storage.database import Database, Row, Tx, UniqueViolation
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provider")
_OWNED = (
    "unique_values",
    "secrets",
    "custom_schemas",
    "administrators",
    "keys",
    "service_accounts",
    "oauth_secrets",
    "oauth_clients",
    "requests",
    "webhooks",
    "attributes",
    "members",
    "resources",
    "outbox",
    "outbox_head",
)
_KEY_FIELDS = 11


class CompanyStore:
    """Persistence of ``provisor.provider.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert_company(self, company: Company, administrator: Administrator | None, actor: Actor) -> None:
        """Store a company with its first administrator. Raises ``Conflict`` when the name is taken."""

        async def work(tx: Tx) -> None:
            await tx.execute(
                _SQL["insert_company"], {"id": company.id, "name": company.name, "created_at": company.created_at}
            )
            if administrator is not None:
                await tx.execute(_SQL["insert_administrator"], _administrator_row(administrator))
            entry = NewEntry(activities.ADD_COMPANY, actor, (Target("Company", company.id, company.name),))
            await record(tx, SYSTEM, [entry], at=company.created_at)
            if administrator is not None:
                await _record_person(tx, activities.ADD_ADMINISTRATOR, administrator, actor, company.created_at)

        try:
            await self._database.write(work)
        except UniqueViolation:
            raise Conflict(f"There is a company {company.name!r} already.", hint="Choose another name.") from None

    async def companies(self) -> list[Company]:
        async def work(tx: Tx) -> list[Company]:
            return [_company(row) for row in await tx.fetch_all(_SQL["companies"])]

        return await self._database.read(work)

    async def find_company(self, ref: str) -> list[Company]:
        """Companies with this id or name: none, one, or two when one is named like another's id."""

        async def work(tx: Tx) -> list[Company]:
            return [_company(row) for row in await tx.fetch_all(_SQL["find_company"], {"ref": ref})]

        return await self._database.read(work)

    async def set_limits(self, company_id: str, limits: RateLimits, *, actor: Actor, at: int) -> None:
        """Store how many requests a second a company may make."""

        async def work(tx: Tx) -> None:
            found = await tx.fetch_one(_SQL["find_company"], {"ref": company_id})
            row = {"id": company_id, "credential": limits.credential, "company": limits.company}
            if found is None or not await tx.execute(_SQL["set_limits"], row):
                return
            before = _company(found)
            old = {"credential": before.limits.credential, "company": before.limits.company}
            changed = differences(old, {"credential": limits.credential, "company": limits.company})
            target = Target("Company", company_id, before.name, changed)
            await record(tx, company_realm(company_id), [NewEntry(activities.SET_LIMITS, actor, (target,))], at=at)

        await self._database.write(work)

    async def delete_company(self, company: Company, *, actor: Actor, at: int) -> None:
        """Delete a company with everything that belongs to it. How its audit log ended goes to the system's."""

        async def work(tx: Tx) -> None:
            for table in _OWNED:
                await tx.execute(_SQL[f"delete_company_{table}"], {"id": company.id})
            if not await tx.execute(_SQL["delete_company"], {"id": company.id}):
                return
            chain = await drop_chain(tx, company_realm(company.id))
            ended = {"auditEntries": str(chain.entries), "auditHash": chain.hash}
            target = Target("Company", company.id, company.name)
            await record(tx, SYSTEM, [NewEntry(activities.DELETE_COMPANY, actor, (target,), details=ended)], at=at)

        await self._database.write(work)

    async def administrators(self, company_id: str) -> list[Administrator]:
        async def work(tx: Tx) -> list[Administrator]:
            return await _administrators(tx, company_id)

        return await self._database.read(work)

    async def insert_administrator(self, administrator: Administrator, actor: Actor) -> None:
        """Raises ``Conflict`` when the company has a person of this address."""

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["insert_administrator"], _administrator_row(administrator))
            await _record_person(tx, activities.ADD_ADMINISTRATOR, administrator, actor, administrator.created_at)

        try:
            await self._database.write(work)
        except UniqueViolation:
            raise Conflict(f"{administrator.email} belongs to this company already.") from None

    async def set_admin(self, person: Administrator, is_admin: bool, *, actor: Actor, at: int) -> None:
        """Give or take the Admin permission. Raises ``Conflict`` rather than leave a company without administrator."""

        async def work(tx: Tx) -> None:
            await tx.fetch_one(_SQL["lock_company"], {"id": person.company_id})
            if not is_admin:
                await _require_another(tx, person.company_id, person.id)
            await tx.execute(
                _SQL["set_admin"], {"company_id": person.company_id, "id": person.id, "is_admin": is_admin}
            )
            changed = (Modified("isAdmin", person.is_admin, is_admin),)
            await _record_person(tx, activities.UPDATE_ADMINISTRATOR, person, actor, at, changed)

        await self._database.write(work)

    async def delete_administrator(self, person: Administrator, *, actor: Actor, at: int) -> None:
        """Raises ``Conflict`` rather than leave a company without administrator."""

        async def work(tx: Tx) -> None:
            await tx.fetch_one(_SQL["lock_company"], {"id": person.company_id})
            await _require_another(tx, person.company_id, person.id)
            await tx.execute(_SQL["delete_administrator"], {"company_id": person.company_id, "id": person.id})
            await _record_person(tx, activities.REMOVE_ADMINISTRATOR, person, actor, at)

        await self._database.write(work)

    async def service_accounts(self, company_id: str) -> list[ServiceAccount]:
        async def work(tx: Tx) -> list[ServiceAccount]:
            rows = await tx.fetch_all(_SQL["service_accounts"], {"company_id": company_id})
            return [ServiceAccount(*row) for row in rows]

        return await self._database.read(work)

    async def insert_service_account(self, account: ServiceAccount) -> ServiceAccount:
        """The account of this name, which is ``account`` unless there was one already."""

        async def work(tx: Tx) -> ServiceAccount:
            await tx.execute(
                _SQL["insert_service_account"],
                {
                    "company_id": account.company_id,
                    "id": account.id,
                    "name": account.name,
                    "created_at": account.created_at,
                },
            )
            rows = await tx.fetch_all(_SQL["service_accounts"], {"company_id": account.company_id})
            return next(found for row in rows if (found := ServiceAccount(*row)).name == account.name)

        return await self._database.write(work)

    async def delete_service_account(self, account: ServiceAccount, *, actor: Actor, at: int) -> None:
        async def work(tx: Tx) -> None:
            key = {"company_id": account.company_id, "id": account.id}
            if await tx.execute(_SQL["delete_service_account"], key):
                target = Target("ServiceAccount", account.id, account.name)
                await _record(tx, account.company_id, activities.REMOVE_SERVICE_ACCOUNT, target, actor, at)

        await self._database.write(work)

    async def insert_key(self, key: ApiKey, mac: bytes, actor: Actor) -> None:
        async def work(tx: Tx) -> None:
            await tx.execute(
                _SQL["insert_key"],
                {
                    "id": key.id,
                    "company_id": key.company_id,
                    "administrator_id": key.administrator_id,
                    "service_account_id": key.service_account_id,
                    "name": key.name,
                    "mac": mac,
                    "start": key.start,
                    "dialect": key.dialect,
                    "created_at": key.created_at,
                    "expires_at": key.expires_at,
                },
            )
            facts = (
                Modified("expires", None, iso(key.expires_at)),
                Modified("dialect", None, key.dialect),
                Modified("owner", None, key.administrator_id or key.service_account_id),
            )
            target = Target("ApiKey", key.id, key.name, facts)
            await _record(tx, key.company_id, activities.ADD_KEY, target, actor, key.created_at)

        await self._database.write(work)

    async def keys(self, company_id: str) -> list[tuple[ApiKey, Owner]]:
        async def work(tx: Tx) -> list[tuple[ApiKey, Owner]]:
            rows = await tx.fetch_all(_SQL["keys"], {"company_id": company_id})
            return [(ApiKey(*row[:_KEY_FIELDS]), _owner(row[2], *row[_KEY_FIELDS:])) for row in rows]

        return await self._database.read(work)

    async def key_to_check(self, key_id: str) -> StoredKey | None:
        async def work(tx: Tx) -> StoredKey | None:
            row = await tx.fetch_one(_SQL["key_to_check"], {"id": key_id})
            if row is None:
                return None
            *owner, mac, credential_rate, company_rate = row[_KEY_FIELDS:]
            limits = RateLimits(credential_rate, company_rate)
            return StoredKey(ApiKey(*row[:_KEY_FIELDS]), bytes(mac), _owner(row[2], *owner), limits)

        return await self._database.read(work)

    async def revoke_key(self, key: ApiKey, *, actor: Actor, at: int) -> None:
        async def work(tx: Tx) -> None:
            if await tx.execute(_SQL["revoke_key"], {"company_id": key.company_id, "id": key.id, "at": at}):
                await _record(tx, key.company_id, activities.REVOKE_KEY, Target("ApiKey", key.id, key.name), actor, at)

        await self._database.write(work)

    async def touch_key(self, key_id: str, at: int) -> None:
        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["touch_key"], {"id": key_id, "at": at})

        await self._database.write(work)


async def _record(tx: Tx, company_id: str, activity: Activity, target: Target, actor: Actor, at: int) -> None:
    await record(tx, company_realm(company_id), [NewEntry(activity, actor, (target,))], at=at)


async def _record_person(
    tx: Tx, activity: Activity, person: Administrator, actor: Actor, at: int, changed: tuple[Modified, ...] = ()
) -> None:
    await _record(tx, person.company_id, activity, Target("Administrator", person.id, person.email, changed), actor, at)


def _company(row: Row) -> Company:
    return Company(row[0], row[1], row[2], RateLimits(row[3], row[4]))


def _owner(
    administrator_id: str | None, email: str | None, is_admin: Any, disabled_at: int | None, account: str | None
) -> Owner:
    if administrator_id is None:
        return Owner(account, True, None if account is not None else "was removed")
    if email is None:
        return Owner(None, False, "was removed")
    if disabled_at is not None:
        return Owner(email, False, f"was disabled over SCIM on {iso(disabled_at)[:10]}")
    return Owner(email, False, None if is_admin else "is no longer an administrator of the company")


def _administrator_row(administrator: Administrator) -> dict[str, Any]:
    return {
        "company_id": administrator.company_id,
        "id": administrator.id,
        "email": administrator.email,
        "is_admin": administrator.is_admin,
        "created_at": administrator.created_at,
    }


async def _administrators(tx: Tx, company_id: str) -> list[Administrator]:
    rows = await tx.fetch_all(_SQL["administrators"], {"company_id": company_id})
    return [Administrator(row[0], row[1], row[2], bool(row[3]), row[4], row[5]) for row in rows]


async def _require_another(tx: Tx, company_id: str, administrator_id: str) -> None:
    people = await _administrators(tx, company_id)
    if any(person.acts and person.id != administrator_id for person in people):
        return
    if any(person.id == administrator_id and not person.acts for person in people):
        return
    raise Conflict("This is the company's last administrator.", hint="Make somebody else an administrator first.")
