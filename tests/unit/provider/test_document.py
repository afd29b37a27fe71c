"""A stored document as it is served."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from provisor.clock import iso
from provisor.provider.resources import document
from provisor.provider.resources.anchors import Anchors
from provisor.provider.resources.model import Served, Stored

NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(st.dictionaries(NAMES, NAMES, max_size=3), st.lists(NAMES, max_size=3), st.integers(0, 4_000_000_000_000))
def test_the_spliced_text_is_the_document_with_what_is_derived(
    attributes: dict[str, str], groups: list[str], at: int
) -> None:
    stored_document = {"schemas": ["u"], "id": "7", **{f"x{name}": value for name, value in attributes.items()}}
    stored = Stored("User", "7", msgspec.json.encode(stored_document).decode(), 3, at, at)
    found = document.as_dict(
        Served(stored, [(f"g{index}", name) for index, name in enumerate(groups)]), "https://h/scim"
    )
    meta = {
        "resourceType": "User",
        "created": iso(at),
        "lastModified": iso(at),
        "version": 'W/"3"',
        "location": "https://h/scim/Users/7",
    }
    listed = [
        {"value": f"g{index}", "$ref": f"https://h/scim/Groups/g{index}", "display": name, "type": "direct"}
        for index, name in enumerate(groups)
    ]
    assert found == {**stored_document, "meta": meta, **({"groups": listed} if listed else {})}


def test_a_groups_members_are_there_when_they_were_read_also_when_there_are_none() -> None:
    stored = Stored("Group", "7", '{"displayName":"Sales"}', 1, 0, 0)
    assert "members" not in document.as_dict(Served(stored), "")
    assert document.as_dict(Served(stored, members=()), "")["members"] == []
    assert document.as_dict(Served(stored, members=[("u", "User")]), "https://h")["members"] == [
        {"value": "u", "$ref": "https://h/Users/u", "type": "User"}
    ]


def test_the_nearest_page_end_is_remembered_for_a_minute_in_its_own_company_only() -> None:
    anchors = Anchors()
    for position in (300, 100, 200):
        anchors.remember("acme", "User", position, f"id{position}", now=0)
    assert anchors.nearest("acme", "User", 200, now=59_999) == (200, "id200")
    assert anchors.nearest("acme", "User", 299, now=0) == (200, "id200")
    assert anchors.nearest("acme", "User", 99, now=0) is None
    assert anchors.nearest("other", "User", 200, now=0) is None
    assert anchors.nearest("acme", "Group", 200, now=0) is None
    assert anchors.nearest("acme", "User", 200, now=60_000) is None


def test_memory_of_page_ends_is_bounded() -> None:
    anchors = Anchors()
    for position in range(1, 5_000):
        anchors.remember("acme", "User", position, f"id{position}", now=0)
    assert anchors.nearest("acme", "User", 500, now=0) is None
    assert anchors.nearest("acme", "User", 4_500, now=0) == (4_500, "id4500")
    for number in range(300):
        anchors.remember(f"company{number}", "User", 1, "id", now=0)
    assert anchors.nearest("acme", "User", 5_000, now=0) is None
    assert anchors.nearest("company299", "User", 1, now=0) == (1, "id")
