"""Graph face: links that leave the program and come back, ``@odata.context`` and the tokens of next and delta links.

A token is sealed, and bound to the tenant, the address and what was asked: it can be neither read nor altered, nor used
with other options.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

import msgspec

from provisor.errors import Unavailable
from provisor.odata.options import Expand
from provisor.security.secrets import Sealer
from provisor.web.graph.errors import BadRequest
from provisor.web.graph.http import Request

T = TypeVar("T")
# Not part of what a token is bound to: where the page begins.
_POSITION = frozenset(("$skiptoken",))


class Tokens:
    """Seals and opens the positions of lists."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(self, position: msgspec.Struct, bound_to: str) -> str:
        """URL-safe text for a position."""
        sealed = self._sealer.seal(msgspec.json.encode(position), bound_to)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, token: str, kind: type[T], bound_to: str) -> T:
        """The position. Raises ``BadRequest`` for a token that is damaged, another's, or from another query."""
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            return msgspec.json.decode(self._sealer.open(sealed, bound_to), type=kind)
        except (binascii.Error, ValueError, Unavailable, msgspec.DecodeError) as error:
            raise BadRequest(
                "The specified page token is invalid or has expired: follow the link as it was given.",
                code="Directory_ExpiredPageToken",
            ) from error


def bound(request: Request) -> str:
    """What the tokens of this list are bound to."""
    asked = sorted((name, text) for name, text in request.query.items() if name not in _POSITION)
    return f"graph {request.tenant_id} {request.version} {request.path.lower()} {asked}"


def next_link(request: Request, token: str) -> str:
    """The address of the next page: the same question, from there on."""
    return address(request, {**request.query, "$skiptoken": token})


def address(request: Request, query: Mapping[str, str]) -> str:
    """The address of the request with other options."""
    text = "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in query.items())
    return f"{request.base}{quote(request.path, safe=_SAFE_PATH)}{'?' if text else ''}{text}"


_SAFE = "-._~(),:/"
_SAFE_PATH = "-._~(),:/@'$"


def context(
    request: Request,
    name: str,
    select: Sequence[str] | None = None,
    expand: Sequence[Expand] = (),
    *,
    entity: bool = False,
) -> str:
    """``@odata.context``: ``…/$metadata#users(id,displayName)/$entity``."""
    parts = [*(select or ()), *(f"{one.link}({','.join(one.select or ())})" for one in expand)]
    shown = f"({','.join(parts)})" if parts else ""
    return f"{request.base}/$metadata#{name}{shown}{'/$entity' if entity else ''}"
