"""Target attribute paths: how they are read, and what they find and set in documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisor.connector.paths import ENTERPRISE, flatten, parse_path, read, write
from provisor.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "urn", "attribute", "selector", "sub"),
    [
        ("userName", None, "userName", None, None),
        ("name.givenName", None, "name", None, "givenName"),
        ('emails[type eq "work"].value', None, "emails", (("type", "work"),), "value"),
        ('emails[type EQ "work" and primary eq true]', None, "emails", (("type", "work"), ("primary", True)), None),
        ('roles[primary eq "True"].display', None, "roles", (("primary", True),), "display"),
        (r'x[type eq "a \"b\" ] and c"].value', None, "x", (("type", 'a "b" ] and c'),), "value"),
        (f"{ENTERPRISE}:department", ENTERPRISE, "department", None, None),
        (f"{ENTERPRISE}:manager.value", ENTERPRISE, "manager", None, "value"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:title", None, "title", None, None),
        ('urn:x:Acme:2.0:User:tags[type eq "a:b"].value', "urn:x:Acme:2.0:User", "tags", (("type", "a:b"),), "value"),
    ],
)
def test_a_path_is_taken_apart(
    text: str, urn: str | None, attribute: str, selector: tuple[Any, ...] | None, sub: str | None
) -> None:
    path = parse_path(text)

    assert (path.urn, path.attribute, path.selector, path.sub) == (urn, attribute, selector, sub)


@pytest.mark.parametrize(
    "text", ["", "user name", "emails[].value", 'emails[type co "work"]', "a.b.c", "emails[type eq"]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a target attribute"):
        parse_path(text)


DOCUMENT = {
    "schemas": ["s"],
    "id": "u1",
    "USERNAME": "ada",
    "active": True,
    "name": {"givenName": "Ada"},
    "emails": [
        {"type": "home", "value": "h@x"},
        {"type": "Work", "value": "w@x", "primary": True},
    ],
    "roles": [{"value": "Admin", "primary": True}],
    ENTERPRISE: {"department": "R&D", "manager": {"value": "u2", "displayName": "Bob"}},
    "meta": {"resourceType": "User"},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("userName", "ada"),
        ("name.GIVENNAME", "Ada"),
        ('emails[type eq "work"].value', "w@x"),
        ('emails[type eq "other"].value', None),
        ("emails.value", "h@x"),
        ('roles[primary eq "True"].value', "Admin"),
        (f"{ENTERPRISE}:department", "R&D"),
        (f"{ENTERPRISE.upper()}:manager".replace("URN:", "urn:"), "u2"),
        ("title", None),
        ("title.sub", None),
        ("urn:x:none:User:a", None),
    ],
)
def test_a_path_finds_its_value_in_any_case(path: str, value: object) -> None:
    assert read(DOCUMENT, parse_path(path)) == value


def test_a_document_is_flattened_to_paths() -> None:
    values = flatten(DOCUMENT)

    assert values['emails[type eq "Work"].value'] == "w@x"
    assert values['emails[primary eq "True"].value'] == "w@x"
    assert values['roles[primary eq "True"].value'] == "Admin"
    assert values[f"{ENTERPRISE}:manager"] == "u2"
    assert values["active"] is True
    assert not {"schemas", "meta"} & values.keys()


PATHS = [
    "userName",
    "title",
    "name.givenName",
    "name.familyName",
    'emails[type eq "work"].value',
    'emails[type eq "home"].value',
    'addresses[type eq "work"].locality',
    'addresses[type eq "work"].country',
    f"{ENTERPRISE}:department",
    "urn:x:Acme:2.0:User:badge",
]


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(PATHS), st.text(min_size=1), min_size=1))
def test_what_is_written_is_read_back_and_flattened(values: dict[str, str]) -> None:
    document: dict[str, Any] = {}
    for text, value in values.items():
        write(document, parse_path(text), value)

    assert {text: read(document, parse_path(text)) for text in values} == values
    assert values.items() <= flatten(document).items()


def test_elements_of_one_type_are_one_element() -> None:
    document: dict[str, Any] = {}
    for sub in ("locality", "country"):
        write(document, parse_path(f'addresses[type eq "work"].{sub}'), sub)

    assert document == {"addresses": [{"type": "work", "locality": "locality", "country": "country"}]}
