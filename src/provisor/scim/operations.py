"""Floor 1, PATCH: the message: which operations a body holds (RFC 7644 section 3.5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from provisor.scim.dialect import Dialect
from provisor.scim.errors import InvalidPath, InvalidSyntax, InvalidValue, NoTarget, PayloadTooLarge
from provisor.scim.messages import PATCH_OP, folded_keys, json_kind

Op = Literal["add", "replace", "remove"]

MAX_OPERATIONS = 2_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``path`` is None where the resource itself is the target; ``value`` is None for many a remove."""

    op: Op
    path: str | None
    value: Any


def raw_operations(body: Any, dialect: Dialect) -> list[Any]:
    """The operations of a body, unread. Raises ``InvalidSyntax`` and ``PayloadTooLarge``."""
    given = folded_keys(body, "The body of a PATCH")
    if dialect.patch_schemas_checked and given.get("schemas") != [PATCH_OP]:
        raise InvalidSyntax(f"'schemas' must be [\"{PATCH_OP}\"].")
    operations = given.get("operations")
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntax("'Operations' must be an array of at least one operation.")
    if len(operations) > MAX_OPERATIONS:
        raise PayloadTooLarge(
            f"The PATCH has {len(operations)} operations; the limit is {MAX_OPERATIONS}.",
            hint="Send several requests, or several members in one operation.",
        )
    return operations


def read_operation(raw: Any, dialect: Dialect) -> Operation:
    """One operation, read.

    Raises ``InvalidSyntax`` for an unknown ``op``, ``InvalidPath`` for a path that is no string, ``NoTarget`` for a
    remove without path, ``InvalidValue`` for an add or replace without value.
    """
    given = folded_keys(raw, "An operation")
    op = given.get("op")
    if isinstance(op, str) and dialect.op_any_case:
        op = op.lower()
    if op not in ("add", "replace", "remove"):
        raise InvalidSyntax(f"'op' must be add, replace or remove, not {op!r:.40}.")
    path = given.get("path")
    if path == "" and dialect.empty_path_is_none:
        path = None
    if path is not None and not isinstance(path, str):
        raise InvalidPath(f"'path' must be a string, not {json_kind(path)}.")
    if op == "remove":
        if path is None:
            raise NoTarget("A remove needs a path.", hint="Name what to remove.")
    elif "value" not in given:
        raise InvalidValue(f"'value' is missing; {op} needs one.")
    return Operation(op, path, given.get("value"))
