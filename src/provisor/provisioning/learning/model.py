"""Step export, when it is refused: does the answer say something of the target rather than of this object? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisor.connector.errors import TargetError
from provisor.connector.messages import AttributeChange
from provisor.provisioning.model import Kind

# RFC 7644 section 3.12: the request cannot be right for any object.
_ABOUT_ATTRIBUTES = frozenset({"mutability", "invalidpath", "nosuchattribute"})
_NOT_OFFERED = frozenset({405, 501})
_TOO_LARGE = 413
_REFUSALS = frozenset({400, 403, 405, 422, 501})


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a target was seen to refuse. ``capability``: a name of the vocabulary of capability profiles, with what it
    would be there in ``value``; ``detail``: the target's own words."""

    capability: str
    value: str
    detail: str


def learn(kind: Kind, verb: str, changes: Sequence[AttributeChange], error: TargetError) -> Learnt | None:
    """What a refusal says of the target; null when it may only be about this object. ``verb``: create, update,
    disable, delete, or members."""
    words = error.detail or error.message
    if error.retryable or error.status is None:
        return None
    if verb == "members" and error.status == _TOO_LARGE:
        return Learnt("members.max_changes_per_patch", "fewer", words)
    if error.status in _NOT_OFFERED:
        missing = {
            ("User", "delete"): ("lifecycle.delete_user", "none"),
            ("Group", "delete"): ("groups.delete", "false"),
            ("Group", "create"): ("groups.create", "false"),
            ("User", "disable"): ("lifecycle.disable", "none"),
        }.get((kind, verb))
        if missing is not None:
            return Learnt(*missing, words)
    paths = [change.path for change in changes]
    if verb == "update" and kind == "Group" and paths == ["displayName"] and error.status in _REFUSALS:
        return Learnt("groups.rename", "false", words)
    if error.scim_type.lower() in _ABOUT_ATTRIBUTES:
        named = [path for path in paths if path.lower() in words.lower()] or (paths if len(paths) == 1 else [])
        if named:
            name = "attrs.unsupported" if verb == "create" else "attrs.create_only"
            return Learnt(name, named[0], words)
    return None
