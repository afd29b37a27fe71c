"""Step processing: what a target can and cannot do, as data. Vocabulary: reference gallery-apps.md section 12.

A gallery entry holds one as a table; what it leaves out is what a generous server of the RFCs would offer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from provisor.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class CapabilityProfile:
    """What one target can do. Attribute names are target attribute paths, as in the mappings."""

    groups: bool = True
    group_create: bool = True
    group_delete: bool = True
    # A changed displayName of a group is carried over (Dialpad: no).
    group_rename: bool = True
    # ``active`` can be set to false; where not, what would be a disable is a deletion.
    soft_delete: bool = True
    # DELETE of a user is offered at all.
    hard_delete: bool = True
    # Changes of membership in one PATCH; null: no limit is known.
    members_per_patch: int | None = None
    page_size: int = 100
    # Conditions may be joined with ``and``.
    filter_and: bool = True
    # ``excludedAttributes=members`` keeps members out of replies.
    members_excludable: bool = True
    # Duplicates are refused with 409. Where not, a create is looked up again before it is repeated.
    refuses_duplicates: bool = True
    unsupported_attributes: frozenset[str] = frozenset()
    create_only_attributes: frozenset[str] = frozenset()
    # Stored otherwise than sent, so that an answer need not show the value that was searched for.
    normalised_attributes: frozenset[str] = frozenset()
    requests_per_second: float | None = None
    concurrency: int = 16

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CapabilityProfile:
        """From a gallery entry's table: these names, or those of the vocabulary (``{"groups": {"rename": false}}``).

        Raises ``InvalidInput`` for a name that does not exist and for a value of the wrong type.
        """
        values: dict[str, Any] = {}
        for name, value in _flattened(data):
            field, convert = _VOCABULARY.get(name, (name, None))
            if field not in _DEFAULTS:
                raise InvalidInput(
                    f"There is no capability {name!r}.", hint=f"There are: {', '.join((*_DEFAULTS, *_VOCABULARY))}."
                )
            values[field] = _typed(name, convert(value) if convert else value, _DEFAULTS[field], field)
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """What differs from the defaults, in JSON's types; ``from_dict`` reads it back."""
        return {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, default in _DEFAULTS.items()
            if (value := getattr(self, name)) != default
        }

    def takes(self, kind: Literal["User", "Group"], path: str, *, creating: bool) -> bool:
        """Does the target take a value at this path, on creation or on a later change?"""
        if path in self.unsupported_attributes:
            return False
        if creating:
            return True
        return path not in self.create_only_attributes and (
            self.group_rename or kind != "Group" or path != "displayName"
        )


def _except(*negative: str) -> Callable[[object], object]:
    """Turns a word or a flag of the vocabulary into a flag: these words mean no."""
    return lambda value: value not in negative if isinstance(value, str) else value


# Dotted names of the reference's vocabulary -> the field, and how its value becomes the field's.
_VOCABULARY: dict[str, tuple[str, Callable[[object], object] | None]] = {
    "objects.groups": ("groups", _except("none")),
    "groups.create": ("group_create", None),
    "groups.delete": ("group_delete", None),
    "groups.rename": ("group_rename", None),
    "groups.members_excludable": ("members_excludable", None),
    "lifecycle.disable": ("soft_delete", _except("delete", "none")),
    "lifecycle.delete_user": ("hard_delete", _except("none")),
    "members.max_changes_per_patch": ("members_per_patch", None),
    "paging.max": ("page_size", None),
    "filter.and": ("filter_and", _except("no", "fixed_pairs")),
    "attrs.unsupported": ("unsupported_attributes", None),
    "attrs.create_only": ("create_only_attributes", None),
    "attrs.server_normalised": ("normalised_attributes", None),
    "rate.requests_per_second": ("requests_per_second", None),
    "rate.concurrency": ("concurrency", None),
}
_DEFAULTS: dict[str, Any] = {
    field.name: getattr(CapabilityProfile(), field.name) for field in dataclasses.fields(CapabilityProfile)
}
_COUNTS = frozenset({"members_per_patch", "page_size", "concurrency"})


def _flattened(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _typed(name: str, value: object, default: object, field: str) -> object:
    if isinstance(default, frozenset):
        if isinstance(value, list | tuple | set | frozenset) and all(isinstance(item, str) for item in value):
            return frozenset(value)
        raise InvalidInput(f"The capability {name!r} is a list of attribute paths, not {value!r}.")
    if field in _COUNTS:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        raise InvalidInput(f"The capability {name!r} is a whole number above 0, not {value!r}.")
    if field == "requests_per_second":
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
        raise InvalidInput(f"The capability {name!r} is a number above 0, not {value!r}.")
    if not isinstance(value, bool):
        raise InvalidInput(f"The capability {name!r} is true or false, not {value!r}.")
    return value
