"""Messages: written with their cause, sent over SMTP to a real server or as a signed webhook, and kept."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from provisor.errors import Forbidden, InvalidInput, Unavailable
from provisor.events.mail.delivery import MailDelivery
from provisor.events.mail.folder import FolderMailer
from provisor.events.mail.model import Mailer, Message, NewMessage
from provisor.events.mail.service import Mail
from provisor.events.mail.smtp import SmtpMailer, parse_smtp_url
from provisor.events.mail.store import MailStore, enqueue
from provisor.events.webhooks.message import sign
from provisor.events.webhooks.model import Reply
from provisor.security.actor import Actor, Realm, operator, rights_of
from provisor.storage.database import Database, Tx
from provisor.testing.clock import SettableClock

REALM = Realm("tenant", "t1")
KEY = b"k" * 32
MINUTE = 60_000


@dataclass
class Inbox:
    """What a mail server does with what it is given."""

    answers: list[str] = field(default_factory=list)
    came: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            self.came.append(email.message_from_bytes(content, policy=email.policy.default))
            self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 There is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@contextmanager
def served(inbox: Inbox, authority: trustme.CA, *, tls: str, password: str | None = None) -> Iterator[int]:
    """A mail server on a port of loopback, in a thread of its own."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)

    def login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == (password or "").encode())

    options: dict[str, Any] = {"ssl_context": context} if tls == "tls" else {}
    if tls == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if password is not None:
        options |= {"authenticator": login, "auth_required": True, "auth_require_tls": tls == "starttls"}
    # The server looks for itself at the port that it was given, so it cannot choose one.
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(inbox, hostname="localhost", port=port, server_hostname="localhost", **options)
    server.start()
    try:
        yield port
    finally:
        server.stop()


def message(recipient: str = "ada@example.org", **given: Any) -> NewMessage:
    return NewMessage(
        **{
            "realm": REALM,
            "channel": "mail",
            "key": "k1",
            "kind": "quarantine",
            "recipient": recipient,
            "subject": "Provisioning to Ünïcode\r\nBcc: all@example.org is in quarantine",
            "text": "The cause: größer als erlaubt.\nStart the job.\n",
            "facts": {"jobId": "j1"},
            **given,
        }
    )


class NoWebhooks:
    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> Reply:
        raise AssertionError(f"Nothing was to be sent to {url}.")


@pytest.fixture
def box(database: Database) -> MailStore:
    return MailStore(database)


def delivery(box: MailStore, mailer: Mailer, clock: SettableClock) -> MailDelivery:
    return MailDelivery(box, mailer, NoWebhooks(), lambda realm: KEY, clock)


async def kept(box: MailStore) -> list[Message]:
    return list((await Mail(box, lambda realm: KEY).page(operator(), REALM)).messages)


# The test server's warning does not see that it is encrypted from the first byte.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_a_message_arrives_encrypted_at_a_real_server(
    box: MailStore, clock: SettableClock, authority: trustme.CA, ca_file: Path, tls: str
) -> None:
    inbox = Inbox()
    scheme = "smtps" if tls == "tls" else "smtp"
    with served(inbox, authority, tls=tls, password="p@ss") as port:
        server = parse_smtp_url(f"{scheme}://robot:p%40ss@localhost:{port}?ca={ca_file}")
        await box.enqueue([message()], at=clock.now_ms())
        sender = delivery(box, SmtpMailer(server, "provisor@example.org"), clock)
        assert await sender.run_once(clock.now_ms()) == 1
        assert await sender.run_once(clock.now_ms()) == 0
    [came] = inbox.came
    assert inbox.encrypted == [True]
    assert came["To"] == "ada@example.org"
    assert came["From"] == "provisor@example.org"
    assert came["Subject"] == "Provisioning to Ünïcode Bcc: all@example.org is in quarantine"
    assert came["Bcc"] is None
    assert came["Auto-Submitted"] == "auto-generated"
    assert "größer als erlaubt" in came.get_content()
    [stays] = await kept(box)
    assert (stays.state, stays.attempts, stays.answer, stays.sent_at) == ("sent", 1, None, clock.now_ms())


async def test_a_certificate_that_nobody_vouches_for_gets_no_message(
    box: MailStore, clock: SettableClock, authority: trustme.CA
) -> None:
    inbox = Inbox()
    with served(inbox, authority, tls="tls") as port:
        mailer = SmtpMailer(parse_smtp_url(f"smtps://localhost:{port}"), "provisor@example.org")
        await box.enqueue([message()], at=clock.now_ms())
        assert await delivery(box, mailer, clock).run_once(clock.now_ms()) == 0
    assert inbox.came == []
    [stays] = await kept(box)
    assert stays.state == "waiting"
    assert "certificate" in (stays.answer or "").lower()


async def test_a_server_that_is_busy_is_asked_again_later(
    box: MailStore, clock: SettableClock, authority: trustme.CA, ca_file: Path
) -> None:
    inbox = Inbox(answers=["451 Try again later"])
    with served(inbox, authority, tls="tls") as port:
        mailer = SmtpMailer(parse_smtp_url(f"smtps://localhost:{port}?ca={ca_file}"), "provisor@example.org")
        sender = delivery(box, mailer, clock)
        await box.enqueue([message()], at=clock.now_ms())
        assert await sender.run_once(clock.now_ms()) == 0
        assert await sender.run_once(clock.now_ms()) == 0
        clock.advance(31)
        assert await sender.run_once(clock.now_ms()) == 1
    assert len(inbox.came) == 1
    [stays] = await kept(box)
    assert (stays.state, stays.attempts) == ("sent", 2)


async def test_a_recipient_that_is_not_there_is_given_up_at_once(
    box: MailStore, clock: SettableClock, authority: trustme.CA, ca_file: Path
) -> None:
    inbox = Inbox()
    with served(inbox, authority, tls="tls") as port:
        mailer = SmtpMailer(parse_smtp_url(f"smtps://localhost:{port}?ca={ca_file}"), "provisor@example.org")
        await box.enqueue([message("nobody@example.org"), message("not an address", key="k2")], at=clock.now_ms())
        await delivery(box, mailer, clock).run_once(clock.now_ms())
    assert {one.recipient: one.state for one in await kept(box)} == {
        "nobody@example.org": "given up",
        "not an address": "given up",
    }
    assert any("550" in (one.answer or "") for one in await kept(box))


async def test_a_server_that_is_never_there_is_given_up_after_days(box: MailStore, clock: SettableClock) -> None:
    class Away:
        leaves = "sent"

        async def send(self, message: Message) -> None:
            raise Unavailable("Nobody is at home.")

    await box.enqueue([message()], at=clock.now_ms())
    sender = delivery(box, Away(), clock)  # type: ignore[arg-type]
    began = clock.now_ms()
    while (await kept(box))[0].state == "waiting":
        await sender.run_once(clock.now_ms())
        clock.advance(6 * 3_600)
    assert (await kept(box))[0].state == "given up"
    assert clock.now_ms() - began > 3 * 86_400_000


async def test_without_a_mail_server_messages_are_files(box: MailStore, clock: SettableClock, tmp_path: Path) -> None:
    await box.enqueue([message()], at=clock.now_ms())
    mailer = FolderMailer(tmp_path / "outbox", "provisor@localhost")
    assert await delivery(box, mailer, clock).run_once(clock.now_ms()) == 1
    [stays] = await kept(box)
    assert stays.state == "folder"
    file = tmp_path / "outbox" / f"{stays.id}.eml"
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    found = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert "größer als erlaubt" in found.get_content()


async def test_a_message_about_the_same_thing_is_written_once_and_with_its_cause(
    database: Database, box: MailStore
) -> None:
    async def work(tx: Tx) -> None:
        await enqueue(tx, [message(), message(), message("bob@example.org")], at=1)

    await database.write(work)
    await database.write(work)
    assert sorted(one.recipient for one in await kept(box)) == ["ada@example.org", "bob@example.org"]

    async def undone(tx: Tx) -> None:
        await enqueue(tx, [message(key="k2")], at=1)
        raise InvalidInput("not this one")

    with pytest.raises(InvalidInput):
        await database.write(undone)
    assert len(await kept(box)) == 2


async def test_the_same_content_goes_to_a_webhook_signed(box: MailStore, clock: SettableClock) -> None:
    came: list[tuple[str, Mapping[str, str], bytes]] = []
    answers = [Reply(500), Reply(204)]

    class Hook:
        async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> Reply:
            came.append((url, headers, body))
            return answers.pop(0)

    await box.enqueue([message("https://app.example/hook", channel="webhook")], at=clock.now_ms())
    folder = FolderMailer(Path("/nowhere"), "provisor@localhost")
    sender = MailDelivery(box, folder, Hook(), lambda realm: KEY, clock)
    assert await sender.run_once(clock.now_ms()) == 0
    clock.advance(60)
    assert await sender.run_once(clock.now_ms()) == 1
    (url, headers, body), (_, again, _) = came
    assert url == "https://app.example/hook"
    assert headers["webhook-id"] == again["webhook-id"]
    expected = sign(KEY, headers["webhook-id"], headers["webhook-timestamp"], body)
    assert headers["webhook-signature"] == expected
    document = msgspec.json.decode(body)
    assert document["type"] == "provisioning.quarantine"
    assert document["facts"] == {"jobId": "j1"}
    assert "größer" in document["text"]


async def test_pages_of_messages_join(box: MailStore) -> None:
    await box.enqueue([message(key=f"k{n}") for n in range(5)], at=1)
    mail = Mail(box, lambda realm: KEY)
    seen, after = [], None
    while True:
        page = await mail.page(operator(), REALM, after=after, limit=2)
        seen += [one.id for one in page.messages]
        after = page.next
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 5
    with pytest.raises(InvalidInput):
        await mail.page(operator(), REALM, after="nonsense")
    with pytest.raises(Forbidden):
        await mail.page(Actor(Realm("tenant", "t2"), "x", rights_of(["Global Administrator"])), REALM)


@pytest.mark.parametrize(
    "url",
    ["http://mail.example", "smtp://", "smtp://user:pass@mail.example?security=none", "smtp://h?security=some", "x"],
)
def test_a_mail_server_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as error:
        parse_smtp_url(url)
    assert "pass" not in str(error.value).replace("password", "").replace("PASSWORD", "")
