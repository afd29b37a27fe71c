"""App side, step 2: users, groups and members in the database; a change and its outbox entry are one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from provisor.events.model import NewOutboxChange
from provisor.events.store import append_outbox
from provisor.provider.people.store import Watch
from provisor.provider.resources.custom.store import DefinitionStore
from provisor.provider.resources.lists.store import EVERYBODY, ListStore, serve
from provisor.provider.resources.membership.store import (
    add_members,
    at_once,
    change_members,
    joins_or_leaves,
    leave_groups,
)
from provisor.provider.resources.membership.store import (
    members as members_of,
)
from provisor.provider.resources.model import (
    Counts,
    Draft,
    Edited,
    Kind,
    Served,
    Stored,
)
from provisor.scim.errors import NotFound404, PreconditionFailed, Uniqueness
from provisor.storage.database import Database, Tx, UniqueViolation
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provider.resources")
_NOTHING: Mapping[str, str | None] = {}

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
        self.lists = ListStore(database)
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
            return await serve(tx, company_id, Stored(*row), groups=groups, members=members)

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
        most_members: int = EVERYBODY,
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
            served = await serve(tx, company_id, stored, groups=True, members=True, most=most_members)
            if edited.drafts is not None or changed:
                await append_outbox(tx, company_id, [NewOutboxChange(kind, resource_id, "updated")], at)
            return served

        if kind == "Group" and accepts is None and self._database.dialect == "postgresql":
            quickly = await self._one_member(company_id, resource_id, edit, at, most_members)
            if quickly is not None:
                return quickly
        served = await self._database.write(work)
        watch.tell()
        return served

    async def _one_member(self, company_id: str, group_id: str, edit: Edit, at: int, most: int) -> Served | None:
        """The commonest request of all with the fewest round trips; null where the request is another one."""

        async def work(tx: Tx) -> Served | None:
            key = {"company_id": company_id, "type": "Group", "id": group_id}
            edited = edit(await _fetch(tx, key, "read_resource"))
            what = joins_or_leaves(edited.members)
            if what is None or edited.drafts is not None or edited.secrets:
                return None
            row = await at_once(tx, company_id, group_id, what, at)
            if row is None:
                return None
            return await serve(tx, company_id, Stored(*row), groups=False, members=True, most=most)

        return await self._database.write_apart(work)

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
