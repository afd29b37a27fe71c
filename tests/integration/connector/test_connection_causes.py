"""Test Connection against real servers on loopback: every way to fail is told by its real cause, with a next step."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from provisor.clock import SystemClock
from provisor.connector.aiohttp_transport import AiohttpTransport
from provisor.connector.capabilities import CapabilityProfile
from provisor.connector.check import ConnectionResult
from provisor.connector.client import ScimClient
from provisor.connector.dialect import load_dialect
from provisor.security.outbound import OutboundPolicy
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_http import listening, serve

LAPTOP = OutboundPolicy(own_loopback=True)


async def check(
    address: str,
    *,
    policy: OutboundPolicy = LAPTOP,
    token: str = "the-token",
    timeout: float = 10.0,
    tls: ssl.SSLContext | None = None,
    max_reply: int = 1_000_000,
) -> ConnectionResult:
    """The outcome of Test Connection over real HTTP; it always says what and why, and never the token."""
    transport = AiohttpTransport(policy, tls=tls, max_reply=max_reply)
    client = ScimClient(
        transport,
        base_address=address,
        token=token,
        dialect=load_dialect(),
        capabilities=CapabilityProfile(),
        clock=SystemClock(),
        timeout=timeout,
    )
    try:
        result = await client.test()
    finally:
        await transport.close()
    assert result.ok or (result.message and result.hint and result.code)
    assert token not in f"{result} {result.exchange.response_body if result.exchange else ''}"
    return result


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def raw_server(banner: bytes | None) -> AsyncIterator[str]:
    """Sends ``banner`` to whoever connects, or (null) stays silent."""
    done = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if banner is not None:
            writer.write(banner)
            await writer.drain()
        else:
            await done.wait()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/scim"
        done.set()


# --- certificates ----------------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority of our own, and certificates made by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        now = datetime.datetime.now(datetime.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(self.name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=30))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def trusted(self) -> ssl.SSLContext:
        """What a client uses who trusts this authority and no other."""
        return ssl.create_default_context(cadata=self.certificate.public_bytes(serialization.Encoding.PEM).decode())

    def server(self, address: str, *, days: int = 10, self_signed: bool = False) -> ssl.SSLContext:
        """What a server uses whose certificate names the IP ``address`` and ends in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test server")])
        now = datetime.datetime.now(datetime.UTC)
        signing_key = key if self_signed else self.key
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self_signed else self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=20))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
            .sign(signing_key, hashes.SHA256())
        )
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_a_good_certificate_of_a_trusted_authority_connects(authority: Authority) -> None:
    async with serve(SimulatedTarget(), tls=authority.server("127.0.0.1")) as address:
        result = await check(address, tls=authority.trusted())

    assert result.ok


@pytest.mark.parametrize(
    ("address", "days", "self_signed", "words"),
    [
        ("127.0.0.1", 10, True, "is self-signed"),
        ("127.0.0.1", -1, False, "has expired"),
        ("127.0.0.2", 10, False, "was made for another IP address"),
    ],
)
async def test_a_bad_certificate_is_told_by_what_is_bad_about_it(
    authority: Authority, address: str, days: int, self_signed: bool, words: str
) -> None:
    context = authority.server(address, days=days, self_signed=self_signed)
    async with serve(SimulatedTarget(), tls=context) as url:
        result = await check(url, tls=authority.trusted())

    assert (result.ok, result.cause) == (False, "tls")
    assert words in result.message


async def test_an_unknown_authority_is_told(authority: Authority) -> None:
    async with serve(SimulatedTarget(), tls=authority.server("127.0.0.1")) as url:
        result = await check(url)

    assert (result.ok, result.cause) == (False, "tls")
    assert "authority that this machine does not trust" in result.message


async def test_https_to_a_port_that_speaks_http_is_told() -> None:
    async with serve(SimulatedTarget()) as address:
        result = await check(address.replace("http://", "https://"))

    assert (result.ok, result.cause) == (False, "tls")
    assert "speak https" in (result.hint or "")


# --- no reply --------------------------------------------------------------------------------------------------------


async def test_a_name_that_nobody_has_is_told() -> None:
    result = await check("https://no-such-host.invalid/scim")

    assert (result.ok, result.cause) == (False, "name_not_found")
    assert "no-such-host.invalid" in result.message


async def test_a_name_that_cannot_be_one_is_told() -> None:
    result = await check(f"https://{'a' * 70}.example/scim")

    assert (result.ok, result.cause) == (False, "name_not_found")


async def test_a_port_where_nothing_listens_is_told() -> None:
    result = await check(f"http://127.0.0.1:{free_port()}/scim")

    assert (result.ok, result.cause) == (False, "connection_refused")


async def test_a_server_that_never_answers_is_told() -> None:
    async with raw_server(None) as address:
        result = await check(address, timeout=0.3)

    assert (result.ok, result.cause) == (False, "timeout")
    assert "0.3 seconds" in result.message


@pytest.mark.parametrize(
    ("banner", "cause"),
    [
        (b"SSH-2.0-OpenSSH_9.9\r\n", "not_http"),
        (b"", "connection_lost"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "connection_lost"),
    ],
)
async def test_what_does_not_answer_in_whole_http_is_told(banner: bytes, cause: str) -> None:
    async with raw_server(banner) as address:
        result = await check(address)

    assert (result.ok, result.cause) == (False, cause)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://169.254.169.254/latest", "metadata service"),
        ("https://[::ffff:169.254.169.254]/latest", "metadata service"),
        ("http://[fe80::1]/scim", "link-local"),
        ("http://0.0.0.0/scim", "not the address of any machine"),
        ("http://93.184.216.34/scim", "Plain http"),
    ],
)
async def test_addresses_that_are_never_called_are_refused_before_anything_is_sent(address: str, words: str) -> None:
    result = await check(address)

    assert (result.ok, result.cause) == (False, "address_forbidden")
    assert words in result.message


async def test_a_server_open_to_others_calls_no_loopback_address_also_not_by_name() -> None:
    target = SimulatedTarget()
    async with serve(target) as address:
        for url in (address, address.replace("127.0.0.1", "localhost")):
            result = await check(url, policy=OutboundPolicy())

            assert (result.ok, result.cause) == (False, "address_forbidden")
            assert "PROVISOR_ALLOW_NETWORKS" in (result.hint or "")
    assert target.requests == []


# --- a reply that is not the right one -------------------------------------------------------------------------------


@asynccontextmanager
async def answering(
    status: int, body: str | bytes = b"", *, content_type: str = "application/scim+json", **headers: str
) -> AsyncIterator[str]:
    """A server that gives everybody this answer."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        raw = body.encode() if isinstance(body, str) else body
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=raw, headers={"Content-Type": content_type, **fields})

    async with listening(handle) as address:
        yield f"{address}/scim"


def scim_error(status: int, words: str) -> str:
    return f'{{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"{status}","detail":"{words}"}}'


REPLIES = [
    # status, body, cause, words of the message
    (401, scim_error(401, "Key expired."), "unauthorized", "Key expired."),
    (401, "", "unauthorized", "does not accept the secret token (status 401)"),
    (403, scim_error(403, "Key may only read."), "forbidden", "Key may only read."),
    (404, "<h1>Not found</h1>", "wrong_path", "/scim/Users does not exist"),
    (405, "", "request_refused", "status 405"),
    (500, '{"message": "database is down"}', "server_failed", "database is down"),
    (502, "<h1>Bad gateway</h1>", "server_failed", "Bad gateway"),
    (200, "<html><title>Sign in</title></html>", "not_scim", "an HTML page. It begins: Sign in"),
    (200, '{"totalResults"', "not_scim", "not JSON"),
    (200, '{"users": []}', "not_scim", "not a ListResponse"),
    (204, "", "not_scim", "is empty"),
    (429, "", "throttled", "asks to slow down"),
]


@pytest.mark.parametrize(("status", "body", "cause", "words"), REPLIES)
async def test_a_reply_is_told_by_what_is_wrong_with_it(status: int, body: str, cause: str, words: str) -> None:
    async with answering(status, body, Retry_After="60") as address:
        result = await check(address)

    assert (result.ok, result.cause) == (False, cause)
    assert words in result.message
    assert result.exchange is not None
    assert result.exchange.status == status


async def test_a_wrong_token_is_told_by_a_scim_service() -> None:
    async with serve(SimulatedTarget(token="another")) as address:
        result = await check(address)

    assert (result.ok, result.cause) == (False, "unauthorized")
    assert result.code == "SystemForCrossDomainIdentityManagementCredentialValidationFailure"


@pytest.mark.parametrize("there", ["/elsewhere", "http://169.254.169.254/latest/meta-data"])
async def test_a_redirect_is_told_and_not_followed(there: str) -> None:
    calls: list[str] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        calls.append(request.path)
        return web.Response(status=302, headers={"Location": there})

    async with listening(handle) as address:
        result = await check(f"{address}/scim")

    assert (result.ok, result.cause) == (False, "redirect")
    assert there in result.message
    assert calls == ["/scim/Users"]


async def test_a_reply_without_end_is_cut_off() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await reply.write(b" " * 65_536)
        return reply

    async with listening(handle) as address:
        result = await check(f"{address}/scim")

    assert (result.ok, result.cause) == (False, "reply_too_large")


async def test_a_small_reply_that_unpacks_to_a_large_one_is_cut_off() -> None:
    bomb = gzip.compress(b" " * 5_000_000)
    async with answering(200, bomb, Content_Encoding="gzip") as address:
        result = await check(address)

    assert len(bomb) < 10_000
    assert (result.ok, result.cause) == (False, "reply_too_large")
