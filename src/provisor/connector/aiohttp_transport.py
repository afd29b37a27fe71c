"""Step export, at the wire: ``Transport`` on aiohttp. Turns every way to fail into words and a ``TransportError``."""

from __future__ import annotations

import errno
import socket
import ssl
from functools import lru_cache
from typing import Any

import aiohttp
from yarl import URL

from provisor.connector import transport
from provisor.connector.transport import MAX_REPLY, Request, Response, TransportError
from provisor.security import outbound
from provisor.security.outbound import GuardedResolver, OutboundPolicy, is_address

# Many servers close idle connections after 5 s. Letting go before them spares us lost requests on dying connections.
_IDLE_SECONDS = 4.0
_CONNECT_SECONDS = 10.0


class AiohttpTransport:
    """One pool of connections. Make it inside a running loop, close it in the same."""

    def __init__(
        self,
        policy: OutboundPolicy,
        *,
        tls: ssl.SSLContext | None = None,
        limit_per_host: int = 32,
        max_reply: int = MAX_REPLY,
    ) -> None:
        """``tls``: whom to trust, by default the machine's certificate authorities; at least TLS 1.2 in any case."""
        self._policy = policy
        self._max_reply = max_reply
        self._limit = limit_per_host
        self._tls = tls or ssl.create_default_context()
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def send(self, request: Request) -> Response:
        url = URL(request.url, encoded=True)
        encrypted = url.scheme == "https"
        try:
            if is_address(host := url.host or ""):
                # A literal address meets no resolver, so it is checked here.
                self._policy.require(host, encrypted=encrypted)
            async with self._session(encrypted).request(
                request.method,
                url,
                data=request.body,
                headers=request.headers,
                timeout=_timeout(request.timeout),
                allow_redirects=False,
            ) as reply:
                return Response(reply.status, reply.headers, await self._read(reply))
        except outbound.AddressForbidden as error:
            raise transport.AddressForbidden(error.message, hint=error.hint) from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise explain(error, url, request.timeout) from error

    async def close(self) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _session(self, encrypted: bool) -> aiohttp.ClientSession:
        # Plain http has stricter rules for addresses, hence a resolver and a pool of its own.
        session = self._sessions.get(encrypted)
        if session is None:
            connector = aiohttp.TCPConnector(
                resolver=GuardedResolver(self._policy, encrypted=encrypted),
                ssl=self._tls,
                limit=0,
                limit_per_host=self._limit,
                keepalive_timeout=_IDLE_SECONDS,
            )
            session = self._sessions[encrypted] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        return session

    async def _read(self, reply: aiohttp.ClientResponse) -> bytes:
        # Counted while it comes in (and after decompression): Content-Length is only what the server says of itself.
        chunks: list[bytes] = []
        size = 0
        while chunk := await reply.content.readany():
            size += len(chunk)
            if size > self._max_reply:
                raise transport.ReplyTooLarge(
                    f"The reply is longer than {self._max_reply:,} bytes.",
                    hint="Ask for smaller pages (capability page_size).",
                    may_have_arrived=True,
                )
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


@lru_cache(maxsize=32)
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    # Connecting has a limit of its own below the total, so that a total that runs out means: the request was sent.
    return aiohttp.ClientTimeout(total=seconds, connect=min(_CONNECT_SECONDS, seconds * 2 / 3))


def explain(error: Exception, url: URL, timeout: float) -> TransportError:
    """The ``TransportError`` for what aiohttp raised, with the cause in words and the next step."""
    place = f"{url.host}:{url.port}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _name_not_found(error, url)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate(error.certificate_error, place)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return transport.TlsFailed(
            f"{place} did not agree on an encrypted connection ({_ssl_words(error)}).",
            hint="Does this port speak https, with TLS 1.2 or later?",
        )
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return transport.TimedOut(
            f"{place} did not accept a connection in time.", hint="Is a firewall between this machine and the target?"
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return _no_connection(error, place)
    if isinstance(error, TimeoutError):
        return transport.TimedOut(
            f"{place} gave no complete reply within {timeout:g} seconds.",
            hint="The request may have been carried out; it is looked up before it is sent again.",
            may_have_arrived=True,
        )
    if isinstance(error, ValueError):  # aiohttp.InvalidURL among them, and host names that cannot be encoded
        return transport.NameNotFound(f"{url} is not an address that can be called.", hint="Check the Tenant URL.")
    if isinstance(error, aiohttp.ClientResponseError):
        return transport.NotHttp(
            f"{place} answers, but not in HTTP.",
            hint="Check the port, and whether the address is to begin with https.",
            may_have_arrived=True,
        )
    return transport.ConnectionLost(
        f"{place} closed the connection before its reply was complete.",
        hint="Look for a crash or a restart in the target's log.",
        may_have_arrived=True,
    )


def _name_not_found(error: aiohttp.ClientConnectorDNSError, url: URL) -> TransportError:
    if error.os_error.errno == socket.EAI_AGAIN:
        return transport.NameNotFound(
            f"The name {url.host} could not be looked up just now.", hint="Check this machine's name servers."
        )
    return transport.NameNotFound(
        f"There is no host named {url.host}.", hint="Check the Tenant URL for a typing error."
    )


def _no_connection(error: aiohttp.ClientConnectorError, place: str) -> TransportError:
    number = error.os_error.errno
    if number == errno.ETIMEDOUT:
        return transport.TimedOut(f"{place} did not accept a connection in time.", hint="Is a firewall in between?")
    if number in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return transport.ConnectionRefused(
            f"No network route leads to {place}.", hint="Check this machine's network, and the address."
        )
    return transport.ConnectionRefused(
        f"{place} refused the connection.", hint="Is the target running, and is the port right?"
    )


# OpenSSL's X509_V_ERR_* numbers -> what is wrong, and what to do.
_CERTIFICATE_PROBLEMS = {
    9: ("is not valid yet", "Check the clocks of both machines."),
    10: ("has expired", "Have the target's certificate renewed."),
    18: ("is self-signed", "Install a certificate of a known authority, or add this one to the trusted ones."),
    19: ("comes from an authority that this machine does not trust", "Add the authority to the trusted ones."),
    20: ("comes from an authority that this machine does not trust", "Add the authority, or the missing link, to it."),
    21: ("cannot be traced to an authority", "The target should send its intermediate certificates too."),
    23: ("was revoked", "Have the target's certificate replaced."),
    62: ("was made for another host name", "Use the name that the certificate shows, or have it reissued."),
    64: ("was made for another IP address", "Use the name that the certificate shows, or have it reissued."),
}


def _certificate(error: Exception, place: str) -> TransportError:
    code: Any = getattr(error, "verify_code", None)
    problem, hint = _CERTIFICATE_PROBLEMS.get(
        code, (f"cannot be trusted ({getattr(error, 'verify_message', error)})", "Check the target's certificate.")
    )
    return transport.TlsFailed(f"The certificate of {place} {problem}.", hint=hint)


def _ssl_words(error: aiohttp.ClientConnectorSSLError) -> str:
    reason = getattr(error.os_error, "reason", None)
    return str(reason or "TLS failed").replace("_", " ").lower()
