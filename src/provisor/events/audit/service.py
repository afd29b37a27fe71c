"""Last step of every configuration change, its door: the audit log as the API, the portals and the commands read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisor.errors import InvalidInput, NotFound
from provisor.events.audit.model import Chain, Entry, Finding
from provisor.events.audit.store import AuditFilter, AuditStore
from provisor.security.actor import Actor, Realm, Right

MOST_ENTRIES = 1_000


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, newest first. ``next``: what to ask for afterwards, null at the end."""

    entries: Sequence[Entry]
    next: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a verification saw: every chain, and what is wrong, by realm."""

    chains: Sequence[Chain]
    findings: Sequence[Finding]


class Audit:
    """Who changed what. Read with the right ``auditLog.read``; nobody writes, but through the change itself."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    async def page(
        self,
        actor: Actor,
        realm: Realm,
        wanted: AuditFilter | None = None,
        *,
        after: str | None = None,
        limit: int = 100,
    ) -> AuditPage:
        """A page of a realm's entries; ``after``: ``next`` of the page before. Raises ``InvalidInput``."""
        actor.require(Right.AUDIT_READ, realm.id)
        if not 1 <= limit <= MOST_ENTRIES:
            raise InvalidInput(f"limit is {limit}.", hint=f"Ask for 1 to {MOST_ENTRIES} entries.")
        found = await self._store.entries(
            realm, wanted or AuditFilter(), before=_position(after) if after else None, limit=limit + 1
        )
        entries = found[:limit]
        return AuditPage(entries, f"{entries[-1].at}.{entries[-1].seq}" if len(found) > limit else None)

    async def entry(self, actor: Actor, realm: Realm, entry_id: str) -> Entry:
        """One entry. Raises ``NotFound``."""
        actor.require(Right.AUDIT_READ, realm.id)
        found = await self._store.entry(realm, entry_id)
        if found is None:
            raise NotFound(f"The audit log has no entry {entry_id!r}.")
        return found

    async def verify(self, actor: Actor) -> Proof:
        """Prove every chain of the database, from its first entry on. An operator's right."""
        actor.require(Right.AUDIT_READ)
        chains, findings = [], []
        for realm, _ in await self._store.chains():
            chain, finding = await self._store.verify(realm)
            chains.append(chain)
            if finding is not None:
                findings.append(finding)
        return Proof(chains, findings)


def _position(text: str) -> tuple[int, int]:
    at, _, seq = text.partition(".")
    try:
        return int(at), int(seq)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a position in the audit log.", hint="Begin again without one.") from None
