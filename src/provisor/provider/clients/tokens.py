"""App side, step 1: the texts of client secrets and access tokens, and how a token proves itself.

A token, ``pvt_<client>_<secret>_<expiry>_<nonce>_<code>``, carries what it says under an HMAC-SHA-256: issuing one
writes nothing, and checking one costs microseconds. Nobody but this server reads it, so it needs no header that names
an algorithm, and so none that can lie about it. Which client and which of its secrets it stands for is inside, so that
a revocation of either reaches it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from provisor.ids import new_id
from provisor.provider.clients.model import BadToken

TOKEN_PREFIX = "pvt"  # noqa: S105 - the beginning of every token
_SECRET_PREFIX = "pvs"  # noqa: S105 - the beginning of every secret
_SECRET = re.compile(rf"{_SECRET_PREFIX}_([0-9a-f]{{32}})_[A-Za-z0-9_-]{{43}}")
_TOKEN = re.compile(
    rf"({TOKEN_PREFIX}_([0-9a-f]{{32}})_([0-9a-f]{{32}})_([0-9a-f]{{1,12}})_[A-Za-z0-9_-]{{11}})_([A-Za-z0-9_-]{{43}})"
)


def make_id() -> str:
    """The id of a client or a secret: 32 hexadecimal digits, time-ordered."""
    return new_id().replace("-", "")


def make_secret() -> tuple[str, str]:
    """A new secret: its id and its text, with 32 random bytes that exist nowhere else."""
    secret_id = make_id()
    return secret_id, f"{_SECRET_PREFIX}_{secret_id}_{secrets.token_urlsafe(32)}"


def secret_id_of(text: str) -> str | None:
    """The id in a secret's text; null for what is none."""
    found = _SECRET.fullmatch(text)
    return found[1] if found is not None else None


def mac(text: str, key: bytes) -> bytes:
    """HMAC-SHA-256 of a text: 32 random bytes need no slow hash, and the key is not in the database."""
    return hmac.digest(key, text.encode(), hashlib.sha256)


def make_token(client_id: str, secret_id: str, expires_at: int, key: bytes) -> str:
    """A token of a client that ends at ``expires_at`` (ms UTC)."""
    said = f"{TOKEN_PREFIX}_{client_id}_{secret_id}_{expires_at:x}_{secrets.token_urlsafe(8)}"
    return f"{said}_{_code(said, key)}"


def read_token(text: str, key: bytes) -> tuple[str, str, int]:
    """The client's id, the secret's id, and the end (ms UTC) of a token that we issued. Raises ``BadToken``."""
    found = _TOKEN.fullmatch(text)
    if found is None or not hmac.compare_digest(found[5], _code(found[1], key)):
        raise BadToken(hint="Ask the token address for a new one, and send it whole.")
    return found[2], found[3], int(found[4], 16)


def _code(said: str, key: bytes) -> str:
    return base64.urlsafe_b64encode(mac(said, key)).rstrip(b"=").decode()
