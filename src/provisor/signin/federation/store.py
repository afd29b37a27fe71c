"""Accounts elsewhere, in the database."""

from __future__ import annotations

from provisor.events.audit import activities
from provisor.events.audit.model import NewEntry, Target
from provisor.events.audit.store import record
from provisor.security.actor import Actor, Realm
from provisor.signin.federation.model import Identity
from provisor.signin.people import PersonKey
from provisor.storage.database import Database, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.signin.federation")


class FederationStore:
    """Persistence of ``provisor.signin.federation.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def people_of(self, identity: Identity) -> list[PersonKey]:
        """Whose this is, the one who signed in last first."""

        async def work(tx: Tx) -> list[PersonKey]:
            rows = await tx.fetch_all(_SQL["people_of"], _row(identity))
            return [PersonKey("company", row[0], row[1]) for row in rows]

        return await self._database.read(work)

    async def bind(self, identity: Identity, person: PersonKey, at: int) -> str:
        """Make it a person's of a company, once; whose it is there then."""
        row = {**_row(identity), "company_id": person.realm_id}
        realm = Realm("company", person.realm_id)
        said = {"issuer": identity.issuer, "tenantId": identity.directory_id, "objectId": identity.object_id}
        actor = Actor(realm, person.subject_id, frozenset())
        entry = NewEntry(
            activities.BIND_IDENTITY, actor, (Target("Administrator", person.subject_id, identity.login),), details=said
        )

        async def work(tx: Tx) -> str:
            new = {**row, "administrator_id": person.subject_id, "created_at": at}
            if await tx.execute(_SQL["bind"], new):
                await record(tx, realm, [entry], at=at)
            found = await tx.fetch_one(_SQL["bound"], row)
            return person.subject_id if found is None else str(found[0])

        return await self._database.write(work)


def _row(identity: Identity) -> dict[str, str]:
    return {
        "issuer": identity.issuer,
        "directory_id": identity.directory_id,
        "object_id": identity.object_id,
    }
