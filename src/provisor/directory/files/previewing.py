"""Source of every flow, files: what an import would do to the directory as it is now, without doing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from provisor.directory.attributes import USER
from provisor.directory.files.importing import Import, chunks
from provisor.directory.files.report import GroupImport, ImportReport, InputFile
from provisor.directory.files.rows import RowFile, UserRow
from provisor.directory.service import Directory
from provisor.security.actor import Actor, Right

# How many rows that change something a preview tells one by one; the numbers are of all of them.
TOLD = 200


class AttributeChange(msgspec.Struct, frozen=True):
    """One attribute of a user; null: it has none."""

    name: str
    before: Any
    after: Any


class RowChange(msgspec.Struct, frozen=True):
    """What one row of a file would do."""

    file: str
    line: int
    name: str
    action: Literal["create", "update"]
    changes: list[AttributeChange]


class ImportPreview(msgspec.Struct, frozen=True):
    """``report``: the numbers that an import would report now, or all faults. ``rows``: the first ``TOLD`` changes."""

    report: ImportReport
    rows: list[RowChange]


async def preview_files(
    directory: Directory, actor: Actor, tenant_id: str, sources: Sequence[InputFile]
) -> ImportPreview:
    """The import's dry run: it takes the same right and finds the same faults. Raises ``Forbidden``, ``NotFound``."""
    actor.require(Right.DIRECTORY_WRITE, tenant_id)
    work = Import(directory, actor, tenant_id, [RowFile(source) for source in sources])
    await work.check()
    if work.faults:
        return ImportPreview(ImportReport(errors=work.told_faults()), [])
    created = updated = unchanged = 0
    told: list[RowChange] = []
    for file in work.users:
        for rows in chunks(file.users([])):
            plan = await work.plan(file, rows, [])
            users = await directory.users_by_id(actor, tenant_id, plan.update)
            before = {user.id: user.attributes for user in users.values()}
            for row in rows:
                user_id = plan.known.get(row.line)
                changes = list(_changes(before.get(user_id, {}) if user_id else {}, row))
                created += user_id is None
                updated += user_id is not None and bool(changes)
                unchanged += user_id is not None and not changes
                if len(told) < TOLD and (user_id is None or changes):
                    action: Literal["create", "update"] = "create" if user_id is None else "update"
                    told.append(RowChange(file.name, row.line, row.upn, action, changes))
    groups = [await _members(work, directory, actor, tenant_id, file) for file in work.members]
    report = ImportReport(created, updated, unchanged, [], groups, work.passwords, work.columns_ignored)
    return ImportPreview(report, told)


def _changes(before: dict[str, Any], row: UserRow) -> Iterator[AttributeChange]:
    after = USER.merged(before, row.attributes)
    for name in sorted(row.attributes):
        if before.get(name) != after.get(name):
            yield AttributeChange(name, before.get(name), after.get(name))


async def _members(work: Import, directory: Directory, actor: Actor, tenant_id: str, file: RowFile) -> GroupImport:
    name = (file.group or "").strip()
    group = work.groups.get(name)
    added = unchanged = 0
    seen: set[str] = set()
    for rows in chunks(file.members([])):
        found = await work.resolve([row.ref for row in rows])
        # Who is not found is made by another file of this import.
        ids = {found.get(row.ref, row.ref) for row in rows} - seen
        seen |= ids
        memberships = await directory.groups_of(actor, tenant_id, ids) if group is not None else {}
        there = sum(group is not None and group.id in memberships.get(id_, ()) for id_ in ids)
        unchanged += there
        added += len(ids) - there
    return GroupImport(group.display_name if group else name, group is None, added, unchanged)
