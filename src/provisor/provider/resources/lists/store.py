"""App side, step 2: pages of resources, and what is derived of each: a user's groups, a group's members."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from provisor.provider.resources.membership.store import few_members
from provisor.provider.resources.membership.store import members as members_of
from provisor.provider.resources.model import Found, FoundAfter, FoundServed, Kind, Position, Served, Stored
from provisor.provider.resources.search import ALL, Engine, Plan
from provisor.scim.errors import TooMany
from provisor.storage.database import Database, Tx
from provisor.storage.queries import id_list, named_queries

_SQL = named_queries("provisor.provider.resources")
_COLUMNS = "type, id, document, version, created_at, modified_at"
EVERYBODY = 2**31
_CHUNK = 500
_SHORT_PAGE = 200  # what takes well under a millisecond is read on the loop


class ListStore:
    """Reads pages of companies' resources."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # (company, type) -> (the outbox's number at which it was counted, how many): to count at each page of a long
        # list would cost more than the page.
        self._totals: dict[tuple[str, str], tuple[int, int]] = {}

    @property
    def engine(self) -> Engine:
        """Which dialect conditions must be written in."""
        return self._database.dialect

    async def page(self, company_id: str, kind: Kind, *, skip: int, count: int, begin: int, after: str) -> Found:
        """A page of all resources of a type, and their number.

        ``skip`` resources come before it; it is known that the first ``begin`` of them end with the id ``after``.
        """

        async def work(tx: Tx) -> Found:
            key = {"company_id": company_id, "type": kind}
            total = await self._total(tx, key)
            if skip >= total or not count:
                return Found(total, ())
            last = after
            if skip > begin:
                row = await tx.fetch_one(_SQL["id_at"], {**key, "after": after, "skip": skip - begin - 1})
                if row is None:
                    return Found(total, ())
                last = row[0]
            rows = await tx.fetch_all(_SQL["page_after"], {**key, "after": last, "count": count})
            return Found(total, [Stored(*row) for row in rows])

        return await self._database.read(work, long=count > _SHORT_PAGE)

    async def _total(self, tx: Tx, key: Mapping[str, str]) -> int:
        head = await tx.fetch_one(_SQL["data_version"], {"company_id": key["company_id"]})
        version = head[0] if head else 0
        known = self._totals.get((key["company_id"], key["type"]))
        if known is None or known[0] != version:
            row = await tx.fetch_one(_SQL["total"], key)
            known = self._totals[key["company_id"], key["type"]] = (version, row[0] if row else 0)
        return known[1]

    async def find(
        self,
        company_id: str,
        kind: Kind,
        plan: Plan,
        *,
        order: tuple[str, bool],
        skip: int,
        count: int,
        derived: frozenset[str],
    ) -> FoundServed:
        """A page of what an exact plan finds, and the number of all. ``order``: a column, and whether downwards."""
        base = {**plan.params, "company_id": company_id, "type": kind}
        where = f"company_id = :company_id AND type = :type AND {plan.where}"

        async def work(tx: Tx) -> FoundServed:
            rows = await tx.fetch_all(
                f"SELECT {_COLUMNS} FROM resource WHERE {where} ORDER BY {_by(order)} LIMIT :count OFFSET :skip",  # noqa: S608 - conditions are built from fixed parts, values are parameters
                {**base, "count": count, "skip": skip},
            )
            total = skip + len(rows)
            if len(rows) == count or (skip and not rows):
                counted = await tx.fetch_one(f"SELECT count(*) FROM resource WHERE {where}", base)  # noqa: S608 - the same
                total = counted[0] if counted else 0
            found = [Stored(*row) for row in rows]
            return FoundServed(total, await derive_all(tx, company_id, kind, found, derived))

        long = count > _SHORT_PAGE or (kind == "Group" and "members" in derived)
        return await self._database.read(work, long=long)

    async def find_after(
        self, company_id: str, kind: Kind, plan: Plan, *, order: tuple[str, bool], after: Position | None, count: int
    ) -> FoundAfter:
        """The same after a position instead of a number: as cheap deep in the list as at its beginning."""
        key = {"company_id": company_id, "type": kind}
        base = {**plan.params, **key}
        where = f"company_id = :company_id AND type = :type AND {plan.where}"
        column, down = order
        sign = "<" if down else ">"
        beyond, more = "", {}
        if after is not None:
            more = {"after": after.id}
            beyond = f" AND id {sign} :after"
            if column != "id":
                more["key"] = after.key
                beyond = f" AND {column} {sign}= :key AND ({column} {sign} :key OR id > :after)"

        async def work(tx: Tx) -> FoundAfter:
            rows = await tx.fetch_all(
                f"SELECT {_COLUMNS}, {column} FROM resource WHERE {where}{beyond} ORDER BY {_by(order)} LIMIT :count",  # noqa: S608 - as above
                {**base, **more, "count": count},
            )
            if plan.where == ALL.where:
                total = await self._total(tx, key)
            elif after is None and 0 < len(rows) < count:
                total = len(rows)
            else:
                counted = await tx.fetch_one(f"SELECT count(*) FROM resource WHERE {where}", base)  # noqa: S608 - as above
                total = counted[0] if counted else 0
            return FoundAfter(total, [Stored(*row[:-1]) for row in rows], [row[-1] for row in rows])

        return await self._database.read(work, long=count > _SHORT_PAGE)

    async def sift(self, company_id: str, kind: Kind, plan: Plan, take: Callable[[Served], None], *, cap: int) -> None:
        """Give every resource that the plan's condition finds to ``take``, in the order of their ids.

        Raises ``TooMany`` when there are more than ``cap``.
        """
        base = {**plan.params, "company_id": company_id, "type": kind}
        text = (
            f"SELECT {_COLUMNS} FROM resource WHERE company_id = :company_id AND type = :type AND id > :after "  # noqa: S608 - as above
            f"AND {plan.where or '1 = 1'} ORDER BY id LIMIT :count"
        )

        async def work(tx: Tx) -> None:
            after, seen = "", 0
            while True:
                rows = await tx.fetch_all(text, {**base, "after": after, "count": _CHUNK})
                seen += len(rows)
                if seen > cap:
                    raise TooMany(
                        f"The filter has no index to use and there are more than {cap} resources to look through.",
                        hint="Use id, userName, externalId, displayName, emails.value, employeeNumber or manager.",
                    )
                found = [Stored(*row) for row in rows]
                for served in await derive_all(tx, company_id, kind, found, plan.derived):
                    take(served)
                if len(rows) < _CHUNK:
                    return
                after = rows[-1][1]

        await self._database.read(work, long=True)

    async def derive(
        self, company_id: str, kind: Kind, found: Sequence[Stored], derived: frozenset[str]
    ) -> list[Served]:
        """The resources with their ``groups`` or ``members``, as far as ``derived`` names them."""
        if not found or kind not in ("User", "Group") or not derived & {"groups", "members"}:
            return [Served(stored) for stored in found]

        async def work(tx: Tx) -> list[Served]:
            return await derive_all(tx, company_id, kind, found, derived)

        return await self._database.read(work, long=kind == "Group")


async def serve(
    tx: Tx, company_id: str, stored: Stored, *, groups: bool, members: bool, most: int = EVERYBODY
) -> Served:
    """One resource with what is derived as far as it is asked for; ``most``: more members than these are left out."""
    found_groups = found_members = None
    if groups and stored.kind == "User":
        rows = await tx.fetch_all(_SQL["groups_of"], {"company_id": company_id, "id": stored.id})
        found_groups = [(row[0], row[1]) for row in rows]
    if members and stored.kind == "Group":
        found_members = await (
            members_of(tx, company_id, stored.id) if most == EVERYBODY else few_members(tx, company_id, stored.id, most)
        )
    return Served(stored, found_groups, found_members)


async def derive_all(
    tx: Tx, company_id: str, kind: Kind, found: Sequence[Stored], derived: frozenset[str]
) -> list[Served]:
    wanted = "groups" if kind == "User" else "members"
    if wanted not in derived or not found:
        return [Served(stored) for stored in found]
    if len(found) == 1:
        return [await serve(tx, company_id, found[0], groups=True, members=True)]
    params = {"company_id": company_id, "ids": id_list([stored.id for stored in found])}
    held: dict[str, list[tuple[str, Any]]] = {stored.id: [] for stored in found}
    for holder, one, other in await tx.fetch_all(_SQL[f"{wanted}_of_many"], params):
        held[holder].append((one, other))
    if kind == "User":
        return [Served(stored, groups=held[stored.id]) for stored in found]
    return [Served(stored, members=held[stored.id]) for stored in found]


def _by(order: tuple[str, bool]) -> str:
    column, down = order
    direction = "DESC" if down else "ASC"
    return f"{column} {direction}" if column == "id" else f"{column} {direction}, id"
