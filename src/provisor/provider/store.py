"""App side: companies, administrators and API keys in the database."""

from __future__ import annotations

from typing import Any

from provisor.errors import Conflict
from provisor.provider.model import Administrator, ApiKey, Company, StoredKey
from provisor.storage.database import Database, Tx, UniqueViolation
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provider")
_OWNED = ("administrators", "keys", "attributes", "members", "resources", "outbox", "outbox_head")


class CompanyStore:
    """Persistence of ``provisor.provider.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert_company(self, company: Company, administrator: Administrator | None) -> None:
        """Store a company with its first administrator. Raises ``Conflict`` when the name is taken."""

        async def work(tx: Tx) -> None:
            await tx.execute(
                _SQL["insert_company"], {"id": company.id, "name": company.name, "created_at": company.created_at}
            )
            if administrator is not None:
                await tx.execute(_SQL["insert_administrator"], _administrator_row(administrator))

        try:
            await self._database.write(work)
        except UniqueViolation:
            raise Conflict(f"There is a company {company.name!r} already.", hint="Choose another name.") from None

    async def companies(self) -> list[Company]:
        async def work(tx: Tx) -> list[Company]:
            return [Company(*row) for row in await tx.fetch_all(_SQL["companies"])]

        return await self._database.read(work)

    async def find_company(self, ref: str) -> list[Company]:
        """Companies with this id or name: none, one, or two when one is named like another's id."""

        async def work(tx: Tx) -> list[Company]:
            return [Company(*row) for row in await tx.fetch_all(_SQL["find_company"], {"ref": ref})]

        return await self._database.read(work)

    async def delete_company(self, company_id: str) -> None:
        """Delete a company with everything that belongs to it."""

        async def work(tx: Tx) -> None:
            for table in _OWNED:
                await tx.execute(_SQL[f"delete_company_{table}"], {"id": company_id})
            await tx.execute(_SQL["delete_company"], {"id": company_id})

        await self._database.write(work)

    async def administrators(self, company_id: str) -> list[Administrator]:
        async def work(tx: Tx) -> list[Administrator]:
            return await _administrators(tx, company_id)

        return await self._database.read(work)

    async def insert_administrator(self, administrator: Administrator) -> None:
        """Raises ``Conflict`` when the company has a person of this address."""

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["insert_administrator"], _administrator_row(administrator))

        try:
            await self._database.write(work)
        except UniqueViolation:
            raise Conflict(f"{administrator.email} belongs to this company already.") from None

    async def set_admin(self, company_id: str, administrator_id: str, is_admin: bool) -> None:
        """Give or take the Admin permission. Raises ``Conflict`` rather than leave a company without administrator."""

        async def work(tx: Tx) -> None:
            await tx.fetch_one(_SQL["lock_company"], {"id": company_id})
            if not is_admin:
                await _require_another(tx, company_id, administrator_id)
            await tx.execute(
                _SQL["set_admin"], {"company_id": company_id, "id": administrator_id, "is_admin": is_admin}
            )

        await self._database.write(work)

    async def delete_administrator(self, company_id: str, administrator_id: str) -> None:
        """Raises ``Conflict`` rather than leave a company without administrator."""

        async def work(tx: Tx) -> None:
            await tx.fetch_one(_SQL["lock_company"], {"id": company_id})
            await _require_another(tx, company_id, administrator_id)
            await tx.execute(_SQL["delete_administrator"], {"company_id": company_id, "id": administrator_id})

        await self._database.write(work)

    async def insert_key(self, key: ApiKey, mac: bytes) -> None:
        async def work(tx: Tx) -> None:
            await tx.execute(
                _SQL["insert_key"],
                {
                    "id": key.id,
                    "company_id": key.company_id,
                    "administrator_id": key.administrator_id,
                    "name": key.name,
                    "mac": mac,
                    "start": key.start,
                    "dialect": key.dialect,
                    "created_at": key.created_at,
                    "expires_at": key.expires_at,
                },
            )

        await self._database.write(work)

    async def keys(self, company_id: str) -> list[ApiKey]:
        async def work(tx: Tx) -> list[ApiKey]:
            return [ApiKey(*row) for row in await tx.fetch_all(_SQL["keys"], {"company_id": company_id})]

        return await self._database.read(work)

    async def key_to_check(self, key_id: str) -> StoredKey | None:
        async def work(tx: Tx) -> StoredKey | None:
            row = await tx.fetch_one(_SQL["key_to_check"], {"id": key_id})
            if row is None:
                return None
            *key, mac, owner, owner_is_admin = row
            return StoredKey(ApiKey(*key), bytes(mac), owner, None if owner_is_admin is None else bool(owner_is_admin))

        return await self._database.read(work)

    async def revoke_key(self, company_id: str, key_id: str, at: int) -> None:
        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["revoke_key"], {"company_id": company_id, "id": key_id, "at": at})

        await self._database.write(work)

    async def touch_key(self, key_id: str, at: int) -> None:
        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["touch_key"], {"id": key_id, "at": at})

        await self._database.write(work)


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
    return [Administrator(row[0], row[1], row[2], bool(row[3]), row[4]) for row in rows]


async def _require_another(tx: Tx, company_id: str, administrator_id: str) -> None:
    people = await _administrators(tx, company_id)
    if any(person.is_admin and person.id != administrator_id for person in people):
        return
    if any(person.id == administrator_id and not person.is_admin for person in people):
        return
    raise Conflict("This is the company's last administrator.", hint="Make somebody else an administrator first.")
