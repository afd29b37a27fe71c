"""Where a browser may be sent back to: exactly what the application registered. Pure.

The one exception is RFC 8252 section 7.3, as Entra has it: for a native application's ``http://localhost`` and
``http://127.0.0.1`` the port is free, because nobody can know in advance which one will be.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from provisor.applications.registrations.model import Application

Platform = Literal["web", "spa", "native"]
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]", "::1"))


def platform_of(application: Application, given: str) -> Platform | None:
    """The platform whose registered address this is; null: of none.

    ``native`` and ``spa`` clients keep no secret, so they need PKCE.
    """
    own = application.properties
    if given in own.web.redirect_uris:
        return "web"
    if given in own.spa.redirect_uris:
        return "spa"
    if any(given == known or _same_but_port(known, given) for known in own.public_client.redirect_uris):
        return "native"
    # Entra frees the port of a confidential client's localhost too; the secret is asked for all the same.
    if any(_same_but_port(known, given) for known in own.web.redirect_uris):
        return "web"
    return None


def _same_but_port(known: str, given: str) -> bool:
    try:
        one, other = urlsplit(known), urlsplit(given)
        port = other.port
    except ValueError:
        return False
    return (
        one.scheme == other.scheme == "http"
        and one.hostname in _LOOPBACK
        and one.hostname == other.hostname
        and (port is None or port > 0)
        and other.username is None
        and other.password is None
        and not other.fragment
        and (one.path or "/", one.query) == (other.path or "/", other.query)
    )
