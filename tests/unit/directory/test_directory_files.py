"""Files in isolation: encodings, records, headers and cells; each fault with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.directory.files.formulas import bared, guarded
from provisor.directory.files.report import FileFault, InputFile
from provisor.directory.files.rows import RowFile, UserRow

BULK = (
    "Name [displayName] Required,User name [userPrincipalName] Required,"
    "Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,"
    "First name [givenName],Office phone [telephoneNumber]"
)
GOOD = "Anna,anna@c.example,S3cret-word,No,Anna,+49 30 23125 000"
MEMBERS = "version:v1.0\r\nMember object ID or user principal name [memberObjectIdOrUpn] Required\r\n"
DOWNLOAD = "userPrincipalName,displayName,accountEnabled"


def _read(data: str | bytes) -> tuple[list[UserRow], list[FileFault]]:
    file = RowFile(InputFile("f.csv", data.encode() if isinstance(data, str) else data))
    faults = list(file.faults)
    rows = list(file.users(faults))
    return rows, faults


def _bulk(*lines: str) -> str:
    return "\r\n".join(["version:v1.0", BULK, *lines, ""])


def _told(data: str | bytes) -> list[tuple[int, str | None, str]]:
    return [(fault.line, fault.column, fault.message) for fault in _read(data)[1]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_encoding_and_line_end_of_a_spreadsheet_is_read(encoding: str, line_end: str) -> None:
    text = _bulk("Zoë Brânză,zoe@c.example,x,Yes,Zoë,").replace("\r\n", line_end)
    rows, faults = _read(text.encode(encoding))
    assert faults == []
    assert [(row.line, row.upn, row.attributes["displayName"]) for row in rows] == [
        (3, "zoe@c.example", "Zoë Brânză"),
    ]


def test_a_bulk_create_row_becomes_attributes_and_the_password_does_not() -> None:
    (row,), faults = _read(_bulk(GOOD))
    assert faults == []
    assert row == UserRow(
        3,
        "anna@c.example",
        None,
        {
            "displayName": "Anna",
            "userPrincipalName": "anna@c.example",
            "accountEnabled": True,
            "givenName": "Anna",
            "businessPhones": ["+49 30 23125 000"],
        },
        True,
    )


@pytest.mark.parametrize(("cell", "enabled"), [("No", True), ("no", True), ("YES", False), (" Yes ", False)])
def test_to_block_sign_in_is_to_disable_the_account(cell: str, enabled: bool) -> None:
    (row,), _ = _read(_bulk(f"Anna,anna@c.example,x,{cell},,"))
    assert row.attributes["accountEnabled"] is enabled


@pytest.mark.parametrize(
    "header",
    [
        "userPrincipalName,displayName,passwordProfile,accountEnabled",
        "[ UserPrincipalName ],x [DisplayName],[passwordProfile] Required:,[accountEnabled]",
        "version:v1.0,,,\r\nuserPrincipalName,displayName,passwordProfile,accountEnabled",
        "\r\nVersion:v1.0\r\n\r\n,,,\r\nuserPrincipalName,displayName,passwordProfile,accountEnabled,,",
    ],
)
def test_headers_are_known_by_the_name_in_brackets_or_alone_in_any_order(header: str) -> None:
    (row,), faults = _read(f"{header}\r\nanna@c.example,Anna,x,Yes\r\n")
    assert faults == []
    assert row.attributes == {
        "userPrincipalName": "anna@c.example",
        "displayName": "Anna",
        "accountEnabled": False,
    }


def test_the_row_of_examples_and_empty_rows_are_no_users() -> None:
    example = "Example: Chris Green,Example: chris@c.example,Example: x,Example: No,Example: Chris,"
    rows, faults = _read(_bulk(example, "", ",,,,,", GOOD))
    assert faults == []
    assert [(row.line, row.upn) for row in rows] == [(6, "anna@c.example")]


def test_a_download_is_read_in_its_old_and_its_new_spelling() -> None:
    guid = "9b1f6a52-0000-4000-8000-00000000000a"
    old = f"{DOWNLOAD},objectId,mobile,createdDateTime\na@c.example,A,True,{guid},1,8/19/2021"
    new = f"{DOWNLOAD},id,mobilePhone,directorySynced\na@c.example,A,true,{guid.upper()},1,"
    for text in (old, new):
        (row,), faults = _read(text)
        assert faults == []
        assert row.id == guid
        assert row.attributes == {
            "userPrincipalName": "a@c.example",
            "displayName": "A",
            "accountEnabled": True,
            "mobilePhone": "1",
        }


def test_a_quoted_cell_may_hold_commas_quotes_and_line_ends() -> None:
    rows, faults = _read(_bulk('"Anna, ""the\r\nfirst""",anna@c.example,x,No,,', GOOD.replace("anna", "ben")))
    assert faults == []
    assert [(row.line, row.attributes["displayName"]) for row in rows] == [
        (3, 'Anna, "the\r\nfirst"'),
        (5, "Anna"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", (0, None, "The file has no header line.")),
        ("version:v1.0\r\n", (0, None, "The file has no header line.")),
        (_bulk(GOOD).replace("v1.0", "v2.0"), (1, None, "'version:v2.0' is not known here; version:v1.0 is.")),
        (
            _bulk(GOOD).replace("[givenName]", "[givnName]"),
            (2, "givnName", "There is no column 'givnName'; did you mean givenName?"),
        ),
        (f"{DOWNLOAD},zzz\n", (1, "zzz", "There is no column 'zzz'.")),
        (f"{DOWNLOAD},,mail\n", (1, None, "Column 4 has no name.")),
        (f"{DOWNLOAD},displayname\n", (1, "displayname", "The column displayname is there twice.")),
        (f"{DOWNLOAD},mobile,mobilePhone\n", (1, "mobilePhone", "The column mobilePhone is there twice.")),
        (
            _bulk().replace("Initial password [passwordProfile] Required,", ""),
            (2, "passwordProfile", "The required column passwordProfile is missing."),
        ),
        ("displayName\n", (1, "userPrincipalName", "The required column userPrincipalName is missing.")),
        (
            f"{DOWNLOAD}\n".replace(",", ";"),
            (1, None, "The columns are not separated by commas: save the file as comma-separated CSV."),
        ),
    ],
)
def test_a_header_that_cannot_be_used_is_told_with_its_column(text: str, told: tuple[int, str | None, str]) -> None:
    assert _told(text) == [told]


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("Anna,anna@c.example,x,No", None, "This line has 4 of 6 columns; a part of it is missing."),
        (f"{GOOD},more", None, "This line has 7 columns, the header 6: a comma may lack its quotes."),
        ('Anna,"anna@c.example,x,No,,', None, "A quote that is opened in this record is never closed"),
        ('"An"na,anna@c.example,x,No,,', None, "The quotes in this record do not pair up"),
        (",anna@c.example,x,No,,", "displayName", "displayName is required and empty here."),
        ("Anna, ,x,No,,", "userPrincipalName", "userPrincipalName is required and empty here."),
        ("Anna,anna@c.example,,No,,", "passwordProfile", "passwordProfile is required and empty here."),
        ("Anna,anna@c.example,x,,,", "accountEnabled", "accountEnabled is required and empty here."),
        ("Anna,anna@c.example,x,True,,", "accountEnabled", "accountEnabled is Yes or No, not 'True'."),
        ("Anna,an na@c.example,x,No,,", "userPrincipalName", "cannot be 'an na@c.example': ' ' is not allowed in it."),
        (f"{'x' * 257},anna@c.example,x,No,,", "displayName", "displayName has 257 characters, 256 are allowed."),
        (
            f"Anna,anna@c.example,x,No,,{'1' * 65}",
            "telephoneNumber",
            "businessPhones has 65 characters, 64 are allowed.",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_told_with_line_and_column(line: str, column: str | None, message: str) -> None:
    ((told_line, told_column, told_message),) = _told(_bulk(GOOD, line))
    assert (told_line, told_column) == (4, column)
    assert message in told_message


def test_all_faults_of_a_file_are_told_and_the_good_rows_are_still_read() -> None:
    rows, faults = _read(
        _bulk("Anna,anna,x,Maybe,,", GOOD, "Ben", '"B"x,ben@c.example,x,No,,', ",carl@c.example,,No,,")
    )
    assert [row.upn for row in rows] == ["anna@c.example"]
    assert [(fault.line, fault.column) for fault in faults] == [
        (3, "accountEnabled"),
        (3, "userPrincipalName"),
        (5, None),
        (6, None),
        (7, "displayName"),
        (7, "passwordProfile"),
    ]


def test_a_quote_that_swallows_lines_is_told_where_it_opens() -> None:
    told = _told(_bulk(GOOD, 'Ben,"ben@c.example,x,No,,', GOOD, GOOD))
    assert [line for line, _, _ in told] == [4]


def test_no_fault_ever_quotes_a_password() -> None:
    lines = [
        "Anna,anna,Top-Secret-1,Top,,",
        "Anna,anna@c.example,Top-Secret-1",
        '"An"na,anna@c.example,Top-Secret-1,No,,',
        "Anna,anna@c.example,Top-Secret-1,No,,,,x",
        'Anna,"anna@c.example,Top-Secret-1,No,,',
    ]
    told = _told(_bulk(*lines))
    assert len(told) == len(lines) + 1
    assert "Secret" not in str(told)


def test_bytes_that_are_not_utf_8_are_told_by_line_and_byte() -> None:
    text = _bulk(GOOD, "Zoë,zoe@c.example,x,No,,", "Anna,anna,x,No,,", "Chloé,chloe@c.example,x,No,,").encode("latin-1")
    assert _told(text) == [
        (4, None, "Byte 3 of this line (0xEB) is not UTF-8: save the file as 'CSV UTF-8'."),
        (6, None, "Byte 5 of this line (0xE9) is not UTF-8: save the file as 'CSV UTF-8'."),
        (5, "userPrincipalName", "userPrincipalName cannot be 'anna': it needs exactly one @."),
    ]


def test_half_a_character_of_utf_16_is_told() -> None:
    ((line, _, message),) = _told(_bulk(GOOD).encode("utf-16-le").join([b"\xff\xfe", b"\x41"]))
    assert line == 4
    assert "UTF-16-LE" in message


def test_utf_16_without_a_mark_is_recognised() -> None:
    ((line, _, message),) = _told(_bulk(GOOD).encode("utf-16-le"))
    assert line == 1
    assert "UTF-16" in message


def test_a_nul_is_told_with_its_line() -> None:
    assert [line for line, _, _ in _told(_bulk(GOOD, "An\0na,a@c.example,x,No,,"))] == [4]


def test_members_are_object_ids_or_names() -> None:
    guid = "9B1F6A52-0000-4000-8000-00000000000A"
    file = RowFile(
        InputFile("m.csv", f"{MEMBERS}Example: {guid}\r\nanna@c.example\r\n\r\n {guid}\r\nnobody\r\n".encode())
    )
    faults: list[FileFault] = []
    assert [(row.line, row.ref) for row in file.members(faults)] == [(4, "anna@c.example"), (6, guid.lower())]
    assert [(fault.line, fault.message) for fault in faults] == [
        (7, "'nobody' is neither an object ID nor a user principal name."),
    ]


def test_a_members_file_has_no_other_columns() -> None:
    file = RowFile(InputFile("m.csv", b"memberObjectIdOrUpn,displayName\n"))
    assert [fault.message for fault in file.faults] == ["There is no column 'displayName'."]


@given(st.text("'=+-@\t\r \nab1,", max_size=8))
def test_an_exported_cell_is_no_formula_and_is_imported_as_it_was(text: str) -> None:
    cell = guarded(text)
    assert bared(cell) == text
    assert cell[:1] not in ("=", "@", "\t", "\r")
    assert cell[:1] not in ("+", "-") or not any(letter.isalpha() for letter in cell)
