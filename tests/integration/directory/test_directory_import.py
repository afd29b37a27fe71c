"""Import and export of files, against real databases: all or nothing, again and again, there and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from provisor.directory.files.exporting import export_members, export_users
from provisor.directory.files.importing import CHUNK, import_files
from provisor.directory.files.report import GroupImport, ImportReport, InputFile
from provisor.directory.model import Counts, NewUser, User
from provisor.directory.sample import Loaded, load_sample, sample_directory
from provisor.directory.service import Directory
from provisor.errors import Forbidden
from provisor.security.actor import Actor, Realm, Right

MakeUser = Callable[..., Awaitable[User]]
Import = Callable[..., Awaitable[ImportReport]]

BULK = (
    "version:v1.0\r\nName [displayName] Required,User name [userPrincipalName] Required,"
    "Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,"
    "Job title [jobTitle]\r\n"
)
MEMBERS = "version:v1.0\r\nMember object ID or user principal name [memberObjectIdOrUpn] Required\r\n"
NOBODY = "00000000-0000-4000-8000-000000000000"


def bulk(*rows: str) -> str:
    return BULK + "".join(f"{row}\r\n" for row in rows)


@pytest.fixture
def run(directory: Directory, actor: Actor, tenant: str) -> Import:
    """Import files given as name=text; a text with a colon-separated group is a pair."""

    async def import_texts(**files: str | tuple[str, str]) -> ImportReport:
        sources = [
            InputFile(f"{name}.csv", *((text[0].encode(), text[1]) if isinstance(text, tuple) else (text.encode(),)))
            for name, text in files.items()
        ]
        return await import_files(directory, actor, tenant, sources)

    return import_texts


async def _text(pieces: AsyncIterator[str]) -> str:
    return "".join([piece async for piece in pieces])


async def _everybody(directory: Directory, actor: Actor, tenant: str) -> dict[str, dict[str, Any]]:
    return {
        user.id: user.attributes
        for user in await directory.users_after(actor, tenant, None, 10_000)
        if user.deleted_at is None
    }


async def test_users_and_their_groups_arrive_in_one_call(
    run: Import, directory: Directory, actor: Actor, tenant: str
) -> None:
    users = bulk("Anna,anna@c.example,Secret-1,No,Optician", "Ben,ben@c.example,Secret-2,Yes,")
    report = await run(
        members=(f"{MEMBERS}ANNA@c.example\r\nben@c.example\r\nanna@c.example\r\n", "Opticians"), users=users
    )
    assert report == ImportReport(
        created=2,
        groups=[GroupImport("Opticians", created=True, added=2, unchanged=0)],
        passwords_ignored=2,
    )
    anna = await directory.find_user(actor, tenant, "anna@c.example")
    assert anna.attributes == {
        "displayName": "Anna",
        "userPrincipalName": "anna@c.example",
        "accountEnabled": True,
        "jobTitle": "Optician",
        "mailNickname": "anna",
        "userType": "Member",
    }
    assert not (await directory.find_user(actor, tenant, "ben@c.example")).account_enabled
    assert await directory.counts(actor, tenant) == Counts(2, 1, 2)


async def test_the_same_files_again_change_nothing(
    run: Import, directory: Directory, actor: Actor, tenant: str
) -> None:
    files: dict[str, Any] = {
        "users": bulk("Anna,anna@c.example,x,No,Optician", "Ben,ben@c.example,x,No,"),
        "members": (f"{MEMBERS}anna@c.example\r\n", "Opticians"),
    }
    await run(**files)
    head = await directory.head(actor, tenant)
    report = await run(**files)
    assert (report.created, report.updated, report.unchanged) == (0, 0, 2)
    assert report.groups == [GroupImport("Opticians", created=False, added=0, unchanged=1)]
    assert await directory.head(actor, tenant) == head


async def test_an_update_writes_what_differs_and_leaves_what_is_empty(
    run: Import, directory: Directory, actor: Actor, tenant: str
) -> None:
    await run(users=bulk("Anna,anna@c.example,x,No,Optician", "Ben,ben@c.example,x,No,Clerk"))
    report = await run(
        users=bulk("Anna,anna@c.example,x,No,", "Ben,ben@c.example,x,Yes,Buyer", "Cy,cy@c.example,x,No,")
    )
    assert (report.created, report.updated, report.unchanged) == (1, 1, 1)
    assert (await directory.find_user(actor, tenant, "anna@c.example")).attributes["jobTitle"] == "Optician"
    ben = await directory.find_user(actor, tenant, "ben@c.example")
    assert (ben.attributes["jobTitle"], ben.account_enabled) == ("Buyer", False)


async def test_with_any_fault_in_any_file_nothing_is_applied_and_all_are_told(
    run: Import, directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    await make_user("known")
    head = await directory.head(actor, tenant)
    report = await run(
        first=bulk("Anna,anna@c.example,x,No,", "Ben,b en@c.example,x,Perhaps,", "Again,ANNA@c.example,x,No,"),
        second=bulk("Third,anna@c.example,x,No,", "Dora,dora@c.example,,No,"),
        members=(f"{MEMBERS}dora@c.example\r\nknown@lindenhof.example\r\nstranger@c.example\r\n{NOBODY}\r\n", "New"),
        nameless=f"{MEMBERS}anna@c.example\r\n",
    )
    assert [(fault.file, fault.line, fault.column) for fault in report.errors] == [
        ("first.csv", 4, "accountEnabled"),
        ("first.csv", 4, "userPrincipalName"),
        ("first.csv", 5, "userPrincipalName"),
        ("second.csv", 3, "userPrincipalName"),
        ("second.csv", 4, "passwordProfile"),
        ("members.csv", 5, "memberObjectIdOrUpn"),
        ("members.csv", 6, "memberObjectIdOrUpn"),
        ("nameless.csv", 0, None),
    ]
    assert report.errors[2].message == "ANNA@c.example is in line 3 of first.csv already."
    assert "--group NAME" in report.errors[7].message
    assert (report.created, report.updated, report.groups) == (0, 0, [])
    assert await directory.head(actor, tenant) == head


async def test_a_group_for_a_file_of_users_is_a_misunderstanding(run: Import) -> None:
    report = await run(users=(bulk("Anna,anna@c.example,x,No,"), "Opticians"))
    assert [fault.line for fault in report.errors] == [0]
    assert "not members" in report.errors[0].message


async def test_a_group_that_is_not_one_is_told(run: Import, directory: Directory, actor: Actor, tenant: str) -> None:
    for _ in range(2):
        await directory.create_group(actor, tenant, {"displayName": "Twins"})
    gone = await directory.create_group(actor, tenant, {"displayName": "Gone"})
    await directory.delete_group(actor, tenant, gone.id)
    own = await directory.create_group(actor, tenant, {"displayName": "Own"})
    for group, member, message in (
        ("Twins", own.id, "Several groups are called 'Twins'"),
        (gone.id, own.id, "is deleted"),
        ("Own", own.id, "cannot be a member of itself"),
        ("Own", gone.id, "not in the directory"),
    ):
        report = await run(members=(f"{MEMBERS}{member}\r\n", group))
        assert [fault for fault in report.errors if message in fault.message], (group, report.errors)


async def test_a_download_follows_a_person_who_was_renamed(
    run: Import, directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    anna, ben = await make_user("anna"), await make_user("ben")
    header = "userPrincipalName,displayName,objectId\n"
    report = await run(users=f"{header}anna.keller@c.example,Anna Keller,{anna.id}\n")
    assert (report.created, report.updated) == (0, 1)
    assert (await directory.find_user(actor, tenant, "anna.keller@c.example")).id == anna.id

    taken = await run(users=f"{header}ben@lindenhof.example,Anna,{anna.id}\n")
    assert ben.id in taken.errors[0].message
    await directory.delete_user(actor, tenant, ben.id)
    deleted = await run(users=f"{header}ben@lindenhof.example,Ben,{ben.id}\n")
    assert "deleted user ben@lindenhof.example" in deleted.errors[0].message


async def test_two_lines_for_one_person_are_a_fault(run: Import, make_user: MakeUser) -> None:
    anna = await make_user("anna")
    header = "userPrincipalName,displayName,objectId\n"
    report = await run(users=f"{header}new@c.example,Anna,{anna.id}\nanna@lindenhof.example,Anna,\n")
    assert [(fault.line, "line 2 of users.csv" in fault.message) for fault in report.errors] == [(3, True)]
    report = await run(users=f"{header}x@c.example,X,{NOBODY}\ny@c.example,Y,{NOBODY}\n")
    assert [(fault.line, fault.column) for fault in report.errors] == [(3, "objectId")]


async def test_new_people_keep_their_object_id_and_members_may_be_named_by_it(
    run: Import, directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    known = await make_user("known")
    one, two = "9b1f6a52-0000-4000-8000-000000000001", "9b1f6a52-0000-4000-8000-000000000002"
    users = (
        "userPrincipalName,displayName,id,createdDateTime\n"
        f"a@c.example,A,{one},8/19/2021 1:25:31 PM\nknown@lindenhof.example,Known,{two},\n"
    )
    report = await run(users=users, members=(f"{MEMBERS}{one}\r\n{two}\r\n", "Both"))
    assert (report.created, report.errors, report.columns_ignored) == (1, [], ["createdDateTime"])
    assert (await directory.find_user(actor, tenant, "a@c.example")).id == one
    members = await directory.groups_of(actor, tenant, [one, known.id])
    assert set(members) == {one, known.id}


async def test_more_than_a_chunk_is_imported_whole(
    run: Import, directory: Directory, actor: Actor, tenant: str
) -> None:
    count = 2 * CHUNK + 7
    rows = [f"U {n},u{n}@c.example,x,No," for n in range(count)]
    report = await run(
        users=bulk(*rows), members=(MEMBERS + "".join(f"u{n}@c.example\r\n" for n in range(count)), "All")
    )
    assert (report.created, report.groups[0].added) == (count, count)
    assert await directory.counts(actor, tenant) == Counts(count, 1, count)
    spoilt = await run(users=bulk(*rows, f"Late,u{CHUNK}@c.example,x,No,"))
    assert [fault.line for fault in spoilt.errors] == [count + 3]


async def test_what_is_exported_is_what_is_there_and_comes_back_to_it(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    await load_sample(directory, actor, tenant, 30)
    odd = await make_user(
        "odd",
        displayName=" =1+1, \"quoted\"\nand 'more'",
        jobTitle="'@SUM(A1)",
        mail="odd@mail.example",
        otherMails=["a@b.example", "c@d.example"],
        employeeHireDate="2026-01-01T00:00:00Z",
        employeeOrgData={"costCenter": "7"},
        onPremisesExtensionAttributes={"extensionAttribute3": "three"},
        showInAddressList=False,
        extension_0123456789abcdef0123456789abcdef_size="L",
        accountEnabled=False,
    )
    gone = await make_user("gone")
    await directory.delete_user(actor, tenant, gone.id)
    before = await _everybody(directory, actor, tenant)
    text = await _text(export_users(directory, actor, tenant))
    assert text.startswith("userPrincipalName,displayName,surname,mail,givenName,objectId,")
    assert gone.id not in text

    source = InputFile("users.csv", text.encode("utf-8-sig"))
    again = await import_files(directory, actor, tenant, [source])
    assert (again.created, again.updated, again.unchanged, again.errors) == (0, 0, len(before), [])

    other = (await directory.create_tenant(actor, "Other", "other.example")).id
    moved = await import_files(directory, actor, other, [source])
    assert (moved.created, moved.errors) == (len(before), [])
    assert await _everybody(directory, actor, other) == before
    assert (await directory.find_user(actor, other, odd.id)).attributes["jobTitle"] == "'@SUM(A1)"


async def test_members_are_exported_as_they_are_imported(
    directory: Directory, actor: Actor, tenant: str, make_user: MakeUser
) -> None:
    anna, gone = await make_user("anna"), await make_user("gone")
    inner = await directory.create_group(actor, tenant, {"displayName": "Inner"})
    outer = await directory.create_group(actor, tenant, {"displayName": "Outer"})
    await directory.add_members(actor, tenant, outer.id, [anna.id, gone.id, inner.id])
    await directory.delete_user(actor, tenant, gone.id)
    text = await _text(export_members(directory, actor, tenant, outer.id))
    assert text == f"{MEMBERS}anna@lindenhof.example\r\n{inner.id}\r\n"
    report = await import_files(directory, actor, tenant, [InputFile("m.csv", text.encode(), "Copy")])
    assert report.groups == [GroupImport("Copy", created=True, added=2, unchanged=0)]


async def test_who_may_only_read_imports_nothing(directory: Directory, tenant: str) -> None:
    reader = Actor(Realm("tenant", tenant), "reader", frozenset({Right.DIRECTORY_READ}))
    with pytest.raises(Forbidden):
        await import_files(directory, reader, tenant, [])


async def test_the_sample_is_loaded_once_and_completed_when_it_was_cut_short(
    directory: Directory, actor: Actor, tenant: str
) -> None:
    sample = sample_directory(60)
    memberships = sum(len(members) for members in sample.groups.values())
    await directory.create_users(actor, tenant, [NewUser(user) for user in sample.users[:25]])
    await directory.create_group(actor, tenant, {"displayName": "All Staff"})
    assert await load_sample(directory, actor, tenant, 60) == Loaded(35, 7, memberships)
    assert await directory.counts(actor, tenant) == Counts(60, 8, memberships)
    people = await directory.users_by_upn(actor, tenant, [user["userPrincipalName"] for user in sample.users])
    for user, manager in sample.managers.items():
        assert people[user].manager_id == people[manager].id
    head = await directory.head(actor, tenant)
    assert await load_sample(directory, actor, tenant, 60) == Loaded(0, 0, 0)
    assert await directory.head(actor, tenant) == head


async def test_the_real_directory_of_150_people_and_5_groups_arrives(
    directory: Directory, actor: Actor, tenant: str, shared_data: Path
) -> None:
    folder = shared_data / "example-com"
    groups = sorted((folder / "groups").glob("*.csv"))
    sources = [
        InputFile("users.csv", (folder / "users.csv").read_bytes()),
        *(InputFile(path.name, path.read_bytes(), path.stem) for path in groups),
    ]
    report = await import_files(directory, actor, tenant, sources)
    assert (report.created, report.errors, report.passwords_ignored) == (150, [], 150)
    assert {group.name: group.added for group in report.groups} == {
        "Accounting Managers": 2,
        "Directory Administrators": 3,
        "HR Managers": 2,
        "PD Managers": 2,
        "QA Managers": 2,
    }
    assert await directory.counts(actor, tenant) == Counts(150, 5, 11)
    sam = await directory.find_user(actor, tenant, "Sam Carter")
    assert sam.attributes == {
        "displayName": "Sam Carter",
        "userPrincipalName": "scarter@example.com",
        "accountEnabled": True,
        "givenName": "Sam",
        "surname": "Carter",
        "department": "Accounting",
        "usageLocation": "US",
        "state": "CA",
        "country": "United States",
        "officeLocation": "4612",
        "city": "Sunnyvale",
        "businessPhones": ["+1 408 555 4798"],
        "mailNickname": "scarter",
        "userType": "Member",
    }
