"""Upkeep: when a Secret Token ends, where it says so itself (a JWT's ``exp``, RFC 7519 section 4.1.4). Pure.

Nothing is verified: the token is the target's to check; here it only tells when to ask an administrator for another.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

_PARTS = 3
_DAY_MS = 86_400_000
# Somebody is told so many days before.
DAYS = (30, 7, 1)


class _Claims(msgspec.Struct):
    exp: int | float | None = None


def ends_at(token: str | None) -> int | None:
    """The moment in ms UTC; null where the token does not say, or is no JWT."""
    parts = (token or "").split(".")
    if len(parts) != _PARTS:
        return None
    try:
        text = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        found = msgspec.json.decode(text, type=_Claims).exp
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None
    return None if found is None else round(found * 1000)


def days_left(ends: int, now: int) -> int | None:
    """30, 7 or 1 when the token ends within so many days (the fewest that hold), else null; null of one that ended."""
    left = [days for days in DAYS if 0 < ends - now <= days * _DAY_MS]
    return min(left) if left else None
