"""For tests: filters and PATCH of ``SimulatedTarget``. Shares nothing with ``provisor.scim``, to keep tests honest."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

Document = dict[str, Any]

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

_PATH = re.compile(r"(?:(urn:[^\[]*):)?([^.:\[]+)(?:\[(.*)\])?(?:\.([^.]+))?")
_TERM = re.compile(r'([\w.:$-]+(?:\[[^\]]*\](?:\.\w+)?)?)\s+eq\s+("(?:[^"\\]|\\.)*"|\S+)', re.IGNORECASE)
_VALUE_PATH = re.compile(r"(\w+)\[([^\]]*)\]")


class Refusal(Exception):
    """The target answers with an error."""

    def __init__(self, status: int, detail: str, scim_type: str | None = None) -> None:
        self.status, self.detail, self.scim_type = status, detail, scim_type
        super().__init__(detail)


def matches(document: Document, text: str) -> bool:
    """Does the document pass a filter of ``eq`` terms joined by ``and``, value paths included?"""
    whole = _VALUE_PATH.fullmatch(text.strip())
    if whole:
        return any(_element_matches(item, whole[2]) for item in _list(document.get(whole[1])))
    terms = _TERM.findall(text)
    if not terms or re.search(r"\s(or|not|co|sw|ew|gt|lt|ge|le|ne)\s", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)):
        raise Refusal(400, f"The filter {text!r} is not understood.", "invalidFilter")
    return all(_same(get(document, path), literal) for path, literal in terms)


def get(document: Document, path: str) -> Any:
    """The values at a path: one, or a list of all that a multi-valued attribute has there."""
    urn, name, selector, sub = _split(path)
    if urn is None and name == "manager":
        urn = ENTERPRISE  # Entra asks for it without its schema
    value = (document.get(urn) or {}).get(name) if urn else document.get(name)
    if selector is not None:
        value = [item for item in _list(value) if _element_matches(item, selector)]
    if sub is None and name in ("members", "manager"):
        sub = "value"
    if sub is None:
        return value
    found = [item.get(sub) for item in _list(value) if isinstance(item, dict)]
    return found if isinstance(value, list) else next(iter(found), None)


def patched(document: Document, operations: list[Any], *, strict: bool) -> Document:
    """The document after the operations, or a ``Refusal``; the given one stays as it is."""
    result = copy.deepcopy(document)
    for operation in operations:
        op = operation.get("op", "")
        if op.lower() not in ("add", "replace", "remove") or (strict and op != op.lower()):
            raise Refusal(400, f"There is no operation {op!r}.", "invalidSyntax")
        value = operation.get("value")
        if operation.get("path"):
            _apply(result, op.lower(), operation["path"], value, strict)
        elif isinstance(value, dict):
            for path, part in value.items():
                _apply(result, op.lower(), path, part, strict)
        else:
            raise Refusal(400, "An operation without a path needs an object.", "invalidValue")
    return result


def _apply(document: Document, op: str, path: str, value: Any, strict: bool) -> None:
    urn, name, selector, sub = _split(path)
    holder = document.setdefault(urn, {}) if urn else document
    if isinstance(value, str) and (sub or name) in ("active", "primary"):
        if strict:
            raise Refusal(400, f"{path} must be a boolean.", "invalidValue")
        value = value.lower() == "true"
    if name == "manager" and not isinstance(value, dict) and op != "remove":
        if strict:
            raise Refusal(400, "manager must be an object.", "invalidValue")
        value = {"value": value} if value else None
    if selector is not None:
        _apply_to_elements(holder, op, name, selector, sub, value, strict)
    elif sub is not None:
        _set(holder.setdefault(name, {}), sub, None if op == "remove" else value)
    elif op == "remove" and value and name == "members":
        if strict:
            raise Refusal(400, "remove takes no value.", "invalidSyntax")
        gone = {item["value"] for item in value}
        holder[name] = [item for item in _list(holder.get(name)) if item["value"] not in gone]
    elif op == "add" and (isinstance(holder.get(name), list) or isinstance(value, list)):
        holder[name] = _joined(_list(holder.get(name)), value if isinstance(value, list) else [value])
    else:
        _set(holder, name, None if op == "remove" else value)


def _apply_to_elements(
    holder: Document, op: str, name: str, selector: str, sub: str | None, value: Any, strict: bool
) -> None:
    elements = _list(holder.get(name))
    chosen = [item for item in elements if _element_matches(item, selector)]
    if not chosen and (strict or op == "remove"):
        if strict:
            raise Refusal(400, f"{name}[{selector}] selects nothing.", "noTarget")
        return
    if not chosen:
        chosen = [{term: _literal(literal) for term, literal in _TERM.findall(selector)}]
        elements += chosen
    if op == "remove" and sub is None:
        elements = [item for item in elements if item not in chosen]
    for item in chosen:
        if sub is not None:
            _set(item, sub, None if op == "remove" else value)
        elif op != "remove":
            item.update(value)
    _set(holder, name, elements or None)


def _joined(present: list[Any], more: list[Any]) -> list[Any]:
    """Members are one by their value; ``$ref: null`` is dropped."""
    more = [
        {key: part for key, part in item.items() if part is not None} if isinstance(item, dict) else item
        for item in more
    ]
    known = {_text(item) for item in present}
    return present + [item for item in more if _text(item) not in known]


def _text(item: Any) -> str:
    """The same for equal values, so that a group of 100,000 is not searched for each of its new members."""
    return json.dumps(item, sort_keys=True, ensure_ascii=False)


def _set(holder: Document, name: str, value: Any) -> None:
    if value is None or value == "":
        holder.pop(name, None)
    else:
        holder[name] = value


def _split(path: str) -> tuple[str | None, str, str | None, str | None]:
    match = _PATH.fullmatch(path)
    if match is None:
        raise Refusal(400, f"{path!r} is not a path.", "invalidPath")
    return match[1], match[2], match[3], match[4]


def _element_matches(item: Any, selector: str) -> bool:
    terms = _TERM.findall(selector)
    return isinstance(item, dict) and bool(terms) and all(_same(item.get(name), literal) for name, literal in terms)


def _same(present: Any, literal: str) -> bool:
    wanted = _literal(literal)
    if isinstance(present, list):
        return any(_same(item, literal) for item in present)
    if isinstance(present, str) and isinstance(wanted, str):
        return present.lower() == wanted.lower()
    return bool(present == wanted)


def _literal(text: str) -> Any:
    if text.startswith('"'):
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text[1:-1])
        return re.sub(r"\\(.)", r"\1", text)
    return {"true": True, "false": False}.get(text.lower(), text)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
