"""Last step of the flow: a delivery's body and its signature, after the Standard Webhooks specification.

The receiver computes base64(HMAC-SHA-256(secret, "<webhook-id>.<webhook-timestamp>.<body>")), compares it with what
follows ``v1,`` in ``webhook-signature``, and refuses timestamps that are minutes away from its own clock.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

import msgspec

from provisor.clock import iso
from provisor.events.model import OutboxChange
from provisor.events.webhooks.model import Webhook

PREFIX = "whsec_"


def make_secret() -> tuple[bytes, str]:
    """A new secret: the key itself, and the text that is shown of it once."""
    key = secrets.token_bytes(32)
    return key, PREFIX + base64.b64encode(key).decode()


def change_document(change: OutboxChange) -> dict[str, object]:
    """A change as it is read by ``GET /v1/changes`` and sent to webhooks."""
    return {
        "seq": change.seq,
        "resourceType": change.resource_type,
        "resourceId": change.resource_id,
        "change": change.change,
        "at": iso(change.at),
    }


def message(webhook: Webhook, changes: Sequence[OutboxChange], key: bytes, now_ms: int) -> tuple[dict[str, str], bytes]:
    """Headers and body of a delivery of ``changes`` (at least one). The id stays the same when it is sent again."""
    body = msgspec.json.encode(
        {
            "type": "changes",
            "company": webhook.company_id,
            "after": changes[0].seq - 1,
            "next": changes[-1].seq,
            "changes": [change_document(change) for change in changes],
        }
    )
    message_id = f"{webhook.id}.{changes[0].seq}-{changes[-1].seq}"
    timestamp = str(now_ms // 1000)
    return {
        "content-type": "application/json",
        "user-agent": "Provisor-Webhooks",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(key, message_id, timestamp, body),
    }, body


def sign(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of ``webhook-signature``."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
