"""Source of every flow, files: all files of one call are checked together, and against the directory; then applied.

An import creates users and updates those who are there; nobody is deleted, nobody leaves a group. A user is the same
when the object ID is (a download has it; a changed name is then a renaming), else when the user principal name is.
Users that are new keep the object ID of the file, so that a directory can move here. An empty cell leaves a value as it
is.

Initial passwords are counted and forgotten: nothing stores them yet.

With any fault nothing is applied. Without, chunks of 500 are, each in a transaction of its own, so that others can
write in between; an import that was killed is completed by running it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec

from provisor.directory.files.report import FileFault, GroupImport, ImportReport, InputFile
from provisor.directory.files.rows import MemberRow, RowFile, UserRow
from provisor.directory.groups import GroupNotFound
from provisor.directory.model import Group, NewUser, User
from provisor.directory.names import restored_upn, upn_key
from provisor.directory.service import Directory
from provisor.errors import Conflict
from provisor.security.actor import Actor, Right

T = TypeVar("T")

CHUNK = 500


async def import_files(
    directory: Directory, actor: Actor, tenant_id: str, sources: Sequence[InputFile]
) -> ImportReport:
    """Import files of any of the three formats; members files may name users of the other files.

    The report's ``errors`` are all faults there are, in the order of the files. Raises ``Forbidden``, ``NotFound``
    without such a tenant, and ``Conflict`` when somebody else takes a name while the import runs.
    """
    actor.require(Right.DIRECTORY_WRITE, tenant_id)
    work = Import(directory, actor, tenant_id, [RowFile(source) for source in sources])
    await work.check()
    return ImportReport(errors=work.told_faults()) if work.faults else await work.apply()


class Plan(msgspec.Struct):
    """What a chunk of rows comes to. ``known``: line -> id of the user who is there already."""

    create: list[NewUser]
    update: dict[str, dict[str, Any]]
    known: dict[int, str]


class Import:
    """One call: its files, checked together. What it will do is asked for file by file."""

    def __init__(self, directory: Directory, actor: Actor, tenant_id: str, files: Sequence[RowFile]) -> None:
        self._directory = directory
        self._actor = actor
        self._tenant_id = tenant_id
        self._order = {file.name: position for position, file in enumerate(files)}
        self.users = [file for file in files if file.kind in ("bulk-create", "download-users")]
        self.members = [file for file in files if file.kind == "members"]
        self.groups: dict[str, Group | None] = {}
        self.faults: list[FileFault] = [fault for file in files for fault in file.faults]
        if self.users and not self.members and len(self.users) == len(files):
            self.faults += [
                FileFault(
                    file.name, 0, None, "This file lists users, not members: a group is filled by a members file."
                )
                for file in files
                if file.group is not None
            ]
        # Where the files name whom: lower-cased name -> place; object ID of a file -> name; directory's id -> place.
        self._places: dict[str, str] = {}
        self._names_by_id: dict[str, str] = {}
        self._targets: dict[str, str] = {}
        self.passwords = 0
        # Whoever a faulty line names may well be a member elsewhere: that would be no second fault.
        self._unsure = any(file.kind is None for file in files)

    async def check(self) -> None:
        """Find every fault."""
        for file in self.users:
            for rows in chunks(file.users(self.faults)):
                fresh = [row for row in rows if self._is_first(file, row)]
                await self.plan(file, fresh, self.faults)
                self.passwords += sum(row.password for row in rows)
                await asyncio.sleep(0)
        for file in self.members:
            await self._check_group(file)
            for members in chunks(file.members(self.faults)):
                await self._check_members(file, members)

    def told_faults(self) -> list[FileFault]:
        """The faults, in the order of the files and their lines."""
        return sorted(self.faults, key=lambda f: (self._order[f.file], f.line, f.column or "", f.message))

    @property
    def columns_ignored(self) -> list[str]:
        """Columns of the files whose values only the directory gives."""
        return list(dict.fromkeys(name for file in self.users for name in file.columns_ignored))

    async def apply(self) -> ImportReport:
        """Do it."""
        created = updated = unchanged = 0
        for file in self.users:
            for rows in chunks(file.users([])):
                late: list[FileFault] = []
                plan = await self.plan(file, rows, late)
                if late:
                    raise Conflict(f"The directory changed during the import: {late[0].message}", hint="Import again.")
                if plan.create:
                    await self._directory.create_users(self._actor, self._tenant_id, plan.create)
                changed = (
                    await self._directory.update_users(self._actor, self._tenant_id, plan.update) if plan.update else 0
                )
                created += len(plan.create)
                updated += changed
                unchanged += len(plan.update) - changed
        groups = [await self._fill(file) for file in self.members]
        return ImportReport(created, updated, unchanged, [], groups, self.passwords, self.columns_ignored)

    def _is_first(self, file: RowFile, row: UserRow) -> bool:
        """Note the row's name and object ID; a second one of either is a fault."""
        place = f"line {row.line} of {file.name}"
        key = upn_key(row.upn)
        before = self._places.setdefault(key, place)
        if before != place:
            self._fault(file, row.line, "userPrincipalName", f"{row.upn} is in {before} already.")
            return False
        if row.id is not None and self._names_by_id.setdefault(row.id, key) != key:
            other = self._places[self._names_by_id[row.id]]
            self._fault(file, row.line, "objectId", f"The object ID {row.id} is in {other} already.")
            return False
        return True

    async def plan(self, file: RowFile, rows: Sequence[UserRow], faults: list[FileFault]) -> Plan:
        by_name = await self._directory.users_by_upn(self._actor, self._tenant_id, [row.upn for row in rows])
        ids = [row.id for row in rows if row.id is not None]
        by_id = await self._directory.users_by_id(self._actor, self._tenant_id, ids) if ids else {}
        plan = Plan([], {}, {})
        for row in rows:
            same = by_id.get(row.id) if row.id is not None else None
            namesake = by_name.get(upn_key(row.upn))
            if reason := self._hindrance(file, row, same, namesake):
                faults.append(FileFault(file.name, row.line, reason[0], reason[1]))
            elif (user := same or namesake) is not None:
                plan.update[user.id] = row.attributes
                plan.known[row.line] = user.id
            else:
                plan.create.append(NewUser(row.attributes, row.id))
        return plan

    def _hindrance(
        self, file: RowFile, row: UserRow, same: User | None, namesake: User | None
    ) -> tuple[str, str] | None:
        """Why the directory as it is does not allow this row (column, message)."""
        if same is not None and same.deleted_at is not None:
            name = restored_upn(same.id, same.user_principal_name)
            return "objectId", f"The object ID {same.id} belongs to the deleted user {name}: restore or purge that one."
        if same is not None and namesake is not None and same.id != namesake.id:
            return (
                "userPrincipalName",
                f"{row.upn} is the name of {namesake.display_name} ({namesake.id}), and not of {same.id}.",
            )
        user = same or namesake
        place = f"line {row.line} of {file.name}"
        if user is not None and (other := self._targets.setdefault(user.id, place)) != place:
            return "userPrincipalName", f"{row.upn} is {user.display_name} ({user.id}), whom {other} describes already."
        return None

    async def _check_group(self, file: RowFile) -> None:
        name = (file.group or "").strip()
        if not name:
            self._fault(file, 0, None, "This file lists members: say the group that it is for (--group NAME).")
            return
        try:
            group = await self._directory.find_group(self._actor, self._tenant_id, name)
        except GroupNotFound:
            self.groups[name] = None
        except Conflict as conflict:
            self._fault(file, 0, None, str(conflict))
        else:
            self.groups[name] = group
            if group.deleted_at is not None:
                self._fault(file, 0, None, f"The group {group.display_name!r} is deleted: restore it first.")

    async def _check_members(self, file: RowFile, rows: Sequence[MemberRow]) -> None:
        found = await self.resolve([row.ref for row in rows])
        for row in rows:
            if upn_key(row.ref) in self._places or row.ref in self._names_by_id:
                continue
            if self._unsure or any(upn_key(row.ref) in users.faulty for users in self.users):
                continue
            member = found.get(row.ref)
            group = self.groups.get((file.group or "").strip())
            if member is None:
                message = f"{row.ref} is in none of the files and not in the directory."
                self._fault(file, row.line, "memberObjectIdOrUpn", message)
            elif group is not None and member == group.id:
                self._fault(file, row.line, "memberObjectIdOrUpn", "The group cannot be a member of itself.")

    async def resolve(self, refs: Iterable[str]) -> dict[str, str]:
        """Reference -> id of the live user or group that it means; what means nobody is left out."""
        names = {ref: self._names_by_id.get(ref, upn_key(ref)) for ref in refs}
        users = await self._directory.users_by_upn(self._actor, self._tenant_id, names.values())
        live = {key: user.id for key, user in users.items() if user.deleted_at is None}
        found = {ref: live[key] for ref, key in names.items() if key in live}
        ids = [ref for ref in names if ref not in found and "@" not in ref]
        if ids:
            people = await self._directory.users_by_id(self._actor, self._tenant_id, ids)
            groups = await self._directory.groups_by_id(self._actor, self._tenant_id, ids)
            found |= {id_: id_ for id_, user in people.items() if user.deleted_at is None}
            found |= {id_: id_ for id_, group in groups.items() if group.deleted_at is None}
        return found

    async def _fill(self, file: RowFile) -> GroupImport:
        name = (file.group or "").strip()
        group = self.groups.get(name)
        created = group is None
        if group is None:
            group = await self._directory.create_group(self._actor, self._tenant_id, {"displayName": name})
            self.groups[name] = group
        added = total = 0
        for rows in chunks(file.members([])):
            found = await self.resolve([row.ref for row in rows])
            if missing := [row.ref for row in rows if row.ref not in found]:
                raise Conflict(f"The directory changed during the import: {missing[0]} is gone.", hint="Import again.")
            ids = list(dict.fromkeys(found[row.ref] for row in rows))
            added += len(await self._directory.add_members(self._actor, self._tenant_id, group.id, ids))
            total += len(ids)
        return GroupImport(group.display_name, created, added, total - added)

    def _fault(self, file: RowFile, line: int, column: str | None, message: str) -> None:
        self.faults.append(FileFault(file.name, line, column, message))


def chunks(rows: Iterator[T]) -> Iterator[list[T]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
