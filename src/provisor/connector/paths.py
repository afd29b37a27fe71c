"""Step export: target attribute paths of the mappings, and what they name inside a SCIM document.

The notation is Entra's (reference entra-provisioning-service.md section 8.3): ``userName``, ``name.givenName``,
``emails[type eq "work"].value``, ``urn:…:enterprise:2.0:User:department``. Names have no case (RFC 7643 section 2.1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from provisor.errors import InvalidInput

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_CORE = (USER.lower(), GROUP.lower())

_PATH = re.compile(
    r"""(?:(?P<urn>urn:[^\[\]"\s]+):)? (?P<attribute>[A-Za-z$][\w$-]*)
        (?:\[(?P<selector>.+)\])? (?:\.(?P<sub>[A-Za-z$][\w$-]*))?""",
    re.VERBOSE | re.IGNORECASE,
)
_TERM = re.compile(
    r"""\s*(?P<name>[A-Za-z$][\w$-]*)\s+eq\s+(?P<value>"(?:[^"\\]|\\.)*"|true|false)\s*""", re.IGNORECASE
)
_AND = re.compile(r"and\s", re.IGNORECASE)
_BOOLEANS = frozenset({"active", "primary"})

ElementKey = tuple[str, str, frozenset[tuple[str, str | bool]]]


@dataclass(frozen=True, slots=True)
class TargetPath:
    """A path taken apart. ``urn`` is an extension's, null for core attributes; ``selector`` is null without ``[…]``."""

    text: str
    urn: str | None
    attribute: str
    selector: tuple[tuple[str, str | bool], ...] | None
    sub: str | None
    # Said once: it is asked for at every value that is sent.
    is_boolean: bool

    @property
    def container(self) -> str:
        """The attribute with its schema, without selector and sub-attribute."""
        return f"{self.urn}:{self.attribute}" if self.urn else self.attribute

    @property
    def element(self) -> str:
        """The path without its sub-attribute: the element that a selector names."""
        return self.text[: -len(self.sub) - 1] if self.sub else self.text

    @property
    def element_key(self) -> ElementKey:
        """The same for all paths into one element, however they are spelled."""
        terms = (
            (name.lower(), value.lower() if isinstance(value, str) else value) for name, value in self.selector or ()
        )
        return (self.urn or "").lower(), self.attribute.lower(), frozenset(terms)


@lru_cache(maxsize=4096)
def parse_path(text: str) -> TargetPath:
    """Take a target attribute path apart. Raises ``InvalidInput`` for what is none."""
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise _no_path(text)
    urn = match["urn"]
    selector = _selector(match["selector"], text) if match["selector"] else None
    plain = urn if urn and urn.lower() not in _CORE else None
    is_boolean = (match["sub"] or match["attribute"]).lower() in _BOOLEANS
    return TargetPath(text.strip(), plain, match["attribute"], selector, match["sub"], is_boolean)


def read(document: Mapping[str, Any], path: TargetPath) -> Any:
    """The value at ``path``, null where there is none; of several elements that it names, the first one's.

    A reference or other complex value without a sub-attribute in the path is its ``value``: ``…:manager`` is the id.
    """
    return next(read_all(document, path), None)


def read_all(document: Mapping[str, Any], path: TargetPath) -> Iterator[Any]:
    """Every value at ``path``, as ``read`` does."""
    holder = _get(document, path.urn) if path.urn else document
    value = _get(holder, path.attribute) if isinstance(holder, Mapping) else None
    into = path.selector is not None or path.sub is not None
    for item in value if into and isinstance(value, list) else [value]:
        if path.selector is not None and not (isinstance(item, Mapping) and _selected(item, path.selector)):
            continue
        if path.sub:
            item = _get(item, path.sub) if isinstance(item, Mapping) else None
        elif isinstance(item, Mapping) and path.selector is None:
            item = _get(item, "value")
        if item is not None:
            yield item


def write(document: dict[str, Any], path: TargetPath, value: Any) -> None:
    """Set the value at ``path`` in a new document; elements with the same selector are one element."""
    holder = document.setdefault(path.urn, {}) if path.urn else document
    if path.selector is None:
        if path.sub is None:
            holder[path.attribute] = value
        else:
            holder.setdefault(path.attribute, {})[path.sub] = value
        return
    elements: list[dict[str, Any]] = holder.setdefault(path.attribute, [])
    element = next((item for item in elements if _selected(item, path.selector)), None)
    if element is None:
        element = dict(path.selector)
        elements.append(element)
    element[path.sub or "value"] = value


def erase(document: dict[str, Any], path: TargetPath) -> None:
    """Take the value at ``path`` away; an element without its ``value`` goes as a whole."""
    holder = document.get(path.urn, {}) if path.urn else document
    if path.selector is not None:
        elements = holder.get(path.attribute) or []
        if path.sub in (None, "value"):
            holder[path.attribute] = [item for item in elements if not _selected(item, path.selector)]
            return
        for element in elements:
            if _selected(element, path.selector):
                element.pop(path.sub, None)
    elif path.sub is not None:
        (holder.get(path.attribute) or {}).pop(path.sub, None)
    else:
        holder.pop(path.attribute, None)


def flatten(document: Mapping[str, Any]) -> dict[str, Any]:
    """Every value of a document under its target attribute path; ``schemas``, ``meta`` and ``members`` left out."""
    found: dict[str, Any] = {}
    for name, value in document.items():
        if name.lower() in ("schemas", "meta", "members"):
            continue
        if name.lower().startswith("urn:") and isinstance(value, Mapping):
            for inner, content in value.items():
                found.update(_flat(f"{name}:{inner}", content))
        else:
            found.update(_flat(name, value))
    return found


def as_boolean(value: Any) -> Any:
    """``"True"`` and ``"false"`` as booleans, everything else as it is: expressions yield texts."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    return value


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        if "value" in value:
            yield path, value["value"]
        for sub, content in value.items():
            if sub != "value":
                yield f"{path}.{sub}", content
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for item in reversed(value):  # the first of equal type wins
            if isinstance(item, Mapping):
                for selector in _selectors(item):
                    for sub, content in item.items():
                        yield f"{path}[{selector}].{sub}", content
    else:
        yield path, value


def _selectors(element: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(element.get("type"), str):
        yield f"type eq {json.dumps(element['type'], ensure_ascii=False)}"
    if element.get("primary") is True:
        yield 'primary eq "True"'


def _get(document: Mapping[str, Any], name: str) -> Any:
    if name in document:
        return document[name]
    folded = name.lower()
    return next((value for key, value in document.items() if key.lower() == folded), None)


def _selected(element: Mapping[str, Any], selector: tuple[tuple[str, str | bool], ...]) -> bool:
    return all(_same(_get(element, name), wanted) for name, wanted in selector)


def _same(present: Any, wanted: str | bool) -> bool:
    if isinstance(wanted, bool):
        return as_boolean(present) is wanted
    return isinstance(present, str) and present.lower() == wanted.lower()


def _selector(text: str, path: str) -> tuple[tuple[str, str | bool], ...]:
    terms: list[tuple[str, str | bool]] = []
    at = 0
    while match := _TERM.match(text, at):
        value = match["value"]
        literal = as_boolean(value) if value[0] != '"' else _unquoted(value)
        # Entra writes roles[primary eq "True"]: a boolean in quotes.
        terms.append((match["name"], as_boolean(literal) if match["name"].lower() in _BOOLEANS else literal))
        at = match.end()
        joint = _AND.match(text, at)
        if joint is None:
            break
        at = joint.end()
    if not terms or at != len(text):
        raise _no_path(path)
    return tuple(terms)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _no_path(text: str) -> InvalidInput:
    return InvalidInput(
        f"{text!r} is not a target attribute.",
        hint='Write it like userName, name.givenName, emails[type eq "work"].value or urn:…:User:department.',
    )
