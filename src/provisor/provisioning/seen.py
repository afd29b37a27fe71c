"""Step matching, with the target object read: what it shows, beside what it confirmed last. Pure.

A cycle takes the difference against the acknowledged state; on demand and the explanation look at the object itself, so
that what somebody changed there by hand is shown, and repaired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisor.connector.answers import TargetObject
from provisor.errors import InvalidInput
from provisor.provisioning.mapping import differs


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that the target shows otherwise than it last confirmed."""

    path: str
    acknowledged: Any
    found: Any


def seen_state(
    target: TargetObject, acknowledged: Mapping[str, Any], manager: str | None
) -> tuple[dict[str, Any], list[Difference]]:
    """The acknowledged state as the target shows it now, and what differs.

    What is shown in another form (a boolean as text) counts as what was acknowledged. What the target has beyond it is
    its own. ``manager``: the target attribute whose value is an id.
    """
    state: dict[str, Any] = {}
    differences: list[Difference] = []
    for path, before in sorted(acknowledged.items()):
        found = shown_value(target, path, reference=path == manager)
        if found is not None and not differs(found, before):
            found = before
        elif before != found:
            differences.append(Difference(path, before, found))
        if found is not None:
            state[path] = found
    return state, differences


def shown_value(target: TargetObject, path: str, *, reference: bool = False) -> Any:
    """One value as the target shows it, null where it shows none; of a reference the id."""
    try:
        found = target.get(path)
    except InvalidInput:  # an acknowledged path that is none any more
        return None
    if reference and isinstance(found, Mapping):
        found = found.get("value")
    return None if found in ("", []) else found


def text(value: Any) -> str | None:
    """A value as the log and the documents tell it."""
    return value if value is None or isinstance(value, str) else str(value)
