"""Last step of every configuration change, its nouns: an activity, its targets, and what differs.

The words are those of Graph's ``directoryAudit`` (reference graph-synchronization-api.md section 9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from provisor.security.actor import Actor

HIDDEN = "(hidden)"
# A property whose name has one of these words never shows its value.
_SECRET_WORDS = ("password", "secret", "token", "privatekey")
_SECRET_EXCEPT = frozenset({"passwordpolicies", "has_secret"})

Result = Literal["success", "failure"]


class Activity(msgspec.Struct, frozen=True):
    """What kind of change it is. ``operation``: Add, Update, Delete, Assign, Unassign or Other."""

    name: str
    category: str
    service: str
    operation: str


class Modified(msgspec.Struct, frozen=True, rename="camel"):
    """One property; values are JSON, null where there was or is none."""

    display_name: str
    old_value: Any
    new_value: Any


class Target(msgspec.Struct, frozen=True, rename="camel"):
    """A thing that was changed. ``type``: User, Group, ServicePrincipal, Job, Company, ApiKey, …"""

    type: str
    id: str
    display_name: str = ""
    modified_properties: tuple[Modified, ...] = ()


class NewEntry(msgspec.Struct, frozen=True):
    """An entry before it has a place in the chain."""

    activity: Activity
    actor: Actor
    targets: tuple[Target, ...]
    result: Result = "success"
    reason: str | None = None
    details: Mapping[str, str] = {}


class Who(msgspec.Struct, frozen=True, rename="camel"):
    """Who did it. ``kind``: operator (at the machine's shell), user, app or service."""

    kind: str
    id: str
    display_name: str


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """An entry as it stands. ``realm``: ``system``, ``tenant:ID`` or ``company:ID``; ``at`` in ms UTC."""

    realm: str
    seq: int
    id: str
    at: int
    activity: Activity
    initiated_by: Who
    targets: tuple[Target, ...]
    result: str
    reason: str | None
    details: Mapping[str, str]
    correlation_id: str
    hash: str


class Finding(msgspec.Struct, frozen=True, rename="camel"):
    """Something that is wrong with a chain. ``kind``: altered, removed or inserted."""

    realm: str
    seq: int
    id: str | None
    kind: Literal["altered", "removed", "inserted"]
    message: str


class Chain(msgspec.Struct, frozen=True, rename="camel"):
    """A realm's chain: how many entries it has, and the last one's hash. Whoever writes these two down elsewhere can
    later prove that nothing before was changed."""

    realm: str
    entries: int
    hash: str


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Modified, ...]:
    """What differs between two documents, by property. Secrets are hidden."""
    names = sorted({*before, *after})
    changed = [name for name in names if before.get(name) != after.get(name)]
    return tuple(Modified(name, _shown(name, before.get(name)), _shown(name, after.get(name))) for name in changed)


def hidden(names: Iterable[str], *, was: bool = False, now: bool = True) -> tuple[Modified, ...]:
    """Secrets that were set or removed: that they were, never what they are."""
    return tuple(Modified(name, HIDDEN if was else None, HIDDEN if now else None) for name in names)


def _shown(name: str, value: Any) -> Any:
    lowered = name.lower()
    if value is not None and lowered not in _SECRET_EXCEPT and any(word in lowered for word in _SECRET_WORDS):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: _shown(str(key), one) for key, one in value.items()}
    return value
