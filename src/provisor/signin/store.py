"""People, sessions and the operator's tokens, in the database."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from provisor.events.audit import activities
from provisor.events.audit.model import Activity, NewEntry, Target
from provisor.events.audit.store import record
from provisor.security.actor import Actor, Realm
from provisor.signin.people import Kind, Person, PersonKey
from provisor.storage.database import Database, Params, Row, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.signin")


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as it is stored."""

    hash: str
    key: PersonKey
    created_at: int
    seen_at: int
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class AppTokenRow:
    """A token that the operator made."""

    id: str
    tenant_id: str
    created_by: str
    created_at: int
    expires_at: int
    revoked_at: int | None = None


class _Document(msgspec.Struct, rename="camel"):
    user_principal_name: str
    display_name: str
    mail: str | None = None
    given_name: str | None = None
    surname: str | None = None


class SignInStore:
    """Persistence of ``provisor.signin.sessions`` and ``provisor.signin.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def person(self, key: PersonKey) -> Person | None:
        """A person as they are now; null when there is none such, or the user is deleted."""

        async def work(tx: Tx) -> Person | None:
            return await find_person(tx, key)

        return await self._database.read(work)

    async def tenant_exists(self, tenant_id: str) -> bool:
        async def work(tx: Tx) -> bool:
            return await tx.fetch_one(_SQL["tenant"], {"id": tenant_id}) is not None

        return await self._database.read(work)

    # Sessions

    async def insert_session(self, session: SessionRow) -> None:
        row = {
            **_person_row(session.key),
            "hash": session.hash,
            "created_at": session.created_at,
            "address": session.address,
            "user_agent": session.user_agent,
        }
        await self._execute("insert_session", row)

    async def session(self, hash_: str) -> tuple[SessionRow, Person | None] | None:
        """A session, and the person whose it is as they are now."""

        async def work(tx: Tx) -> tuple[SessionRow, Person | None] | None:
            row = await tx.fetch_one(_SQL["session"], {"hash": hash_})
            if row is None:
                return None
            session = _session(row)
            return session, await find_person(tx, session.key)

        return await self._database.read(work)

    async def sessions_of(self, key: PersonKey) -> list[SessionRow]:
        """A person's sessions, the latest first."""

        async def work(tx: Tx) -> list[SessionRow]:
            return [_session(row) for row in await tx.fetch_all(_SQL["sessions_of"], _person_row(key))]

        return await self._database.read(work)

    async def touch_session(self, hash_: str, at: int) -> None:
        await self._execute("touch_session", {"hash": hash_, "at": at})

    async def delete_session(self, hash_: str) -> None:
        await self._execute("delete_session", {"hash": hash_})

    async def delete_sessions_of(self, key: PersonKey) -> None:
        await self._execute("delete_sessions_of", _person_row(key))

    async def delete_old_sessions(self, *, seen_before: int, created_before: int) -> int:
        """Delete what has ended by itself; how many."""
        return await self._execute(
            "delete_old_sessions", {"seen_before": seen_before, "created_before": created_before}
        )

    # Tokens

    async def insert_app_token(self, token: AppTokenRow, actor: Actor) -> None:
        """Store what is known of a new token."""
        row = {
            "id": token.id,
            "tenant_id": token.tenant_id,
            "created_by": token.created_by,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
        }

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["insert_app_token"], row)
            await _told(tx, activities.ADD_TOKEN, token.tenant_id, token.id, actor, token.created_at)

        await self._database.write(work)

    async def app_token(self, token_id: str) -> AppTokenRow | None:
        async def work(tx: Tx) -> AppTokenRow | None:
            row = await tx.fetch_one(_SQL["app_token"], {"id": token_id})
            return None if row is None else AppTokenRow(*row)

        return await self._database.read(work)

    async def app_tokens(self, tenant_id: str, now: int) -> list[AppTokenRow]:
        """A tenant's tokens that have not expired, the oldest first."""

        async def work(tx: Tx) -> list[AppTokenRow]:
            rows = await tx.fetch_all(_SQL["app_tokens"], {"tenant_id": tenant_id, "now": now})
            return [AppTokenRow(*row) for row in rows]

        return await self._database.read(work)

    async def revoke_app_token(self, tenant_id: str, token_id: str, actor: Actor, at: int) -> bool:
        """Whether there was such a token that was not revoked before."""
        row = {"tenant_id": tenant_id, "id": token_id, "at": at}

        async def work(tx: Tx) -> bool:
            revoked = await tx.execute(_SQL["revoke_app_token"], row) == 1
            if revoked:
                await _told(tx, activities.REVOKE_TOKEN, tenant_id, token_id, actor, at)
            return revoked

        return await self._database.write(work)

    async def person_and_grant(self, key: PersonKey, grant_id: str) -> tuple[Person | None, bool]:
        """A person as they are now, and whether what their token was issued for still holds."""

        async def work(tx: Tx) -> tuple[Person | None, bool]:
            grant = await tx.fetch_one(_SQL["grant_state"], {"id": grant_id})
            return await find_person(tx, key), grant is not None and grant[0] is None

        return await self._database.read(work)

    async def _execute(self, query: str, params: Params) -> int:
        async def work(tx: Tx) -> int:
            return await tx.execute(_SQL[query], params)

        return await self._database.write(work)


async def find_person(tx: Tx, key: PersonKey) -> Person | None:
    """Within a unit of work: a person as they are now."""
    params = {"realm_id": key.realm_id, "subject_id": key.subject_id}
    row = await tx.fetch_one(_SQL[f"{key.kind}_person"], params)
    if row is None:
        return None
    if key.kind == "company":
        name, email, is_admin, disabled_at, not_before = row
        return Person(key, name, email, email, disabled_at is None, not_before or 0, is_admin=bool(is_admin))
    name, document, enabled, not_before = row
    user = msgspec.json.decode(document, type=_Document)
    roles = frozenset(found[0] for found in await tx.fetch_all(_SQL["roles_of"], params))
    return Person(
        key,
        name,
        user.user_principal_name,
        user.display_name,
        bool(enabled),
        not_before or 0,
        roles=roles,
        mail=user.mail,
        given_name=user.given_name,
        surname=user.surname,
    )


async def _told(tx: Tx, activity: Activity, tenant_id: str, token_id: str, actor: Actor, at: int) -> None:
    entry = NewEntry(activity, actor, (Target("AccessToken", token_id),))
    await record(tx, Realm("tenant", tenant_id), [entry], at=at)


def _person_row(key: PersonKey) -> dict[str, str]:
    return {"kind": key.kind, "realm_id": key.realm_id, "subject_id": key.subject_id}


def _session(row: Row) -> SessionRow:
    kind: Kind = "tenant" if row[1] == "tenant" else "company"
    return SessionRow(row[0], PersonKey(kind, row[2], row[3]), row[4], row[5], row[6], row[7])
