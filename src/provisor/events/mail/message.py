"""Last step of the flow: a message in the form that leaves. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import msgspec

from provisor.clock import iso
from provisor.errors import InvalidInput
from provisor.events.mail.model import Message
from provisor.events.webhooks.message import sign


def mail_of(message: Message, sender: str) -> EmailMessage:
    """An Internet message (RFC 5322): plain text, an id that is the same when it is sent again.

    A line break in a subject, or a recipient that is none, cannot become headers of their own: raises ``InvalidInput``.
    """
    try:
        domain = Address(addr_spec=sender).domain
        to = Address(addr_spec=message.recipient)
    except (ValueError, IndexError) as error:
        raise InvalidInput(f"{message.recipient!r} or {sender!r} is not an e-mail address.") from error
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = str(to)
    made["Subject"] = " ".join(message.subject.split())
    made["Date"] = format_datetime(datetime.fromtimestamp(message.created_at / 1000, UTC))
    made["Message-ID"] = f"<{message.id}@{domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(message.text)
    return made


def webhook_of(message: Message, key: bytes, now_ms: int) -> tuple[dict[str, str], bytes]:
    """Headers and body of the same as a webhook, signed after the Standard Webhooks specification."""
    body = msgspec.json.encode(
        {
            "type": f"provisioning.{message.kind}",
            "id": message.id,
            "at": iso(message.created_at),
            "subject": message.subject,
            "text": message.text,
            "facts": message.facts,
        }
    )
    timestamp = str(now_ms // 1000)
    return {
        "content-type": "application/json",
        "user-agent": "Provisor-Webhooks",
        "webhook-id": message.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(key, message.id, timestamp, body),
    }, body
