"""Floor 1, Bulk: the message, and its operations' references to each other (RFC 7644 section 3.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisor.scim.dialect import Dialect
from provisor.scim.errors import InvalidSyntax, InvalidValue, PayloadTooLarge
from provisor.scim.messages import BULK_REQUEST, folded_keys, json_kind

PREFIX = "bulkid:"
_METHODS = ("POST", "PUT", "PATCH", "DELETE")
_DEPTH = 64


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation as it was sent. ``error`` says what is wrong with it by itself; the other operations still run."""

    method: str
    path: str
    bulk_id: str | None
    version: str | None
    data: Any
    error: InvalidSyntax | None = None


@dataclass(frozen=True, slots=True)
class Bulk:
    """A bulk request. ``fail_on_errors``: after so many errors nothing more is done; null: everything is tried."""

    operations: tuple[BulkOperation, ...]
    fail_on_errors: int | None


def parse_bulk(body: Any, dialect: Dialect, *, most: int) -> Bulk:
    """Read a bulk request.

    Raises ``InvalidSyntax``, ``InvalidValue`` for a ``failOnErrors`` that is no number from 1, and ``PayloadTooLarge``
    for more than ``most`` operations. A wrong operation is an error of its own.
    """
    given = folded_keys(body, "The body of a bulk request")
    if dialect.patch_schemas_checked and given.get("schemas") != [BULK_REQUEST]:
        raise InvalidSyntax(f"'schemas' must be [\"{BULK_REQUEST}\"].")
    limit = given.get("failonerrors")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise InvalidValue("failOnErrors must be a whole number from 1.")
    operations = given.get("operations")
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntax("'Operations' must be an array of at least one operation.")
    if len(operations) > most:
        raise PayloadTooLarge(
            f"The request has {len(operations)} operations; the limit is {most}.", hint="Send several requests."
        )
    read = tuple(_operation(raw) for raw in operations)
    named = [one.bulk_id for one in read if one.method == "POST" and one.bulk_id is not None]
    if len(set(named)) < len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise InvalidValue(f"Two operations have the bulkId {twice!r:.60}.", hint="Make it unique in the request.")
    return Bulk(read, limit)


def references(operation: BulkOperation) -> set[str]:
    """The bulkIds that an operation's path and data refer to."""
    return {text[len(PREFIX) :] for text in (*operation.path.split("/"), *_texts(operation.data)) if _refers(text)}


def resolved(value: Any, ids: Mapping[str, str]) -> Any:
    """Data, or a path, in which every reference that ``ids`` knows is the id."""
    if isinstance(value, str):
        return ids.get(value[len(PREFIX) :], value) if _refers(value) else value
    if isinstance(value, list):
        return [resolved(item, ids) for item in value]
    if isinstance(value, dict):
        return {key: resolved(item, ids) for key, item in value.items()}
    return value


def without(value: Any, names: set[str]) -> Any:
    """Data without what refers to these bulkIds: the element of a list, else the attribute."""
    if isinstance(value, list):
        return [without(item, names) for item in value if not _is_about(item, names)]
    if isinstance(value, dict):
        return {key: without(item, names) for key, item in value.items() if not _is_about(item, names)}
    return value


def _is_about(value: Any, names: set[str]) -> bool:
    """Whether a value is a reference, or an object that is one by its own attributes (``{"value": "bulkId:x"}``)."""
    if isinstance(value, str):
        return _refers(value) and value[len(PREFIX) :] in names
    return isinstance(value, dict) and any(isinstance(item, str) and _is_about(item, names) for item in value.values())


def _refers(text: str) -> bool:
    return text[: len(PREFIX)].lower() == PREFIX


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)


def _operation(raw: Any) -> BulkOperation:
    try:
        given = folded_keys(raw, "An operation of a bulk request")
    except InvalidSyntax as wrong:
        return BulkOperation("", "", None, None, None, wrong)
    method, path, bulk_id, version = (given.get(name) for name in ("method", "path", "bulkid", "version"))
    data = given.get("data")
    error: InvalidSyntax | None = None
    if not isinstance(method, str) or method.upper() not in _METHODS:
        error = InvalidSyntax(f"'method' must be one of {', '.join(_METHODS)}, not {method!r:.40}.")
    elif not isinstance(path, str) or not path.partition("?")[0].strip("/"):
        error = InvalidSyntax(f"'path' must be an endpoint such as /Users, not {path!r:.60}.")
    elif method.upper() != "DELETE" and not isinstance(data, dict):
        error = InvalidSyntax(f"'data' must be an object, not {json_kind(data)}.")
    elif method.upper() == "POST" and (not isinstance(bulk_id, str) or not bulk_id):
        error = InvalidSyntax("A POST needs a 'bulkId'.", hint="Any text that no other operation has.")
    elif _depth(data) > _DEPTH:
        error, data = InvalidSyntax(f"'data' is nested more than {_DEPTH} deep."), None
    return BulkOperation(
        method.upper() if isinstance(method, str) else "",
        path if isinstance(path, str) else "",
        bulk_id if isinstance(bulk_id, str) else None,
        version if isinstance(version, str) else None,
        data,
        error,
    )


def _depth(value: Any) -> int:
    """How deep arrays and objects are nested; more than ``_DEPTH`` is not told apart."""
    deepest, level = 0, [value]
    while level and deepest <= _DEPTH:
        inner: list[Any] = []
        for item in level:
            inner += item if isinstance(item, list) else item.values() if isinstance(item, dict) else ()
        if not any(isinstance(item, list | dict) for item in level):
            break
        deepest, level = deepest + 1, inner
    return deepest
