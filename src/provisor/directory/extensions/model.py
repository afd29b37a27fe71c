"""Directory extensions, their nouns (reference: graph-synchronization-api.md sections 2 and 11.2)."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

from provisor.clock import parse_iso

DataType = Literal["Binary", "Boolean", "DateTime", "Integer", "LargeInteger", "String"]
DATA_TYPES: tuple[DataType, ...] = get_args(DataType)
TARGETS = ("User", "Group", "AdministrativeUnit", "Application", "Device", "Organization")
MOST_CHARACTERS = 256
MOST_VALUES = 100


class ExtensionProperty(msgspec.Struct, frozen=True):
    """``name``: whole, ``extension_{appId without dashes}_{name}``. ``created_at`` in ms UTC."""

    id: str
    tenant_id: str
    app_id: str
    name: str
    data_type: DataType
    is_multi_valued: bool
    target_objects: tuple[str, ...]
    created_at: int

    def fault(self, value: Any) -> str | None:
        """Why it cannot have this value, continuing a sentence that begins with its name; null when it can."""
        if value is None or value == []:
            return None
        if isinstance(value, list) is not self.is_multi_valued:
            return "is a list" if self.is_multi_valued else "is a single value, not a list"
        values = value if isinstance(value, list) else [value]
        if len(values) > MOST_VALUES:
            return f"has {len(values)} values, {MOST_VALUES} may be given"
        return next((fault for one in values if (fault := self._fault_of(one)) is not None), None)

    def _fault_of(self, value: Any) -> str | None:
        match self.data_type:
            case "Boolean":
                return None if isinstance(value, bool) else "is true or false"
            case "Integer" | "LargeInteger":
                bits = 31 if self.data_type == "Integer" else 63
                is_number = isinstance(value, int) and not isinstance(value, bool)
                return None if is_number and -(2**bits) <= value < 2**bits else f"is a whole number of {bits + 1} bits"
            case "DateTime":
                return None if _is_moment(value) else "is a moment such as 2026-01-31T08:00:00Z"
            case _:
                if not isinstance(value, str):
                    return "is a text"
                return f"has over {MOST_CHARACTERS} characters" if len(value) > MOST_CHARACTERS else None


def data_type(text: str) -> DataType | None:
    """The type of this name, in any case; null when there is none."""
    return next((known for known in DATA_TYPES if known.lower() == text.lower()), None)


def _is_moment(value: Any) -> bool:
    try:
        parse_iso(value)
    except (ValueError, TypeError):
        return False
    return True
