"""Last step of every configuration change: its entry, written in the transaction of the change itself.

Call ``record`` **late** in a unit of work, and before ``events.store.append``: from there to the commit the realm's
other writers wait. So the chain never forks, on either engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from provisor.events.audit.model import Activity, Chain, Entry, Finding, NewEntry, Target, Who
from provisor.events.correlation import correlation_id
from provisor.ids import new_id
from provisor.security.actor import Realm
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import Query, named_queries

_SQL = named_queries("provisor.events.audit")
_PAGE = 1_000
# The columns of a row in the order in which they are hashed; the hash of the entry before stands in front of them.
_COLUMNS = ("realm", "seq", "id", "at", "activity", "category", "actor", "result", "correlation_id", "entry")
_FIRST = ""
_END = 1 << 62

SYSTEM = Realm("system")


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    """What of an entry is not a column."""

    service: str
    operation: str
    initiated_by: Who
    targets: tuple[Target, ...]
    reason: str | None = None
    details: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are asked for; null: all. ``since`` and ``until`` (exclusive) in ms UTC; the rest must be equal."""

    activity: str | None = None
    category: str | None = None
    actor: str | None = None
    target_id: str | None = None
    result: str | None = None
    correlation_id: str | None = None
    since: int | None = None
    until: int | None = None


def tenant(tenant_id: str) -> Realm:
    return Realm("tenant", tenant_id)


def company(company_id: str) -> Realm:
    return Realm("company", company_id)


def realm_key(realm: Realm) -> str:
    """How a realm is written: ``system``, ``tenant:ID`` or ``company:ID``."""
    return realm.kind if realm.kind == "system" else f"{realm.kind}:{realm.id}"


async def record(tx: Tx, realm: Realm, entries: Sequence[NewEntry], *, at: int) -> None:
    """Add entries to the realm's chain. ``at`` in ms UTC."""
    if not entries:
        return
    key = realm_key(realm)
    taken = await tx.fetch_one(_SQL["take_numbers"], {"realm": key, "count": len(entries)})
    if taken is None:
        raise AssertionError("An INSERT with RETURNING returns a row.")
    seq, previous = int(taken[0]) - len(entries), str(taken[1])
    correlation = correlation_id()
    rows, targets = [], []
    for entry in entries:
        seq += 1
        row = _row(key, seq, entry, correlation, at)
        row["hash"] = previous = _hash(previous, [row[name] for name in _COLUMNS])
        rows.append(row)
        targets += [{"realm": key, "target_id": target.id, "at": at, "seq": seq} for target in entry.targets]
    await tx.execute_many(_SQL["append"], rows)
    await tx.execute_many(_SQL["append_target"], targets)
    await tx.execute(_SQL["set_head"], {"realm": key, "hash": previous})


async def drop_chain(tx: Tx, realm: Realm) -> Chain:
    """Remove a realm's chain with the realm; what it was, for the entry that tells of it."""
    key = {"realm": realm_key(realm)}
    head = await tx.fetch_one(_SQL["head"], key)
    for name in ("drop_targets", "drop_entries", "drop_head"):
        await tx.execute(_SQL[name], key)
    return Chain(key["realm"], head[0] if head else 0, head[1] if head else _FIRST)


class AuditStore:
    """Reads chains, and proves them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(
        self, realm: Realm, wanted: AuditFilter, *, before: tuple[int, int] | None, limit: int
    ) -> list[Entry]:
        """The next ``limit`` entries, newest first; ``before``: moment and number of the last one that is known."""
        given = {name: value for name in _FILTERS if (value := getattr(wanted, name)) is not None}
        at, seq = before or (_END, _END)
        params = {"realm": realm_key(realm), "before_at": at, "before_seq": seq, "limit": limit, **given}
        query = _listing(frozenset(given))

        async def work(tx: Tx) -> list[Row]:
            return await tx.fetch_all(query, params)

        return [_entry(row) for row in await self._database.read(work)]

    async def entry(self, realm: Realm, id_: str) -> Entry | None:
        """One entry by its id."""
        params = {"realm": realm_key(realm), "id": id_}
        row = await self._database.read(lambda tx: tx.fetch_one(_SQL["entry"], params))
        return None if row is None else _entry(row)

    async def chains(self) -> list[tuple[str, Chain | None]]:
        """Every realm that has entries, with the end of its chain; null where the end is missing."""
        rows = await self._database.read(lambda tx: tx.fetch_all(_SQL["heads"]), long=True)
        return [(row[0], None if row[1] is None else Chain(row[0], row[1], row[2])) for row in rows]

    async def verify(self, realm: str) -> tuple[Chain, Finding | None]:
        """Read a chain from its first entry to its last: what it is, and the first thing that is wrong with it."""
        previous, seq = _FIRST, 0
        while True:
            rows, indexed = await self._page(realm, seq)
            for row in rows:
                fault = _fault(row, seq, previous, indexed)
                if fault is not None:
                    return Chain(realm, seq, previous), fault
                seq, previous = row[1], row[-1]
            if len(rows) < _PAGE:
                break
        return Chain(realm, seq, previous), await self._end(realm)

    async def _page(self, realm: str, after: int) -> tuple[list[Row], set[tuple[int, str, int]]]:
        async def work(tx: Tx) -> tuple[list[Row], set[tuple[int, str, int]]]:
            rows = await tx.fetch_all(_SQL["chain"], {"realm": realm, "after": after, "limit": _PAGE})
            span = {"realm": realm, "after": after, "until": rows[-1][1] if rows else after}
            found = await tx.fetch_all(_SQL["targets"], span)
            return rows, {(number, target, at) for number, target, at in found}

        return await self._database.read(work, long=True)

    async def _end(self, realm: str) -> Finding | None:
        """Does the chain end where its end is noted?"""

        async def work(tx: Tx) -> tuple[Row | None, Row | None]:
            key = {"realm": realm}
            return await tx.fetch_one(_SQL["head"], key), await tx.fetch_one(_SQL["last"], key)

        head, last = await self._database.read(work)
        ends, stands = (head[0] if head else 0), (last[0] if last else 0)
        if stands < ends:
            return Finding(
                realm, stands + 1, None, "removed", f"Entries {stands + 1} to {ends} at the chain's end are gone."
            )
        if head is None or stands > ends:
            return Finding(realm, ends + 1, None, "inserted", f"Entry {ends + 1} stands behind the chain's end.")
        if last is not None and head[1] != last[1]:
            return Finding(realm, stands, None, "altered", f"Entry {stands} is not the one that the chain ended with.")
        return None


_FILTERS = ("activity", "category", "actor", "target_id", "result", "correlation_id", "since", "until")


@lru_cache(maxsize=256)
def _listing(names: frozenset[str]) -> Query:
    """The text for one set of filters, made once."""
    by_target = "target_id" in names
    parts = [_SQL["list_of_target" if by_target else "list"]]
    parts += [_SQL[f"where_{name}"] for name in _FILTERS if name in names and name != "target_id"]
    parts.append(_SQL["newest_of_target" if by_target else "newest"])
    return Query.joined(parts)


def _row(realm: str, seq: int, entry: NewEntry, correlation: str, at: int) -> dict[str, Any]:
    actor = entry.actor
    document = _Document(
        entry.activity.service,
        entry.activity.operation,
        Who(actor.kind, actor.subject, actor.name or actor.subject),
        entry.targets,
        entry.reason,
        entry.details,
    )
    return {
        "realm": realm,
        "seq": seq,
        "id": new_id(),
        "at": at,
        "activity": entry.activity.name,
        "category": entry.activity.category,
        "actor": actor.subject,
        "result": entry.result,
        "correlation_id": correlation,
        "entry": msgspec.json.encode(document).decode(),
    }


def _hash(previous: str, values: Sequence[Any]) -> str:
    return hashlib.sha256(msgspec.json.encode([previous, *values])).hexdigest()


def _entry(row: Row) -> Entry:
    realm, seq, id_, at, activity, category, _, result, correlation, text, hash_ = row
    document = msgspec.json.decode(text, type=_Document)
    return Entry(
        realm,
        seq,
        id_,
        at,
        Activity(activity, category, document.service, document.operation),
        document.initiated_by,
        document.targets,
        result,
        document.reason,
        document.details,
        correlation,
        hash_,
    )


def _fault(row: Row, before: int, previous: str, indexed: set[tuple[int, str, int]]) -> Finding | None:
    """What is wrong with an entry that comes after the one with the number ``before``."""
    realm, seq, id_, at = row[:4]
    if seq != before + 1:
        gone = f"{before + 1}" if seq == before + 2 else f"{before + 1} to {seq - 1}"
        return Finding(realm, before + 1, None, "removed", f"Entry {gone} is gone: {seq} follows {before}.")
    if row[-1] != _hash(previous, row[:-1]):
        text = f"Entry {seq} ({id_}, {row[4]}) was altered, or is not the one that stood there."
        return Finding(realm, seq, id_, "altered", text)
    for target in _entry(row).targets:
        if (seq, target.id, at) not in indexed:
            text = f"Entry {seq} ({id_}) is no longer found by its target {target.id}."
            return Finding(realm, seq, id_, "altered", text)
    return None
