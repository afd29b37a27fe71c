"""Source of every flow, files: the directory as Entra's CSV files, which ``importing`` reads back to the same state.

Users go out in the download-users format. Attributes that it has no column for, and that somebody has, follow in
columns of their own by Graph's names, which Entra itself would not read. Managers, deleted objects and directory
extensions that are not text are in no file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from provisor.clock import iso
from provisor.directory.attributes import EXTENSION_ATTRIBUTES, USER, is_extension
from provisor.directory.files.columns import DOWNLOAD_HEADER, MEMBERS_HEADER, VERSION, attribute_column
from provisor.directory.files.formulas import guarded
from provisor.directory.model import User
from provisor.directory.service import Directory
from provisor.security.actor import Actor

_PAGE = 500


async def export_users(directory: Directory, actor: Actor, tenant_id: str) -> AsyncIterator[str]:
    """All live users as the text of one CSV file, in pieces; CRLF, to be encoded as UTF-8 (Excel wants a BOM)."""
    further: set[str] = set()
    async for page in _live_users(directory, actor, tenant_id):
        for user in page:
            further.update(user.attributes)
    header = [*DOWNLOAD_HEADER, *_further_columns(further)]
    yield _csv([header])
    cells = [_cell_of(name) for name in header]
    async for page in _live_users(directory, actor, tenant_id):
        yield _csv([cell(user) for cell in cells] for user in page)


async def export_members(directory: Directory, actor: Actor, tenant_id: str, group_id: str) -> AsyncIterator[str]:
    """A group's live direct members as the text of one bulk-import-members file, in pieces.

    Users are named by user principal name, groups within the group by their object ID.
    """
    yield _csv([[VERSION], [MEMBERS_HEADER]])
    after: str | None = None
    while page := await directory.members_after(actor, tenant_id, group_id, after, _PAGE):
        after = page[-1].id
        people = await directory.users_by_id(actor, tenant_id, [member.id for member in page])
        yield _csv([people[m.id].user_principal_name if m.id in people else m.id] for m in page)


async def _live_users(directory: Directory, actor: Actor, tenant_id: str) -> AsyncIterator[list[User]]:
    after: str | None = None
    while page := await directory.users_after(actor, tenant_id, after, _PAGE):
        after = page[-1].id
        yield [user for user in page if user.deleted_at is None]


def _further_columns(attributes: Iterable[str]) -> list[str]:
    """The columns, in order, for those of the attributes that Entra's header has no column for."""
    standard = {column.key for name in DOWNLOAD_HEADER if (column := attribute_column(name)) is not None}
    names: list[str] = []
    for name in sorted(set(attributes) - standard):
        if name == "onPremisesExtensionAttributes":
            names += EXTENSION_ATTRIBUTES
        elif name == "employeeOrgData":
            names += USER.attributes[name].parts
        elif is_extension(name) or USER.attributes[name].type != "record":
            names.append(name)
    return names


def _cell_of(name: str) -> Callable[[User], str]:
    """What a column says of a user."""
    if name == "objectId":
        return lambda user: user.id
    if name == "createdDateTime":
        return lambda user: iso(user.created_at)
    column = attribute_column(name)
    if column is None:
        return lambda _: ""
    key, part = column.key, column.part
    if part is not None:
        return lambda user: _text(user.attributes.get(key, {}).get(part))
    return lambda user: _text(user.attributes.get(key))


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value)
        case str():
            return guarded(value)
        case list() if all(isinstance(item, str) for item in value):
            return guarded(";".join(value))
        case _:
            return ""


def _csv(rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
