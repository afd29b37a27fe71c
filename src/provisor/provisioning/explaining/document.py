"""Explanations as JSON, for commands, API and portal. Pure."""

from __future__ import annotations

import dataclasses
from typing import Any

from provisor.provisioning.explaining.model import Explanation


def document(explanation: Explanation) -> dict[str, Any]:
    """Field names in camel case, as everywhere in our JSON."""
    made = _camel(dataclasses.asdict(explanation))
    assert isinstance(made, dict)  # noqa: S101 - of a dataclass
    return made


# Keys of these are somebody's names, and stay as they are.
_AS_THEY_ARE = frozenset({"values", "exchange", "members"})


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_name(name): item if name in _AS_THEY_ARE else _camel(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_camel(item) for item in value]
    return value


def _name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
