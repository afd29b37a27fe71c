"""The keys of credentials: names in any case, values that are checked, three of them settings."""

from __future__ import annotations

import json

import msgspec
import pytest

from provisor.applications.model import JobSettings
from provisor.applications.synchronization.keys import KEYS, canonical, checked, is_secret, settings_of, shown
from provisor.errors import InvalidInput


def test_every_key_is_known_in_any_case_and_another_is_named() -> None:
    assert len(KEYS) == len(set(KEYS))
    for key in KEYS:
        assert canonical(key.upper()) == canonical(key.lower()) == key
    with pytest.raises(InvalidInput, match=r"SecretTokn.*did you mean SecretToken"):
        canonical("SecretTokn")


def test_what_opens_a_door_is_secret_and_what_names_one_is_not() -> None:
    for key in ("Password", "SecretToken", "ClientSecret", "Oauth2ClientSecret", "Oauth2RefreshToken", "AppKey"):
        assert is_secret(key)
    for key in ("BaseAddress", "UserName", "Oauth2ClientId", "SyncAll", "Oauth2TokenExchangeUri"):
        assert not is_secret(key)


def test_an_empty_value_forgets_and_a_mask_stands_for_a_secret_only() -> None:
    assert checked([("SecretToken", ""), ("BaseAddress", "")]) == {"SecretToken": "", "BaseAddress": ""}
    assert checked([("SecretToken", "*"), ("UserName", "*")]) == {"SecretToken": "*", "UserName": "*"}
    with pytest.raises(InvalidInput, match="Tenant URL"):
        checked([("BaseAddress", "*")])


def test_settings_come_back_as_they_were_given() -> None:
    notification = {"Enabled": True, "Recipients": "a@x", "DeleteThresholdEnabled": True, "DeleteThresholdValue": 9}
    given = {"SyncAll": "1", "SkipOutOfScopeDeletions": "True", "SyncNotificationSettings": json.dumps(notification)}
    changes = settings_of(given, JobSettings())
    assert (changes["sync_all"], changes["skip_out_of_scope_deletions"]) == (True, True)
    assert changes["notification"]["delete_threshold_value"] == 9
    told = dict(shown(JobSettings()))
    assert settings_of(told, JobSettings()) == {
        "sync_all": False,
        "skip_out_of_scope_deletions": False,
        "notification": msgspec.to_builtins(JobSettings().notification),
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [("[]", "object"), ("{", "JSON"), ('{"Colour": "red"}', "Colour"), ('{"DeleteThresholdValue": 0}', "used")],
)
def test_notification_settings_that_cannot_be_used_are_refused(text: str, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        settings_of({"SyncNotificationSettings": text}, JobSettings())


def test_flags_of_other_connectors_that_are_off_are_let_be() -> None:
    text = '{"enabled": true, "HumanResourcesLookaheadQueryEnabled": false}'
    assert settings_of({"SyncNotificationSettings": text}, JobSettings())["notification"]["enabled"] is True
