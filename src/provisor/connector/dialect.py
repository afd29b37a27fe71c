"""Step export: how a client speaks. A dialect is a file of data (``dialects/*.toml``), never an ``if vendor``.

``provisor`` is the default: the RFC's shapes, what is necessary and nothing more. The others speak as an identity
provider does (reference entra-scim-wire.md sections 3 to 5), so that a target can be tried out with them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from provisor.errors import InvalidInput


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way of speaking SCIM. Every field is a key of the file; the defaults are those of ``provisor``."""

    name: str
    user_agent: str
    content_type: str = "application/scim+json"
    accept: str = "application/scim+json"
    # Tenant URL flag -> the dialect to use instead.
    flags: dict[str, str] = {}

    # -- addresses
    space: Literal["%20", "+"] = "%20"
    # ``rfc``: emails[type eq "work" and value eq "x"]; ``suffix``: emails[type eq "work"].value eq "x"
    filter_value_path: Literal["rfc", "suffix"] = "rfc"

    # -- new objects
    # Schemas that are listed whether or not the object has attributes of them.
    user_schemas: tuple[str, ...] = ()
    group_schemas: tuple[str, ...] = ()
    lists_extensions: bool = True
    meta_resource_type: bool = False
    # Elements of these attributes and types get ``primary: true`` when they are created.
    primary: tuple[str, ...] = ()

    # -- changes
    op_case: Literal["lower", "capital"] = "lower"
    booleans: Literal["json", "text"] = "json"
    # Attributes without a filter go into one operation without a path: {"name.givenName": …, "title": …}
    merges_plain_paths: bool = False
    # Even a single one, ``active`` among them, goes without a path; a group's with the group's id.
    never_plain_path: bool = False
    # Users' changes go as a PUT of the whole resource, which is read before; ``active`` alone is a PATCH.
    replaces_users: bool = False
    # How an element that was not there comes to be: as a whole (``add`` to ``emails``), or by a path that selects it.
    new_element: Literal["element", "path"] = "element"
    # An empty source removes the target's value, where its mapping does not say: Entra provisions no nulls.
    removes_empty: bool = True
    # ``remove`` with the path, or ``replace`` with an empty text.
    clears_reference: Literal["remove", "empty"] = "remove"
    reference: Literal["object", "text"] = "object"
    # A reference whose other end exists already goes along when an object is created; else in a PATCH of its own.
    creates_with_references: bool = True
    read_before_patch: bool = False
    # Whether the target has a manager or a member already is asked first; what it has is not sent.
    asks_before_reference: bool = False
    # Before its first cycle the target's whole list may be read instead of asking for each object.
    lists_before_matching: bool = True

    # -- members
    member_ref_null: bool = False
    removes_members: Literal["path", "value"] = "path"
    # Members in one PATCH (0: as many as the target takes), and PATCHes of one group under way at once.
    members_per_patch: int = 0
    member_patches_at_once: int = 1

    def op(self, name: Literal["add", "replace", "remove"]) -> str:
        return name if self.op_case == "lower" else name.capitalize()


def load_dialect(name: str = "provisor", flags: Iterable[str] = ()) -> Dialect:
    """The dialect of this name, or the one that a Tenant URL's flag turns it into.

    Raises ``InvalidInput`` for an unknown name; unknown flags are ignored, as Entra's are by other targets.
    """
    known = _dialects()
    if name not in known:
        raise InvalidInput(f"There is no dialect {name!r}.", hint=f"There are: {', '.join(sorted(known))}.")
    dialect = known[name]
    return next((known[dialect.flags[flag]] for flag in sorted(flags) if flag in dialect.flags), dialect)


@cache
def _dialects() -> dict[str, Dialect]:
    found: dict[str, Dialect] = {}
    for file in files("provisor.connector").joinpath("dialects").iterdir():
        if file.name.endswith(".toml"):
            data: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
            dialect = msgspec.convert(data, Dialect)
            found[dialect.name] = dialect
    return found
