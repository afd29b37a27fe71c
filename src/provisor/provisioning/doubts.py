"""Step export, when its answer is lost: what the target has is not known, until it is read or sent again. Pure.

A change that may have arrived is neither acknowledged nor refused. Were it taken for refused, a source that goes back
to its former value would leave the target with the other one for ever. So its path is marked as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from provisor.connector.answers import TargetObject
from provisor.provisioning.seen import shown_value

# In an acknowledged state: nobody knows what the target has there. No attribute has such a value.
UNKNOWN: Final[Mapping[str, str]] = {"provisor": "unknown"}


def doubted(acknowledged: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """The acknowledged state once changes of these paths were sent and their answer was lost."""
    return {**acknowledged, **{path: dict(UNKNOWN) for path in paths}}


def in_doubt(acknowledged: Mapping[str, Any]) -> list[str]:
    """The paths of which nothing is known."""
    return [path for path, value in acknowledged.items() if value == UNKNOWN]


def resolved(acknowledged: Mapping[str, Any], target: TargetObject, manager: str | None) -> dict[str, Any]:
    """The acknowledged state once the target object was read. ``manager``: the path whose value is an id."""
    state = dict(acknowledged)
    for path in in_doubt(acknowledged):
        found = shown_value(target, path, reference=path == manager)
        if found is None:
            del state[path]
        else:
            state[path] = found
    return state
