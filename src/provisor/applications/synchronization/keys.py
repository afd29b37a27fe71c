"""Synchronization, its keys: Graph's ``synchronizationSecret``, one list of credentials and of three settings. Pure.

Reference graph-synchronization-api.md sections 5.3 and 10. A value that is secret is never given out: ``*`` stands for
it, and coming back means "the stored one".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from provisor.applications.address import checked_address, checked_token
from provisor.applications.model import JobSettings, Notification
from provisor.applications.names import nearest
from provisor.errors import InvalidInput

MASK = "*"
BASE_ADDRESS = "BaseAddress"
SECRET_TOKEN = "SecretToken"  # noqa: S105 - the name of a field, not a secret
SYNC_ALL = "SyncAll"
NOTIFICATION = "SyncNotificationSettings"
SKIP_DELETIONS = "SkipOutOfScopeDeletions"
SETTINGS = (SYNC_ALL, NOTIFICATION, SKIP_DELETIONS)

KEYS: tuple[str, ...] = (
    *("UserName", "Password", "SecretToken", "AppKey", "BaseAddress", "ClientIdentifier", "ClientSecret"),
    *("SingleSignOnType", "Sandbox", "Url", "Domain", "ConsumerKey", "ConsumerSecret", "TokenKey", "TokenExpiration"),
    *("Oauth2AccessToken", "Oauth2AccessTokenCreationTime", "Oauth2RefreshToken", "SyncAll", "InstanceName"),
    *("Oauth2ClientId", "Oauth2ClientSecret", "CompanyId", "UpdateKeyOnSoftDelete", "SynchronizationSchedule"),
    *("SystemOfRecord", "SandboxName", "EnforceDomain", "SyncNotificationSettings", "SkipOutOfScopeDeletions"),
    *("Oauth2AuthorizationCode", "Oauth2RedirectUri", "ApplicationTemplateIdentifier", "Oauth2TokenExchangeUri"),
    *("Oauth2AuthorizationUri", "AuthenticationType", "Server", "PerformInboundEntitlementGrants"),
    *("HardDeletesEnabled", "SyncAgentCompatibilityKey", "SyncAgentADContainer", "ValidateDomain"),
    *("TestReferences", "ConnectionString"),
)
# What tells somebody who reads it how to get in.
_SECRET = frozenset(
    (
        "Password",
        "SecretToken",
        "AppKey",
        "ClientSecret",
        "ConsumerSecret",
        "TokenKey",
        "Oauth2AccessToken",
        "Oauth2RefreshToken",
        "Oauth2ClientSecret",
        "Oauth2AuthorizationCode",
        "SyncAgentCompatibilityKey",
        "ConnectionString",
    )
)
_ADDRESSES = frozenset((BASE_ADDRESS, "Oauth2TokenExchangeUri", "Oauth2AuthorizationUri"))
_FOLDED = {key.casefold(): key for key in KEYS}
_LONGEST = 16_384


class InvalidSecrets(InvalidInput):
    """The credentials cannot be used."""


def is_secret(key: str) -> bool:
    """Is the value of this key never shown?"""
    return key in _SECRET


def canonical(name: str) -> str:
    """The key of this name, in any case. Raises ``InvalidSecrets``."""
    found = _FOLDED.get(name.casefold())
    if found is None:
        raise InvalidSecrets(f"There is no credential key {name[:100]!r}{nearest(name[:100], KEYS)}.")
    return found


def checked(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Key -> value, which is empty where the key is to be forgotten. Raises ``InvalidSecrets`` and its kin."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key = canonical(name)
        if key in found:
            raise InvalidSecrets(f"The key {key} is given twice.")
        found[key] = value if not value or (value == MASK and is_secret(key)) else _checked(key, value)
    return found


def settings_of(values: Mapping[str, str], before: JobSettings) -> dict[str, Any]:
    """What of these values are settings of a job, as changes of ``JobSettings``. Raises ``InvalidSecrets``."""
    changes: dict[str, Any] = {}
    if SYNC_ALL in values:
        changes["sync_all"] = _truth(SYNC_ALL, values[SYNC_ALL])
    if SKIP_DELETIONS in values:
        changes["skip_out_of_scope_deletions"] = _truth(SKIP_DELETIONS, values[SKIP_DELETIONS])
    if NOTIFICATION in values:
        changes["notification"] = msgspec.to_builtins(_notification(values[NOTIFICATION], before.notification))
    return changes


def shown(settings: JobSettings) -> list[tuple[str, str]]:
    """The three settings as Graph's list has them."""
    notification = settings.notification
    told = {
        "Enabled": notification.enabled,
        "Recipients": notification.recipients,
        "DeleteThresholdEnabled": notification.delete_threshold_enabled,
        "DeleteThresholdValue": notification.delete_threshold_value,
    }
    return [
        (SYNC_ALL, str(settings.sync_all).lower()),
        (NOTIFICATION, json.dumps(told, separators=(",", ":"))),
        (SKIP_DELETIONS, str(settings.skip_out_of_scope_deletions)),
    ]


def _checked(key: str, value: str) -> str:
    if len(value) > _LONGEST:
        raise InvalidSecrets(f"The value of {key} has more than {_LONGEST} characters.")
    if key == SECRET_TOKEN:
        return checked_token(value)
    return checked_address(value) if key in _ADDRESSES else value


def _truth(key: str, text: str) -> bool:
    truth = {"true": True, "1": True, "false": False, "0": False, "": False}.get(text.strip().casefold())
    if truth is None:
        raise InvalidSecrets(f"The value of {key} is True or False, not {text[:50]!r}.")
    return truth


def _notification(text: str, before: Notification) -> Notification:
    if not text.strip():
        return Notification()
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InvalidSecrets(f"The value of {NOTIFICATION} is not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise InvalidSecrets(f"The value of {NOTIFICATION} is not a JSON object.")
    fields = {
        "enabled": "enabled",
        "recipients": "recipients",
        "deletethresholdenabled": "delete_threshold_enabled",
        "deletethresholdvalue": "delete_threshold_value",
    }
    values = msgspec.to_builtins(before)
    for name, value in given.items():
        field = fields.get(name.casefold())
        if field is not None and value is not None:
            values[field] = value
        elif field is None and value not in (None, False, ""):
            raise InvalidSecrets(f"{NOTIFICATION} has {name[:100]!r}, which this service does not know.")
    try:
        return msgspec.convert(values, Notification)
    except msgspec.ValidationError as error:
        raise InvalidSecrets(f"The value of {NOTIFICATION} cannot be used: {error}.") from error
