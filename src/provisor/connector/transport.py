"""Step export, at the wire: the one seam to HTTP. ``AiohttpTransport`` is the real one, ``testing`` has twins.

    TransportError                nothing usable came back
    ├── NameNotFound              no such host name
    ├── AddressForbidden          the rules for outbound calls forbid the address
    ├── ConnectionRefused         nothing listens there, or no way leads there
    ├── TlsFailed                 no trustworthy encrypted connection
    ├── TimedOut                  too slow
    ├── ConnectionLost            broke off before the reply was complete
    ├── NotHttp                   what came back is not HTTP
    └── ReplyTooLarge             the reply is longer than we read

Each says with ``may_have_arrived`` whether the server may have applied the request all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from provisor.errors import Unavailable

MAX_REPLY = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``url`` is absolute and already percent-encoded, ``timeout`` is in seconds, for all of it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)  # they carry the secret
    body: bytes | None = field(repr=False)
    timeout: float


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP reply. The names in ``headers`` are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Headers(Mapping[str, str]):
    """Header fields whose names are found in any case, for transports that have no such mapping of their own."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self._fields = {name.lower(): value for name, value in (fields or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class Transport(Protocol):
    """Sends requests. Redirects are never followed; replies of more than ``MAX_REPLY`` bytes are refused."""

    async def send(self, request: Request) -> Response:
        """The reply, whatever its status. Raises ``TransportError``."""

    async def close(self) -> None:
        """Let go of all connections."""


class TransportError(Unavailable):
    """The server gave no usable reply."""

    def __init__(self, message: str | None = None, *, hint: str | None = None, may_have_arrived: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.may_have_arrived = may_have_arrived


class NameNotFound(TransportError):
    """There is no such host name."""


class AddressForbidden(TransportError):
    """The rules for outbound calls forbid this address."""


class ConnectionRefused(TransportError):
    """Nothing accepts connections at this address."""


class TlsFailed(TransportError):
    """No trustworthy encrypted connection could be made."""


class TimedOut(TransportError):
    """The server took too long."""


class ConnectionLost(TransportError):
    """The connection broke off before the reply was complete."""


class NotHttp(TransportError):
    """What came back is not HTTP."""


class ReplyTooLarge(TransportError):
    """The reply is longer than Provisor reads."""
