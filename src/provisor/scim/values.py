"""Floor 1, validation and filters: what the text of a simple value says (RFC 7643 section 2.3)."""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_DECIMAL = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


def as_boolean(text: str) -> bool | None:
    """The boolean that a string spells, in any case; None if it spells none."""
    return _BOOLEANS.get(text.strip().lower())


def as_number(text: str) -> int | float | None:
    """The number that a string spells; None if it spells none."""
    text = text.strip()
    if not _DECIMAL.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def moment(text: str, *, date_only: bool = False) -> datetime | None:
    """The moment, in UTC, that an xsd:dateTime names; without an offset it is UTC. None if it is none.

    ``date_only`` also takes ``2026-01-01``, as its midnight.
    """
    if not (_DATE_TIME.fullmatch(text) or (date_only and _DATE.fullmatch(text))):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_base64(value: str) -> bool:
    """Whether the text is base64 in either alphabet, padded or not."""
    # Both alphabets are allowed (RFC 7643 section 2.3.6); certificates often come in lines.
    packed = "".join(value.split()).rstrip("=").replace("-", "+").replace("_", "/")
    if not _BASE64.fullmatch(packed):
        return False
    try:
        binascii.a2b_base64(packed + "=" * (-len(packed) % 4))
    except binascii.Error:
        return False
    return True


def is_text(value: str) -> bool:
    """Whether the string can be encoded: half of a surrogate pair cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
