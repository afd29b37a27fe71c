"""App side, after the answer: a body or an address as it may be kept: without secrets, not too long, members as ids.

Most bodies have neither a secret nor members: one look tells, and they are kept as they came.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

import msgspec

MASK = "█████"
# What is kept of a body, in characters.
MOST = 16 * 1024
# A body of more bytes is not parsed for its members' sake: it is cut soon after its beginning anyway.
_PARSED = 64 * 1024
# Names of attributes are black whatever schema they come from when they contain one of these.
_ALWAYS = ("password", "secret")


@lru_cache(maxsize=256)
def _patterns(names: frozenset[str]) -> tuple[tuple[bytes, ...], re.Pattern[str]]:
    """What makes a body suspicious, and what makes a name secret. ``names``: attributes that are never shown."""
    words = sorted({*_ALWAYS, *(name.lower() for name in names)})
    # A name that has another of them inside needs no look of its own; an escape may hide any name.
    shortest = [word for word in words if not any(other in word for other in words if other != word)]
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    return (*(word.encode() for word in shortest), b"\\u"), pattern


def shown_body(body: bytes, names: frozenset[str] = frozenset()) -> str | None:
    """A request's or answer's body as it is kept; null where there is none. ``names``: further secret attributes."""
    if not body:
        return None
    suspicious, secret = _patterns(names)
    folded = body.lower()
    # Plain searches: a regular expression in any case would cost more than the rest of the entry.
    has_secret = any(word in folded for word in suspicious)
    if not has_secret and (len(body) > _PARSED or b"members" not in folded):
        return _cut(body[: 4 * MOST].decode("utf-8", "replace"))
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # What cannot be read cannot be blacked out.
        return f"({len(body)} bytes that are not JSON)" if has_secret else _cut(body.decode("utf-8", "replace"))
    return _cut(msgspec.json.encode(_shown(parsed, secret)).decode())


def shown_path(path: str, names: frozenset[str] = frozenset()) -> str:
    """A path with its query as it is kept: a query that compares a secret loses its values."""
    secret = _patterns(names)[1]
    base, mark, query = path.partition("?")
    if mark and secret.search(unquote_plus(query)):
        query = MASK
    return _cut(f"{base}{mark}{query}")


def _shown(value: Any, secret: re.Pattern[str]) -> Any:
    if isinstance(value, list):
        return [_shown(one, secret) for one in value]
    if not isinstance(value, dict):
        return value
    found = {}
    path = next((str(one) for key, one in value.items() if key.lower() == "path"), "")
    for key, one in value.items():
        name = f"{path}:{key}" if key.lower() == "value" and path else key
        if key.lower() != "path" and secret.search(name):
            found[key] = MASK
        elif name.lower() == "members" or (path.lower().startswith("members") and key.lower() == "value"):
            found[key] = _ids(one, secret)
        elif key.lower() in ("path", "filter") and isinstance(one, str) and secret.search(one) and " " in one:
            # A path or a search with a filter in it compares the secret with a value.
            found[key] = MASK
        else:
            found[key] = _shown(one, secret)
    return found


def _ids(value: Any, secret: re.Pattern[str]) -> Any:
    """``[{"value": "7", "$ref": …}]`` as ``["7"]``."""
    if not isinstance(value, list):
        return _shown(value, secret)
    return [
        one["value"] if isinstance(one, dict) and isinstance(one.get("value"), str) else _shown(one, secret)
        for one in value
    ]


def _cut(text: str) -> str:
    # NUL is the one character that PostgreSQL's text cannot hold.
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"
