"""One-time links in the database."""

from __future__ import annotations

from dataclasses import asdict

from provisor.events.audit import activities
from provisor.events.audit.model import Activity, NewEntry, Target
from provisor.events.audit.store import record
from provisor.security.actor import Actor, Realm
from provisor.signin.links.model import Link
from provisor.signin.people import Kind
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.signin.links")


class LinkStore:
    """Persistence of ``provisor.signin.links.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, link: Link, actor: Actor) -> None:
        """Store a link, in the place of unused ones of the same person or invitation."""

        async def work(tx: Tx) -> None:
            if link.subject_id is None:
                await tx.execute(_SQL["forget_invitation"], {"company_id": link.realm_id, "email": link.email})
            else:
                person = {"kind": link.kind, "realm_id": link.realm_id, "subject_id": link.subject_id}
                await tx.execute(_SQL["forget_person"], person)
            row = asdict(link)
            await tx.execute(_SQL["insert"], {**row, "hash": link.id})
            activity = activities.INVITE if link.subject_id is None else activities.ADD_LINK
            await _told(tx, activity, link, actor, link.created_at)

        await self._database.write(work)

    async def link(self, id_: str) -> Link | None:
        """A link, whatever its state."""

        async def work(tx: Tx) -> Link | None:
            row = await tx.fetch_one(_SQL["link"], {"hash": id_})
            return None if row is None else _link(row)

        return await self._database.read(work)

    async def invitations(self, company_id: str, now: int) -> list[Link]:
        """A company's open invitations, the latest first."""

        async def work(tx: Tx) -> list[Link]:
            rows = await tx.fetch_all(_SQL["invitations"], {"company_id": company_id, "now": now})
            return [_link(row) for row in rows]

        return await self._database.read(work)

    async def withdraw(self, company_id: str, id_: str, actor: Actor, at: int) -> bool:
        """Whether there was such an open invitation."""

        async def work(tx: Tx) -> bool:
            row = await tx.fetch_one(_SQL["link"], {"hash": id_})
            gone = await tx.execute(_SQL["withdraw"], {"company_id": company_id, "hash": id_}) == 1
            if row is not None and gone:
                await _told(tx, activities.WITHDRAW_INVITATION, _link(row), actor, at)
            return gone

        return await self._database.write(work)

    async def use(self, id_: str, now: int) -> bool:
        """Use a link up; whether it could be used still."""

        async def work(tx: Tx) -> bool:
            return await tx.execute(_SQL["use"], {"hash": id_, "now": now}) == 1

        return await self._database.write(work)

    async def purge(self, before: int) -> int:
        """Delete what expired before a moment; how many."""

        async def work(tx: Tx) -> int:
            return await tx.execute(_SQL["purge"], {"before": before})

        return await self._database.write(work)


async def _told(tx: Tx, activity: Activity, link: Link, actor: Actor, at: int) -> None:
    kind = "User" if link.kind == "tenant" else "Administrator"
    target = Target(kind, link.subject_id or link.email or "", link.email or "")
    await record(tx, Realm(link.kind, link.realm_id), [NewEntry(activity, actor, (target,))], at=at)


def _link(row: Row) -> Link:
    kind: Kind = "tenant" if row[1] == "tenant" else "company"
    return Link(row[0], kind, *row[2:])
