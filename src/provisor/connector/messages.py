"""Step export: the bodies and queries of requests, in a dialect. Pure: values in, JSON-able documents out.

RFC 7644 sections 3.3 (create), 3.4.2.2 (filter), 3.5.2 (PATCH); the shapes of other dialects:
reference entra-scim-wire.md sections 2 to 5.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, quote_plus

from provisor.connector.dialect import Dialect
from provisor.connector.paths import GROUP, USER, ElementKey, TargetPath, as_boolean, erase, parse_path, write
from provisor.errors import InvalidInput

Kind = Literal["User", "Group"]
Operation = dict[str, Any]

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ENDPOINTS: dict[Kind, str] = {"User": "/Users", "Group": "/Groups"}


class AttributeChange(NamedTuple):
    """One attribute's difference. ``path`` as in the mappings; ``old`` null: not there yet; ``new`` null: remove it."""

    path: str
    old: Any
    new: Any


def create_body(kind: Kind, values: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    """A new resource. ``values``: target attribute path -> value; nulls are left out. Raises ``InvalidInput``."""
    listed = dialect.user_schemas if kind == "User" else dialect.group_schemas
    body: dict[str, Any] = {"schemas": list(listed or (USER if kind == "User" else GROUP,))}
    for text, value in values.items():
        if value is None:
            continue
        path = parse_path(text)
        write(body, path, as_boolean(value) if path.is_boolean else value)
        if path.urn and dialect.lists_extensions and path.urn not in body["schemas"]:
            body["schemas"].append(path.urn)
    for text in dialect.primary:
        element = parse_path(text).element_key
        if any(value is not None and parse_path(name).element_key == element for name, value in values.items()):
            write(body, parse_path(f"{text}.primary"), True)
    if dialect.meta_resource_type:
        body["meta"] = {"resourceType": kind}
    return body


def patch_body(operations: Sequence[Operation]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def update_operations(
    changes: Sequence[AttributeChange], dialect: Dialect, present: Collection[str] | None = None
) -> list[Operation]:
    """The operations that carry ``changes``, in one PATCH. Raises ``InvalidInput`` for what is no path.

    ``present``: the paths at which the target has values, null if only what ``changes`` say is known.
    """
    operations: list[Operation] = []
    plain: dict[str, Any] = {}
    fresh: dict[ElementKey, Operation] = {}  # element -> the operation that makes it
    new_elements = _new_elements(changes, present) if dialect.new_element == "element" else frozenset[ElementKey]()
    for change in changes:
        path = parse_path(change.path)
        if change.new is None:
            operations.append({"op": dialect.op("remove"), "path": _removal(path, changes)})
        elif path.selector is not None and path.element_key in new_elements:
            _add_to_element(operations, fresh, path, _literal(change.new, path, dialect), dialect)
        elif dialect.merges_plain_paths and path.selector is None:
            plain[path.text] = _literal(change.new, path, dialect)
        else:
            op: Literal["add", "replace"] = "add" if change.old is None else "replace"
            operations.append({"op": dialect.op(op), "path": path.text, "value": _literal(change.new, path, dialect)})
    if len(plain) == 1 and not dialect.never_plain_path:
        ((text, value),) = plain.items()
        old = next(change.old for change in changes if parse_path(change.path).text == text)
        operations.insert(0, {"op": dialect.op("add" if old is None else "replace"), "path": text, "value": value})
    elif plain:
        operations.insert(0, {"op": dialect.op("replace"), "value": plain})
    return operations


def replaced(document: Mapping[str, Any], changes: Sequence[AttributeChange]) -> dict[str, Any]:
    """The whole resource with these changes, for a PUT (RFC 7644 section 3.5.1). ``meta`` is the target's own."""
    body = {name: value for name, value in copy.deepcopy(dict(document)).items() if name.lower() != "meta"}
    for change in changes:
        path = parse_path(change.path)
        if change.new is None:
            erase(body, path)
        else:
            write(body, path, as_boolean(change.new) if path.is_boolean else change.new)
        if path.urn and path.urn in body and path.urn not in body.setdefault("schemas", []):
            body["schemas"].append(path.urn)
    return body


def reference_operation(path: str, old: str | None, new: str | None, dialect: Dialect) -> Operation:
    """Set, change or remove a reference such as the manager. ``old`` and ``new`` are ids of the target."""
    if new is None:
        if dialect.clears_reference == "empty":
            return {"op": dialect.op("replace"), "path": path, "value": ""}
        return {"op": dialect.op("remove"), "path": path}
    value = new if dialect.reference == "text" else {"value": new}
    return {"op": dialect.op("add" if old is None else "replace"), "path": path, "value": value}


def member_operations(add: Iterable[str], remove: Iterable[str], dialect: Dialect) -> list[Operation]:
    """The operations of one PATCH of a group's members. Ids are the target's."""
    operations: list[Operation] = []
    removed, added = list(remove), list(add)
    if removed and dialect.removes_members == "value":
        operations.append({"op": dialect.op("remove"), "path": "members", "value": _members(removed, dialect)})
    elif removed:
        operations += [{"op": dialect.op("remove"), "path": f"members[value eq {_text(id_)}]"} for id_ in removed]
    if added:
        operations.append({"op": dialect.op("add"), "path": "members", "value": _members(added, dialect)})
    return operations


def find_query(kind: Kind, attribute: str, value: Any, dialect: Dialect, *, without_members: bool) -> str:
    """The query of a search for equality, percent-encoded, without ``?``."""
    encode = quote if dialect.space == "%20" else quote_plus
    search = f"filter={encode(filter_text(parse_path(attribute), value, dialect), safe='')}"
    return f"excludedAttributes=members&{search}" if kind == "Group" and without_members else search


def reference_query(target_id: str, path: str, referred_id: str, dialect: Dialect) -> str:
    """The query that brings the object if it has this reference: reference entra-scim-wire.md section 2, 8 and 13.

    The attribute goes by its bare name, as in the documented samples; ids are quoted, as the RFC has it (section 9).
    """
    encode = quote if dialect.space == "%20" else quote_plus
    text = f"id eq {_text(target_id)} and {parse_path(path).attribute} eq {_text(referred_id)}"
    return f"filter={encode(text, safe='')}&attributes=id"


def filter_text(path: TargetPath, value: Any, dialect: Dialect) -> str:
    """``userName eq "x"``; strings are escaped as in JSON (RFC 7644 section 3.4.2.2)."""
    literal = _text(str(value)) if not isinstance(value, bool) else json.dumps(value)
    if path.selector is None or dialect.filter_value_path == "suffix":
        return f"{path.text} eq {literal}"
    terms = " and ".join(f"{name} eq {json.dumps(wanted, ensure_ascii=False)}" for name, wanted in path.selector)
    return f"{path.container}[{terms} and {path.sub or 'value'} eq {literal}]"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _members(ids: Iterable[str], dialect: Dialect) -> list[dict[str, str | None]]:
    return [{"$ref": None, "value": id_} for id_ in ids] if dialect.member_ref_null else [{"value": id_} for id_ in ids]


def _literal(value: Any, path: TargetPath, dialect: Dialect) -> Any:
    if path.is_boolean:
        value = as_boolean(value)
    if isinstance(value, bool) and dialect.booleans == "text":
        return str(value)
    return value


def _new_elements(changes: Sequence[AttributeChange], present: Collection[str] | None) -> frozenset[ElementKey]:
    """Elements that are not there yet: by the RFC a selector that selects nothing is an error, not a wish.

    Where it is not known what is there, an element counts as new with its ``value``: none goes without.
    """
    there = _elements_at(present or ())
    fresh: dict[ElementKey, bool] = {}
    for change in changes:
        path = parse_path(change.path)
        if path.selector is None:
            continue
        key = path.element_key
        there |= {key} if change.old is not None or change.new is None else set()
        fresh[key] = fresh.get(key, False) or present is not None or path.sub in (None, "value")
    return frozenset(key for key, new in fresh.items() if new and key not in there)


def _elements_at(present: Iterable[str]) -> set[ElementKey]:
    keys: set[ElementKey] = set()
    for text in present:
        if "[" in text:
            # A target may show what no mapping could name; no change is meant for that.
            with suppress(InvalidInput):
                keys.add(parse_path(text).element_key)
    return keys


def _add_to_element(
    operations: list[Operation], fresh: dict[ElementKey, Operation], path: TargetPath, value: Any, dialect: Dialect
) -> None:
    operation = fresh.get(path.element_key)
    if operation is None:
        operation = {"op": dialect.op("add"), "path": path.container, "value": [dict(path.selector or ())]}
        fresh[path.element_key] = operation
        operations.append(operation)
    operation["value"][0][path.sub or "value"] = value


def _removal(path: TargetPath, changes: Sequence[AttributeChange]) -> str:
    """An element is nothing without its ``value``: with it the whole element goes, unless something else stays."""
    if path.selector is None or (path.sub or "value") != "value":
        return path.text
    stays = any(
        change.new is not None and parse_path(change.path).element_key == path.element_key for change in changes
    )
    return path.text if stays else path.element
