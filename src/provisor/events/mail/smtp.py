"""Last step of the flow: mail servers over SMTP (RFC 5321), encrypted and with a checked certificate."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from provisor.errors import InvalidInput, Unavailable
from provisor.events.mail.message import mail_of
from provisor.events.mail.model import MailRefused, Message, State

TIMEOUT_S = 30.0
_FORM = "Give it as smtps://USER:PASSWORD@HOST:465 or smtp://USER:PASSWORD@HOST:587."


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes. ``security``: ``tls`` from the first byte, ``starttls`` (demanded), or ``none``, which is for a
    server on this machine. ``ca_file``: certificates to trust beside the system's."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None


def parse_smtp_url(url: str) -> SmtpServer:
    """``smtps://`` is TLS, ``smtp://`` STARTTLS; ``?security=none`` sends in the clear, without a password.

    ``?ca=FILE``: a certificate authority to trust. Raises ``InvalidInput``, which does not show the password.
    """
    parts = urlsplit(url)
    try:
        port, host = parts.port, parts.hostname
    except ValueError:
        port, host = None, None
    if parts.scheme not in ("smtp", "smtps") or not host:
        raise InvalidInput("The address of the mail server cannot be used.", hint=_FORM)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    wanted = options.get("security", "tls" if parts.scheme == "smtps" else "starttls")
    if wanted not in ("tls", "starttls", "none"):
        raise InvalidInput(f"A mail server's security is not {wanted!r}.", hint="Give tls, starttls or none.")
    if wanted == "none" and parts.password:
        raise InvalidInput("A password is not sent to a mail server in the clear.", hint="Use smtps:// or STARTTLS.")
    return SmtpServer(
        host=host,
        port=port or (465 if wanted == "tls" else 587 if wanted == "starttls" else 25),
        security="tls" if wanted == "tls" else "starttls" if wanted == "starttls" else "none",
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        ca_file=Path(options["ca"]) if "ca" in options else None,
    )


class SmtpMailer:
    """Sends over SMTP, one connection a message: notifications are few."""

    leaves: State = "sent"

    def __init__(self, server: SmtpServer, sender: str) -> None:
        self._server = server
        self._sender = sender

    async def send(self, message: Message) -> None:
        """Raises ``MailRefused`` when it is this message that the server does not take, else ``Unavailable``."""
        server = self._server
        try:
            made = mail_of(message, self._sender)
        except InvalidInput as error:
            raise MailRefused(error.message) from error
        try:
            await aiosmtplib.send(
                made,
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.security == "tls",
                start_tls=server.security == "starttls",
                tls_context=self._context() if server.security != "none" else None,
                timeout=TIMEOUT_S,
            )
        except aiosmtplib.SMTPAuthenticationError as error:
            # Somebody has to mend the settings; the message itself is fine.
            raise Unavailable(f"The mail server refuses the user name or password: {error.message}") from error
        except aiosmtplib.SMTPResponseException as error:
            text = f"The mail server answered {error.code}: {error.message}"
            raise (MailRefused(text) if error.code >= 500 else Unavailable(text)) from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [one.code for one in error.recipients]
            text = f"The mail server does not take mail to {message.recipient}: {error}"
            raise (MailRefused(text) if all(code >= 500 for code in codes) else Unavailable(text)) from error
        except (aiosmtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise Unavailable(f"The mail server {server.host}:{server.port} does not answer: {error}") from error

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._server.ca_file is not None:
            context.load_verify_locations(self._server.ca_file)
        return context
