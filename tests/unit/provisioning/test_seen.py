"""What a target object shows, beside what it confirmed last."""

from __future__ import annotations

from typing import Any

from provisor.connector.answers import TargetObject
from provisor.connector.exchange import Exchange, Secret
from provisor.provisioning.seen import Difference, seen_state

MANAGER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"


def shown(**document: Any) -> TargetObject:
    exchange = Exchange("GET", "https://app.test/Users/1", {}, None, None, 1, Secret(None))
    return TargetObject("1", {"id": "1", **document}, exchange)


def test_what_is_shown_in_another_form_is_no_difference() -> None:
    known = {"active": True, "userName": "ada"}
    assert seen_state(shown(active="True", userName="ada"), known, None) == (known, [])


def test_what_was_changed_and_what_was_removed_is_told() -> None:
    state, found = seen_state(shown(title="Pirate"), {"title": "Engineer", "displayName": "Ada"}, None)
    assert state == {"title": "Pirate"}
    assert found == [Difference("displayName", "Ada", None), Difference("title", "Engineer", "Pirate")]


def test_what_the_target_has_of_its_own_is_left_alone() -> None:
    assert seen_state(shown(title="Engineer", nickName="Ada"), {"title": "Engineer"}, None) == (
        {"title": "Engineer"},
        [],
    )


def test_the_manager_is_an_id_however_it_is_shown() -> None:
    schema, _, name = MANAGER.rpartition(":")
    for value in ({"value": "7", "displayName": "Boss"}, "7"):
        assert seen_state(shown(**{schema: {name: value}}), {MANAGER: "7"}, MANAGER) == ({MANAGER: "7"}, [])
