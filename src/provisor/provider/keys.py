"""App side, step 1: the text of an API key, ``pvk_<key id>_<secret>``, and the code that is kept of it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import UTC, date, datetime, timedelta

from provisor.errors import InvalidInput
from provisor.ids import new_id
from provisor.provider.model import MalformedKey, NoCredential, NotBearer

PREFIX = "pvk"
_TEXT = re.compile(rf"{PREFIX}_([0-9a-f]{{32}})_[A-Za-z0-9_-]{{43}}")
_SHOWN = len(PREFIX) + 1 + 12


def make() -> tuple[str, str]:
    """A new key: its id and its text, with 32 random bytes that exist nowhere else."""
    key_id = new_id().replace("-", "")
    return key_id, f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"


def start_of(text: str) -> str:
    """What lists show of a key's text: enough to recognise it, none of the secret."""
    return text[:_SHOWN]


def mac(text: str, pepper: bytes) -> bytes:
    """HMAC-SHA-256 of the text: 32 random bytes need no slow hash, and the pepper is not in the database."""
    return hmac.digest(pepper, text.encode(), hashlib.sha256)


def read_header(header: str | None) -> tuple[str, str]:
    """The key's id and text out of an ``Authorization`` header; the scheme word in any case (RFC 6750, section 2.1).

    Raises ``NoCredential``, ``NotBearer`` or ``MalformedKey``.
    """
    if not header or not header.strip():
        raise NoCredential(hint="Send 'Authorization: Bearer <API key>'.")
    scheme, _, text = header.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise NotBearer(hint=f"Send 'Authorization: Bearer <API key>', not the scheme {scheme[:20]!r}.")
    text = text.strip()
    found = _TEXT.fullmatch(text)
    if found is None:
        raise MalformedKey(
            hint=f"A key begins with {PREFIX!r}; see that the Secret Token was copied whole, without spaces and quotes."
        )
    return found[1], text


def expiry(day: date | str, now_ms: int) -> int:
    """The first millisecond after ``day`` (a date, or ``YYYY-MM-DD``) in UTC. Raises ``InvalidInput`` for the past."""
    if isinstance(day, str):
        try:
            day = date.fromisoformat(day)
        except ValueError:
            raise InvalidInput(f"{day!r} is not a date.", hint="Write it as YYYY-MM-DD.") from None
    if day.year >= 9999:
        raise InvalidInput(f"{day} is too far away.", hint="Choose a date before the year 9999.")
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    end_ms = int(end.timestamp()) * 1000
    if end_ms <= now_ms:
        raise InvalidInput(f"The expiry date {day} is in the past.", hint="Choose today or a later day (UTC).")
    return end_ms
