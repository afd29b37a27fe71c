"""App side, step 2: users, groups and members in the database; a change and its outbox entry are one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from provisor.events.model import NewOutboxChange
from provisor.events.store import append_outbox
from provisor.provider.people.store import Watch
from provisor.provider.resources.custom.store import DefinitionStore
from provisor.provider.resources.membership.store import (
    add_members,
    change_members,
    few_members,
    leave_groups,
)
from provisor.provider.resources.membership.store import (
    members as members_of,
)
from provisor.provider.resources.model import (
    Counts,
    Draft,
    Edited,
    Found,
    FoundAfter,
    FoundServed,
    Kind,
    Position,
    Served,
    Stored,
)
from provisor.provider.resources.search import ALL, Engine, Plan
from provisor.scim.errors import NotFound404, PreconditionFailed, TooMany, Uniqueness
from provisor.storage.database import Database, Tx, UniqueViolation
from provisor.storage.queries import id_list, named_queries

_SQL = named_queries("provisor.provider.resources")
_COLUMNS = "type, id, document, version, created_at, modified_at"
_ALL = 2**31
_NOTHING: Mapping[str, str | None] = {}
_CHUNK = 500
_SHORT_PAGE = 200  # what takes well under a millisecond is read on the loop

# Given the resource as it is, what it becomes. It may be asked twice, and on SQLite in the writer's thread.
Edit = Callable[[Stored], Edited]
# Given the present version: whether the request may go on (If-Match).
Accepts = Callable[[int], bool]


class ResourceStore:
    """Persistence of ``provisor.provider.resources.service``.

    Raises ``NotFound404``, ``Uniqueness``, ``PreconditionFailed``, and ``InvalidValue`` for an unknown member.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # (company, type) -> (the outbox's number at which it was counted, how many): to count at each page of a long
        # list would cost more than the page.
        self._totals: dict[tuple[str, str], tuple[int, int]] = {}
        self.definitions = DefinitionStore(database)

    async def create(
        self,
        company_id: str,
        kind: Kind,
        resource_id: str,
        draft: Draft,
        members: Sequence[str],
        at: int,
        *,
        secrets: Mapping[str, str | None] = _NOTHING,
        skips_unknown_members: bool = False,
        source: str | None = None,
    ) -> Served:
        """Store a new resource with its members (ids; of a user none) and the hashes of what nobody may read.

        ``source``: the id of the credential that it came with.
        """
        watch = Watch(company_id, at)

        async def work(tx: Tx) -> Served:
            key = {"company_id": company_id, "type": kind, "id": resource_id}
            try:
                await tx.execute(
                    _SQL["insert_resource"],
                    {
                        **key,
                        "unique_key": draft.unique_key,
                        "display": draft.display,
                        "document": draft.document,
                        "at": at,
                        "source": source,
                    },
                )
            except UniqueViolation:
                raise _taken(kind, draft) from None
            await _insert_rows(tx, key, draft.rows)
            if draft.unique_rows:
                await _insert_unique(tx, key, draft.unique_rows)
            if secrets:
                await _keep_secrets(tx, key, secrets, at)
            if members:
                await add_members(tx, company_id, resource_id, members, skips_unknown_members)
            if kind == "User":
                await watch.note(tx, resource_id, None, draft.document)
            await append_outbox(tx, company_id, [NewOutboxChange(kind, resource_id, "created")], at)
            stored = Stored(kind, resource_id, draft.document, 1, at, at)
            found = None
            if kind == "Group":
                found = await members_of(tx, company_id, resource_id) if members else []
            return Served(stored, () if kind == "User" else None, found)

        served = await self._database.write(work)
        watch.tell()
        return served

    async def read(
        self, company_id: str, kind: Kind, resource_id: str, *, groups: bool = False, members: bool = False
    ) -> Served | None:
        """One resource, with what is derived as far as it is asked for; null when the company has none of this id."""

        async def work(tx: Tx) -> Served | None:
            key = {"company_id": company_id, "type": kind, "id": resource_id}
            row = await tx.fetch_one(_SQL["read_resource"], key)
            if row is None:
                return None
            return await _serve(tx, company_id, Stored(*row), groups=groups, members=members)

        return await self._database.read(work, long=members)

    async def change(
        self,
        company_id: str,
        kind: Kind,
        resource_id: str,
        *,
        edit: Edit,
        at: int,
        accepts: Accepts | None = None,
        most_members: int = _ALL,
    ) -> Served:
        """Change a document and members in one transaction; what changes nothing leaves version and time as they are.

        ``accepts``: whether the present version is one that the caller knows, else ``PreconditionFailed``; null: any.
        ``most_members``: the answer has a group's members unless it has more.
        """
        watch = Watch(company_id, at)

        async def work(tx: Tx) -> Served:
            key = {"company_id": company_id, "type": kind, "id": resource_id}
            # Members come and go as rows, and do not wait for one another: only who reads a thing to write it back
            # must keep others out until the commit. Of a group that is known after the first look.
            exclusive = kind == "User" or accepts is not None
            stored = await _fetch(tx, key, "lock_resource" if exclusive else "read_resource")
            _require_version(stored.version, accepts)
            edited = edit(stored)
            if not exclusive and (edited.drafts or any(step.action in ("keep", "sift") for step in edited.members)):
                exclusive = True
                stored = await _fetch(tx, key, "lock_resource")
                edited = edit(stored)
            changed = 0
            for step in edited.members:
                changed += await change_members(tx, company_id, resource_id, step, edited.skips_unknown_members)
            if edited.secrets:
                changed += await _keep_secrets(tx, key, edited.secrets, at)
            if edited.drafts is not None:
                if kind == "User":
                    await watch.note(tx, resource_id, stored.document, edited.drafts[1].document)
                await _update(tx, key, *edited.drafts, at)
                stored = Stored(kind, resource_id, edited.drafts[1].document, stored.version + 1, stored.created_at, at)
            elif changed:
                # Others may have come between: the row says what it is now.
                stored = await _fetch(tx, {**key, "at": at}, "touch_resource")
            served = await _serve(tx, company_id, stored, groups=True, members=True, most=most_members)
            if edited.drafts is not None or changed:
                await append_outbox(tx, company_id, [NewOutboxChange(kind, resource_id, "updated")], at)
            return served

        served = await self._database.write(work)
        watch.tell()
        return served

    # Searching ------------------------------------------------------------------------------------------------------

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
            return FoundServed(total, await _derive(tx, company_id, kind, found, derived))

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
                for served in await _derive(tx, company_id, kind, found, plan.derived):
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
            return await _derive(tx, company_id, kind, found, derived)

        return await self._database.read(work, long=kind == "Group")

    async def secret(self, company_id: str, resource_id: str, path: str) -> str | None:
        """The hash of a write-only value; null when there is none."""

        async def work(tx: Tx) -> str | None:
            row = await tx.fetch_one(_SQL["secret"], {"company_id": company_id, "id": resource_id, "path": path})
            return row[0] if row else None

        return await self._database.read(work)

    async def counts(self, company_id: str) -> Counts:
        async def work(tx: Tx) -> Counts:
            row = await tx.fetch_one(_SQL["counts"], {"company_id": company_id})
            return Counts(*(row or (0, 0, 0)))

        return await self._database.read(work, long=True)

    # Deleting -------------------------------------------------------------------------------------------------------

    async def delete(
        self,
        company_id: str,
        kind: Kind,
        resource_id: str,
        *,
        at: int,
        holders: tuple[str, Edit] | None,
        accepts: Accepts | None = None,
    ) -> None:
        """Delete a resource and every reference to it.

        ``holders``: the indexed path under which other users refer to this one, and the edit that takes it out.
        """

        watch = Watch(company_id, at)

        async def work(tx: Tx) -> None:
            key = {"company_id": company_id, "type": kind, "id": resource_id}
            stored = await _fetch(tx, key, "lock_resource")
            _require_version(stored.version, accepts)
            if kind == "User":
                await watch.note(tx, resource_id, stored.document, None)
            entries = [NewOutboxChange(kind, resource_id, "deleted")]
            left = await leave_groups(tx, company_id, resource_id, at)
            entries += [NewOutboxChange("Group", group_id, "updated") for group_id in left]
            if holders is not None:
                changed = await _drop_references(tx, company_id, resource_id, holders, at)
                entries += [NewOutboxChange("User", holder_id, "updated") for holder_id in changed]
            if kind == "Group":
                await tx.execute(_SQL["delete_all_members"], {"company_id": company_id, "group_id": resource_id})
            for table in ("unique", "secrets"):
                await tx.execute(_SQL[f"delete_{table}"], {"company_id": company_id, "id": resource_id})
            await tx.execute(_SQL["delete_attributes"], {"company_id": company_id, "id": resource_id})
            await tx.execute(_SQL["delete_resource"], key)
            await append_outbox(tx, company_id, entries, at)

        await self._database.write(work)
        watch.tell()


def missing(kind: str, resource_id: str) -> NotFound404:
    """The one answer for what does not exist and for what is another company's."""
    return NotFound404(f"There is no {kind} with the id {resource_id[:100]!r}.")


def _by(order: tuple[str, bool]) -> str:
    column, down = order
    direction = "DESC" if down else "ASC"
    return f"{column} {direction}" if column == "id" else f"{column} {direction}, id"


def _taken(kind: str, draft: Draft) -> Uniqueness:
    if kind == "Group":
        return Uniqueness(
            f"There is another group with the displayName {draft.display!r}.",
            hint="Group names are unique here, as provisioners match groups by name.",
        )
    return Uniqueness(f"There is another user with the userName {draft.unique_key!r}, compared without case.")


def _require_version(version: int, accepts: Accepts | None) -> None:
    if accepts is not None and not accepts(version):
        raise PreconditionFailed(f"The resource is at version {version} now.", hint="Read it again, then repeat.")


async def _serve(tx: Tx, company_id: str, stored: Stored, *, groups: bool, members: bool, most: int = _ALL) -> Served:
    found_groups = found_members = None
    if groups and stored.kind == "User":
        rows = await tx.fetch_all(_SQL["groups_of"], {"company_id": company_id, "id": stored.id})
        found_groups = [(row[0], row[1]) for row in rows]
    if members and stored.kind == "Group":
        found_members = await (
            members_of(tx, company_id, stored.id) if most == _ALL else few_members(tx, company_id, stored.id, most)
        )
    return Served(stored, found_groups, found_members)


async def _derive(
    tx: Tx, company_id: str, kind: Kind, found: Sequence[Stored], derived: frozenset[str]
) -> list[Served]:
    wanted = "groups" if kind == "User" else "members"
    if wanted not in derived or not found:
        return [Served(stored) for stored in found]
    if len(found) == 1:
        return [await _serve(tx, company_id, found[0], groups=True, members=True)]
    params = {"company_id": company_id, "ids": id_list([stored.id for stored in found])}
    held: dict[str, list[tuple[str, Any]]] = {stored.id: [] for stored in found}
    for holder, one, other in await tx.fetch_all(_SQL[f"{wanted}_of_many"], params):
        held[holder].append((one, other))
    if kind == "User":
        return [Served(stored, groups=held[stored.id]) for stored in found]
    return [Served(stored, members=held[stored.id]) for stored in found]


async def _fetch(tx: Tx, key: Mapping[str, Any], query: str) -> Stored:
    row = await tx.fetch_one(_SQL[query], key)
    if row is None:
        raise missing(key["type"], key["id"])
    return Stored(*row)


async def _insert_rows(tx: Tx, key: Mapping[str, str], rows: Iterable[tuple[str, str]]) -> None:
    if pairs := sorted(rows):
        await tx.execute(_SQL["insert_attributes"], {**key, "rows": msgspec.json.encode(pairs).decode()})


async def _update(tx: Tx, key: Mapping[str, str], before: Draft, after: Draft, at: int) -> None:
    try:
        await tx.execute(
            _SQL["update_resource"],
            {
                **key,
                "unique_key": after.unique_key,
                "display": after.display,
                "document": after.document,
                "at": at,
            },
        )
    except UniqueViolation:
        raise _taken(key["type"], after) from None
    for path, value in before.rows - after.rows:
        await tx.execute(_SQL["delete_attribute"], {**key, "path": path, "value": value})
    if added := after.rows - before.rows:
        await _insert_rows(tx, key, added)
    for path, value in before.unique_rows - after.unique_rows:
        await tx.execute(_SQL["delete_unique_value"], {**key, "path": path, "value": value})
    if added := after.unique_rows - before.unique_rows:
        await _insert_unique(tx, key, added)


async def _insert_unique(tx: Tx, key: Mapping[str, str], rows: Iterable[tuple[str, str]]) -> None:
    for path, value in rows:
        try:
            await tx.execute(_SQL["insert_unique"], {**key, "path": path, "value": value})
        except UniqueViolation:
            raise Uniqueness(f"Another {key['type']} has this value of {path}, which must be unique.") from None


async def _keep_secrets(tx: Tx, key: Mapping[str, str], secrets: Mapping[str, str | None], at: int) -> int:
    for path, hashed in secrets.items():
        row = {"company_id": key["company_id"], "id": key["id"], "path": path}
        await tx.execute(_SQL["delete_secret"], row)
        if hashed is not None:
            await tx.execute(_SQL["insert_secret"], {**row, "hash": hashed, "at": at})
    return len(secrets)


async def _drop_references(tx: Tx, company_id: str, resource_id: str, holders: tuple[str, Edit], at: int) -> list[str]:
    path, edit = holders
    wanted = {"company_id": company_id, "type": "User", "path": path, "value": resource_id}
    changed = []
    for (holder_id,) in await tx.fetch_all(_SQL["holders_of"], wanted):
        key = {"company_id": company_id, "type": "User", "id": holder_id}
        row = await tx.fetch_one(_SQL["lock_resource"], key)
        drafts = edit(Stored(*row)).drafts if row is not None else None
        if drafts is not None:
            await _update(tx, key, *drafts, at)
            changed.append(holder_id)
    return changed
