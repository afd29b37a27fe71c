"""App side, step 2: where a walk through a list stands, as an opaque text that nobody can make or move (RFC 9865).

A cursor is sealed with AES-256-GCM. Its associated data are the company and the query, so that it opens nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from provisor.provider.resources.model import Position
from provisor.scim.errors import ExpiredCursor, InvalidCursor

LIFE_S = 3_600
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """What a cursor says: the resource type that comes next, where in it, and how many a page has."""

    kind: str
    position: Position | None
    count: int


class Cursors:
    """Seals and opens cursors under a key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, mark: Mark, query: bytes, now: int) -> str:
        """The cursor's text. ``query`` names the company and everything that was asked for; ``now`` in ms UTC."""
        position = None if mark.position is None else [mark.position.id, mark.position.key]
        nonce = os.urandom(_NONCE)
        plain = msgspec.msgpack.encode([now, mark.kind, mark.count, position])
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, plain, query)).decode().rstrip("=")

    def open(self, text: str, query: bytes, now: int) -> Mark:
        """What a cursor says. ``InvalidCursor``: another query's or company's; ``ExpiredCursor``: after 1 h."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], query)
        except (binascii.Error, ValueError, InvalidTag):
            raise InvalidCursor(hint="Repeat the request of the first page, with its nextCursor unaltered.") from None
        made_at, kind, count, position = msgspec.msgpack.decode(plain)
        if now - made_at > LIFE_S * 1000:
            raise ExpiredCursor(
                f"The cursor is older than {LIFE_S} seconds.", hint="Begin again, with an empty cursor."
            )
        return Mark(kind, None if position is None else Position(position[0], _key(position[1])), count)


def query_of(*parts: Any) -> bytes:
    """The fingerprint of a query."""
    return hashlib.sha256(msgspec.msgpack.encode(parts)).digest()


def _key(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key
