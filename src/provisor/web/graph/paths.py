"""Graph face, step 1: a path into segments (OData 4.01 URL conventions, section 4), as Graph's clients write them.

``/users/{id}`` and ``/users('{id}')`` are the same, ``delta()`` and ``microsoft.graph.delta()`` are ``delta``, doubled
slashes and a trailing one are nothing. ``servicePrincipals(appId='…')`` names an alternate key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from provisor.web.graph.errors import BadRequest

# name, name(…): everything in the outer parentheses is a key or a call's (empty) arguments.
_WITH_KEY = re.compile(r"(?P<name>[A-Za-z_$][\w.$]*)\((?P<inside>.*)\)")
_ALTERNATE = re.compile(r"(?P<property>[A-Za-z_]\w*)=(?P<value>.+)")
_NAMESPACE = re.compile(r"(?:microsoft\.)?graph\.(?P<name>\w+)", re.IGNORECASE)
# Behind the namespace these are types, and narrow a collection; everything else is a function or an action.
CASTS = frozenset(("user", "group", "application", "serviceprincipal", "device", "orgcontact", "administrativeunit"))


@dataclass(frozen=True, slots=True)
class Segment:
    """``kind`` text: a name or a key; key: a key only; alternate: a key by another property, named by ``property``."""

    text: str
    kind: Literal["text", "key", "alternate"] = "text"
    property: str = ""


def segments(raw: str) -> list[Segment]:
    """The segments of a path that is still percent-encoded. Raises ``BadRequest``."""
    made: list[Segment] = []
    for part in raw.split("/"):
        if part:
            text = unquote(part)
            if not text.isprintable():
                raise BadRequest("The address contains a character that none can contain.", code="BadRequest")
            made += _segment(text)
    return made


def _segment(text: str) -> list[Segment]:
    found = _WITH_KEY.fullmatch(text)
    name = found["name"] if found else text
    if qualified := _NAMESPACE.fullmatch(name):
        plain = qualified["name"]
        name = f"microsoft.graph.{plain}" if plain.lower() in CASTS else plain
    if found is None:
        return [Segment(name)]
    inside = found["inside"].strip()
    if not inside:
        return [Segment(name)]
    if alternate := _ALTERNATE.fullmatch(inside):
        return [Segment(name), Segment(_unquoted(alternate["value"].strip()), "alternate", alternate["property"])]
    return [Segment(name), Segment(_unquoted(inside), "key")]


def _unquoted(text: str) -> str:
    if len(text) > 1 and text.startswith("'") and text.endswith("'"):
        return text[1:-1].replace("''", "'")
    if "'" in text or "," in text:
        raise BadRequest(f"'{text[:100]}' is not a key.", code="BadRequest")
    return text
