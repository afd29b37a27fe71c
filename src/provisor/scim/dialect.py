"""Floor 1, every step: what a server tolerates beyond the RFC, as data (``dialects/*.toml``), read once.

A dialect never widens what is *stored*: documents are canonical whatever the request looked like.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from provisor.errors import NotFound


class UnknownDialect(NotFound):
    """There is no such dialect."""


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One flag per habit; ``dialects/entra.toml`` says beside each where it was seen. Compare by identity."""

    name: str
    # Values
    string_booleans: bool
    numbers_as_text: bool
    empty_string_unsets: bool
    bare_complex_values: bool
    unwrap_single_element: bool
    wrap_single_value: bool
    json_in_value: frozenset[str]
    extra_primaries_lose: bool
    canonical_values_enforced: bool
    # Names
    unknown_attributes_ignored: bool
    schemas_checked: bool
    bare_extension_names: bool
    path_keys: bool
    urn_aliases: Mapping[str, str]
    attribute_aliases: Mapping[str, str]
    # PATCH
    op_any_case: bool
    patch_schemas_checked: bool
    empty_path_is_none: bool
    read_only_keys_ignored: bool
    filter_creates_element: bool
    remove_with_value: bool
    remove_needs_target: bool
    # Groups
    unknown_members_ignored: bool
    # Filters
    bare_literals: bool
    filter_after_value_path: bool
    date_only: bool
    # Answers
    attributes_with_excluded: bool


DEFAULT = "entra"


def dialect(name: str = DEFAULT) -> Dialect:
    """The dialect of this name, always the same object. Raises ``UnknownDialect``."""
    return _read(name)


@cache
def _read(name: str) -> Dialect:
    if name not in dialect_names():
        raise UnknownDialect(f"There is no dialect '{name}'.", hint=f"There are {', '.join(dialect_names())}.")
    flat: dict[str, Any] = {**_flat(name), "name": name}
    flat["json_in_value"] = frozenset(flat["json_in_value"])
    # A misspelt key must not pass for a default: the file has exactly the fields of the class.
    if odd := flat.keys() ^ {entry.name for entry in fields(Dialect)}:
        raise ValueError(f"dialects/{name}.toml and Dialect differ in {sorted(odd)}")
    return Dialect(**flat)


def _flat(name: str) -> dict[str, Any]:
    """The keys of a file, over those of the one that it ``extends``."""
    raw = tomllib.loads(files("provisor.scim").joinpath("dialects", f"{name}.toml").read_text("utf-8"))
    parent = raw.pop("extends", None)
    flat = _flat(parent) if parent is not None else {}
    for section in raw.values():
        flat |= section
    return flat


@cache
def dialect_names() -> tuple[str, ...]:
    """The names of the dialects there are, sorted."""
    folder = files("provisor.scim").joinpath("dialects")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))
