"""Capability profiles: read from gallery entries in either spelling, and asked by the engine."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.connector.capabilities import CapabilityProfile
from provisor.errors import InvalidInput


def test_nothing_said_is_a_generous_server() -> None:
    profile = CapabilityProfile.from_dict({})

    assert profile == CapabilityProfile()
    assert profile.to_dict() == {}
    assert profile.takes("Group", "displayName", creating=False)


@pytest.mark.parametrize(
    ("data", "field", "value"),
    [
        ({"group_rename": False}, "group_rename", False),
        ({"groups": {"rename": False}}, "group_rename", False),
        ({"groups": False}, "groups", False),
        ({"objects": {"groups": "none"}}, "groups", False),
        ({"objects": {"groups": "update_only"}}, "groups", True),
        ({"lifecycle": {"disable": "delete"}}, "soft_delete", False),
        ({"lifecycle": {"disable": "active_false", "delete_user": "none"}}, "hard_delete", False),
        ({"members": {"max_changes_per_patch": 100}}, "members_per_patch", 100),
        ({"filter": {"and": "fixed_pairs"}}, "filter_and", False),
        ({"attrs": {"unsupported": ["title"]}}, "unsupported_attributes", {"title"}),
        ({"requests_per_second": 20}, "requests_per_second", 20.0),
    ],
)
def test_gallery_entries_speak_the_vocabulary(data: dict[str, Any], field: str, value: object) -> None:
    profile = CapabilityProfile.from_dict(data)

    assert getattr(profile, field) == value
    assert CapabilityProfile.from_dict(profile.to_dict()) == profile


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"groups": {"rename_all": True}}, "no capability 'groups.rename_all'"),
        ({"group_rename": "no"}, "'group_rename' is true or false"),
        ({"members_per_patch": 0}, "'members_per_patch' is a whole number above 0"),
        ({"members_per_patch": True}, "'members_per_patch' is a whole number above 0"),
        ({"requests_per_second": -1}, "'requests_per_second' is a number above 0"),
        ({"unsupported_attributes": "title"}, "'unsupported_attributes' is a list of attribute paths"),
    ],
)
def test_what_a_gallery_entry_cannot_say_is_named(data: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        CapabilityProfile.from_dict(data)


def test_a_target_is_asked_only_what_it_takes() -> None:
    profile = CapabilityProfile.from_dict(
        {"group_rename": False, "unsupported_attributes": ["photos"], "create_only_attributes": ["externalId"]}
    )

    assert profile.takes("Group", "displayName", creating=True)
    assert not profile.takes("Group", "displayName", creating=False)
    assert profile.takes("User", "displayName", creating=False)
    assert not profile.takes("User", "photos", creating=True)
    assert profile.takes("User", "externalId", creating=True)
    assert not profile.takes("User", "externalId", creating=False)
