"""Grants, codes and refresh tokens in the database: hashes of them, since whoever holds the text may use it."""

from __future__ import annotations

from collections.abc import Iterable

from provisor.signin.openid.model import Code, Grant
from provisor.storage.database import Database, Tx
from provisor.storage.queries import id_list, named_queries

_SQL = named_queries("provisor.signin.openid")
_GRANT = 9


class OpenIdStore:
    """Persistence of ``provisor.signin.openid``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tenant(self, ref: str) -> tuple[str, str] | None:
        """A tenant's id and name, by id or domain."""

        async def work(tx: Tx) -> tuple[str, str] | None:
            row = await tx.fetch_one(_SQL["tenant"], {"ref": ref})
            return None if row is None else (row[0], row[1])

        return await self._database.read(work)

    async def insert_code(
        self, hash_: str, grant: Grant, redirect_uri: str, nonce: str | None, challenge: str | None
    ) -> None:
        """A grant with the code that it begins with."""
        row = {
            "hash": hash_,
            "grant_id": grant.id,
            "redirect_uri": redirect_uri,
            "nonce": nonce,
            "challenge": challenge,
            "created_at": grant.created_at,
        }

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["insert_grant"], _grant_row(grant))
            await tx.execute(_SQL["insert_code"], row)

        await self._database.write(work)

    async def use_code(self, hash_: str, at: int) -> tuple[Code, bool] | None:
        """A code, used up by this, and whether it was used before, which revokes all that was given for it.

        Null: there is no such code.
        """

        async def work(tx: Tx) -> tuple[Code, bool] | None:
            row = await tx.fetch_one(_SQL["code"], {"hash": hash_})
            if row is None:
                return None
            code = Code(Grant(*row[:_GRANT]), *row[_GRANT:])
            used_before = await tx.execute(_SQL["use_code"], {"hash": hash_, "at": at}) == 0
            if used_before:
                await tx.execute(_SQL["revoke_grant"], {"id": code.grant.id, "at": at})
            return code, used_before

        return await self._database.write(work)

    async def insert_refresh(self, hash_: str, grant_id: str, at: int) -> None:
        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["insert_refresh"], {"hash": hash_, "grant_id": grant_id, "created_at": at})

        await self._database.write(work)

    async def grant_of_refresh(self, hash_: str) -> Grant | None:
        """What a refresh token belongs to, without using it."""

        async def work(tx: Tx) -> Grant | None:
            row = await tx.fetch_one(_SQL["refresh"], {"hash": hash_})
            return None if row is None else Grant(*row[:_GRANT])

        return await self._database.read(work)

    async def rotate(self, old: str, new: str, grant_id: str, at: int) -> bool:
        """Use a refresh token up and give another one for it; false: it was used before, and all is revoked."""

        async def work(tx: Tx) -> bool:
            if await tx.execute(_SQL["use_refresh"], {"hash": old, "at": at}) == 0:
                await tx.execute(_SQL["revoke_grant"], {"id": grant_id, "at": at})
                return False
            await tx.execute(_SQL["insert_refresh"], {"hash": new, "grant_id": grant_id, "created_at": at})
            return True

        return await self._database.write(work)

    async def revoke(self, grant_id: str, at: int) -> None:
        """Nothing that was given for this grant counts any more."""

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["revoke_grant"], {"id": grant_id, "at": at})

        await self._database.write(work)

    async def purge(self, before: int) -> int:
        """Delete grants that ended before a moment, with their codes and tokens; how many."""

        async def work(tx: Tx) -> int:
            for query in ("purge_codes", "purge_refresh"):
                await tx.execute(_SQL[query], {"before": before})
            return await tx.execute(_SQL["purge_grants"], {"before": before})

        return await self._database.write(work)

    async def approvers(self, tenant_id: str, roles: Iterable[str]) -> tuple[str, ...]:
        """The names of people who have one of these roles and can sign in, at most ten."""

        async def work(tx: Tx) -> tuple[str, ...]:
            rows = await tx.fetch_all(_SQL["approvers"], {"tenant_id": tenant_id, "roles": id_list(roles)})
            return tuple(row[1] for row in rows)

        return await self._database.read(work)

    async def all_keys(self, retired_after: int) -> list[str]:
        """The public keys of every tenant, JWKs as JSON."""

        async def work(tx: Tx) -> list[str]:
            return [row[0] for row in await tx.fetch_all(_SQL["all_keys"], {"retired_after": retired_after})]

        return await self._database.read(work)


def _grant_row(grant: Grant) -> dict[str, str | int | bool]:
    return {
        "id": grant.id,
        "tenant_id": grant.tenant_id,
        "client_id": grant.client_id,
        "user_id": grant.user_id,
        "scope": grant.scope,
        "created_at": grant.created_at,
        "expires_at": grant.expires_at,
        "public": grant.public,
    }
