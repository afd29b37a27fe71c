"""Beneath signing in: random texts that are shown or sent once, and what is kept of them. Pure."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def make_secret() -> str:
    """32 random bytes that exist nowhere else, as 43 characters that need no escaping."""
    return secrets.token_urlsafe(32)


def hashed(text: str) -> str:
    """What is kept of such a text: 32 random bytes need no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def derived(text: str, purpose: str) -> str:
    """Another secret that only who knows ``text`` can know, such as the CSRF token of a session's cookie."""
    return hmac.digest(text.encode(), purpose.encode(), hashlib.sha256).hex()
