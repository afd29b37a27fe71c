"""Upkeep: what goes after its time, what goes with a tenant, and what is sealed anew."""

from __future__ import annotations

from typing import Any

import msgspec

from provisor.app.upkeep.ownership import RealmKind, deletions, of_a_job
from provisor.events.audit import activities
from provisor.events.audit.model import NewEntry, Target
from provisor.events.audit.store import SYSTEM, drop_chain, realm_key, record
from provisor.security.actor import Actor, Realm
from provisor.security.secrets import MasterKey, Sealer
from provisor.security.store import put_key
from provisor.storage.database import Database, Tx
from provisor.storage.queries import id_list, named_queries

_SQL = named_queries("provisor.app.upkeep")
_SEALED = (
    ("job_secrets", "seal_job_secret"),
    ("webhooks", "seal_webhook"),
    ("signing_keys", "seal_signing_key"),
    ("totps", "seal_totp"),
)


class UpkeepStore:
    """Works on tables of several domains at once; nothing else does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tenants(self) -> list[str]:
        return [row[0] for row in await self._database.read(lambda tx: tx.fetch_all(_SQL["tenants"]))]

    async def expire_feed(self, tenant_id: str, before: int, limit: int) -> int:
        """Delete up to ``limit`` of the feed's entries from before that moment; how many. Who has not read them is set
        back to a full cycle in the same commit."""

        async def work(tx: Tx) -> int:
            row = await tx.fetch_one(_SQL["feed_end"], {"tenant_id": tenant_id, "before": before})
            if row is None or row[0] is None:
                return 0
            key = {"tenant_id": tenant_id, "seq": row[0]}
            await tx.execute(_SQL["raise_floor"], key)
            await tx.execute(_SQL["restart_behind"], key)
            return await tx.execute(_SQL["expire_feed"], {**key, "limit": limit})

        return await self._database.write(work)

    async def old_outboxes(self, before: int) -> list[str]:
        """Companies whose outbox begins with a change from before that moment."""
        rows = await self._database.read(lambda tx: tx.fetch_all(_SQL["old_outboxes"], {"before": before}))
        return [row[0] for row in rows]

    async def expire_outbox(self, company_id: str, before: int, limit: int) -> int:
        """Delete up to ``limit`` of a company's changes from before that moment, oldest first; how many. What a webhook
        has not taken stays, unless that has taken nothing since and does not now."""
        params = {"company_id": company_id, "before": before, "limit": limit}
        return await self._database.write(lambda tx: tx.execute(_SQL["expire_outbox"], params))

    async def expire_outcomes(self, before: int, limit: int) -> int:
        """Delete the outcomes of up to ``limit`` cycles that ended before; of how many cycles."""
        return await self._expire("cycles_with_outcomes", before, limit, ("expire_outcomes",))

    async def expire_cycles(self, before: int, limit: int) -> int:
        """Delete up to ``limit`` cycles that ended before; how many. Each job keeps its last one."""
        return await self._expire("old_cycles", before, limit, ("expire_outcomes", "expire_cycles"))

    async def _expire(self, find: str, before: int, limit: int, statements: tuple[str, ...]) -> int:
        async def work(tx: Tx) -> int:
            rows = await tx.fetch_all(_SQL[find], {"before": before, "limit": limit})
            ids = {"ids": id_list(row[0] for row in rows)}
            for statement in statements if rows else ():
                await tx.execute(_SQL[statement], ids)
            return len(rows)

        return await self._database.write(work)

    async def remove_tenant(self, tenant_id: str, name: str, *, actor: Actor, at: int) -> None:
        """Remove a tenant with all that is its own; the system's audit log tells how its own ended."""
        params = _params("tenant", tenant_id)

        async def work(tx: Tx) -> None:
            for statement in deletions("tenant"):
                await tx.execute(statement, params)
            chain = await drop_chain(tx, Realm("tenant", tenant_id))
            ended = {"auditEntries": str(chain.entries), "auditHash": chain.hash}
            target = Target("Tenant", tenant_id, name)
            await record(tx, SYSTEM, [NewEntry(activities.DELETE_TENANT, actor, (target,), details=ended)], at=at)

        await self._database.write(work)

    async def sweep(self, kind: RealmKind, id_: str) -> None:
        """Remove what others than its own domain keep of a realm that is gone: sessions, accounts, messages."""
        params = _params(kind, id_)

        async def work(tx: Tx) -> None:
            for statement in deletions(kind):
                await tx.execute(statement, params)

        await self._database.write(work)

    async def remove_job(self, job_id: str) -> None:
        """Remove what is left of a job whose application is gone."""
        statements = of_a_job()

        async def work(tx: Tx) -> None:
            for statement in statements:
                await tx.execute(statement, {"id": job_id})

        await self._database.write(work)

    async def seal_anew(self, old: MasterKey, new: MasterKey, root: MasterKey, *, actor: Actor, at: int) -> int:
        """Seal every secret with another key, in one commit; how many. Raises what ``Sealer.open`` raises, and then
        nothing has changed."""
        before, after = Sealer(old), Sealer(new)

        async def work(tx: Tx) -> int:
            count = 0
            for find, put in _SEALED:
                for first, second, sealed, bound in await tx.fetch_all(_SQL[find]):
                    again = after.seal(before.open(bytes(sealed), bound), bound)
                    row: dict[str, Any] = {"first": first, "second": second, "sealed": again}
                    count += await tx.execute(_SQL[put], row)
            await put_key(tx, new, root)
            entry = NewEntry(activities.ROTATE_SECRETS, actor, (Target("SealingKey", new.id),))
            await record(tx, SYSTEM, [entry], at=at)
            return count

        return await self._database.write(work)

    async def settle_after_restore(self, made_at: int, *, actor: Actor, at: int) -> None:
        """After a copy was put in the place of the database: what ran runs no more, all jobs begin a full cycle."""
        text = "The database was restored from a copy while this cycle ran."
        error = msgspec.json.encode({"code": "InternalError", "message": text}).decode()

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["after_restore_states"])
            await tx.execute(_SQL["after_restore_cycles"], {"now": at, "error": error})
            await tx.execute(_SQL["after_restore_leases"])
            await tx.execute(_SQL["after_restore_pending"], {"now": at})
            entry = NewEntry(activities.RESTORE_BACKUP, actor, (), details={"madeAt": str(made_at)})
            await record(tx, SYSTEM, [entry], at=at)

        await self._database.write(work)


def _params(kind: RealmKind, id_: str) -> dict[str, str]:
    return {"id": id_, "realm": realm_key(Realm(kind, id_))}
