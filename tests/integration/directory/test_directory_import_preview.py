"""The preview of an import: it tells what the import then does, to the number, and changes nothing itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from provisor.directory.files.exporting import export_users
from provisor.directory.files.importing import CHUNK, import_files
from provisor.directory.files.previewing import AttributeChange, preview_files
from provisor.directory.files.report import GroupImport, InputFile
from provisor.directory.model import User
from provisor.directory.service import Directory
from provisor.errors import Forbidden
from provisor.security.actor import Actor, Realm, Right

MakeUser = Callable[..., Awaitable[User]]
BULK = (
    "version:v1.0\r\nName [displayName] Required,User name [userPrincipalName] Required,"
    "Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,"
    "Job title [jobTitle]\r\n"
)
MEMBERS = "version:v1.0\r\nMember object ID or user principal name [memberObjectIdOrUpn] Required\r\n"


def bulk(*rows: str) -> InputFile:
    return InputFile("users.csv", (BULK + "".join(f"{row}\r\n" for row in rows)).encode())


async def test_each_row_is_told_with_what_it_would_change(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    await make_user("anna", jobTitle="Clerk")
    await make_user("ben", jobTitle="Porter", displayName="Ben")
    files = [
        bulk(
            "Anna,anna@lindenhof.example,secret-1,No,Head",
            "Ben,ben@lindenhof.example,secret-2,No,Porter",
            "Cleo,cleo@lindenhof.example,secret-3,No,",
        )
    ]
    before = await directory.head(actor, tenant)
    preview = await preview_files(directory, actor, tenant, files)
    assert await directory.head(actor, tenant) == before
    assert [(row.line, row.name, row.action) for row in preview.rows] == [
        (3, "anna@lindenhof.example", "update"),
        (5, "cleo@lindenhof.example", "create"),
    ]
    assert preview.rows[0].changes == [AttributeChange("jobTitle", "Clerk", "Head")]
    assert AttributeChange("displayName", None, "Cleo") in preview.rows[1].changes
    assert "secret" not in repr(preview)
    assert preview.report == await import_files(directory, actor, tenant, files)
    again = await preview_files(directory, actor, tenant, files)
    assert (again.report.created, again.report.updated, again.report.unchanged, again.rows) == (0, 0, 3, [])


async def test_a_members_file_beside_the_file_that_makes_its_members(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    anna = await make_user("anna")
    group = await directory.create_group(actor, tenant, {"displayName": "Sales", "securityEnabled": True})
    await directory.add_members(actor, tenant, group.id, [anna.id])
    people = bulk("Cleo,cleo@lindenhof.example,secret-3,No,")
    members = f"{MEMBERS}anna@lindenhof.example\r\ncleo@lindenhof.example\r\n{anna.id}\r\n".encode()
    for name, outcome in (("Sales", GroupImport("Sales", False, 1, 1)), ("New", GroupImport("New", True, 2, 0))):
        files = [people, InputFile("members.csv", members, name)]
        preview = await preview_files(directory, actor, tenant, files)
        assert preview.report.groups == [outcome]
    assert (await import_files(directory, actor, tenant, files)).groups == [outcome]


async def test_faults_are_the_imports_own(directory: Directory, actor: Actor, tenant: str) -> None:
    files = [bulk("Anna,nobody at all,secret,No,"), InputFile("odd.csv", b"x,y\r\n1,2\r\n")]
    preview = await preview_files(directory, actor, tenant, files)
    assert preview.rows == []
    assert preview.report == await import_files(directory, actor, tenant, files)
    assert {fault.file for fault in preview.report.errors} == {"users.csv", "odd.csv"}


async def test_more_rows_than_one_chunk_and_a_whole_download(directory: Directory, actor: Actor, tenant: str) -> None:
    files = [bulk(*(f"P{n},p{n}@lindenhof.example,secret,No," for n in range(CHUNK + 3)))]
    preview = await preview_files(directory, actor, tenant, files)
    assert (preview.report.created, len(preview.rows)) == (CHUNK + 3, 200)
    await import_files(directory, actor, tenant, files)
    text = "".join([piece async for piece in export_users(directory, actor, tenant)])
    preview = await preview_files(directory, actor, tenant, [InputFile("download.csv", text.encode())])
    assert (preview.report.unchanged, preview.rows) == (CHUNK + 3, [])


async def test_who_may_not_write_may_not_ask_what_would_be_written(directory: Directory, tenant: str) -> None:
    reader = Actor(Realm("tenant", tenant), "reader", frozenset({Right.DIRECTORY_READ}))
    with pytest.raises(Forbidden):
        await preview_files(directory, reader, tenant, [bulk()])
