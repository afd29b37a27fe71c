"""Source of every flow, files: what an import did, or what is wrong with its files."""

from __future__ import annotations

import msgspec


class InputFile(msgspec.Struct, frozen=True):
    """A file to import. ``name`` is how faults call it; ``group`` the group that a members file fills."""

    name: str
    data: bytes
    group: str | None = None


class FileFault(msgspec.Struct, frozen=True):
    """One fault. ``line`` counts from 1, 0 means the whole file; ``column`` is its name in the header, or null.

    No message quotes a password.
    """

    file: str
    line: int
    column: str | None
    message: str


class GroupImport(msgspec.Struct, frozen=True):
    """What a members file did: members that were added, and those that were there before."""

    name: str
    created: bool
    added: int
    unchanged: int


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did to users and groups; with any ``errors``, nothing.

    ``passwords_ignored``: initial passwords in the files, none of which was stored. ``columns_ignored``: columns whose
    values only the directory gives, such as createdDateTime.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[FileFault] = []
    groups: list[GroupImport] = []
    passwords_ignored: int = 0
    columns_ignored: list[str] = []
