"""What becomes of a webhook's delivery."""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec
import pytest

from provisor.events.model import OutboxChange
from provisor.events.webhooks.message import make_secret, message
from provisor.events.webhooks.model import Webhook
from provisor.events.webhooks.retry import MOST_FAILURES, PAUSES_S, Decision, decide

HOOK = Webhook("w1", "acme", "https://app.example/hook", 0, 4, None, 0, 0, None, None)
CHANGES = [OutboxChange(5, "User", "u1", "created", 0), OutboxChange(6, "User", "u1", "deleted", 1_000)]


@pytest.mark.parametrize(
    ("status", "failures", "retry_after", "expected"),
    [
        (200, 0, None, Decision("delivered")),
        (204, 7, None, Decision("delivered")),
        (500, 0, None, Decision("retry", 5)),
        (None, 1, None, Decision("retry", 30)),
        (404, 2, None, Decision("retry", 120)),  # a receiver that is being set up
        (301, 0, None, Decision("retry", 5)),  # redirects are never followed
        (503, 5, None, Decision("retry", PAUSES_S[-1])),
        (503, 50, None, Decision("retry", PAUSES_S[-1])),
        (429, 0, 90, Decision("retry", 90)),
        (429, 4, 1, Decision("retry", 1_800)),
        (503, 0, 10**9, Decision("retry", 86_400)),
        (410, 0, None, Decision("pause", reason="The receiver answered 410 Gone.")),
        (500, MOST_FAILURES - 1, None, Decision("pause", reason=f"{MOST_FAILURES} attempts in a row failed.")),
    ],
)
def test_an_answer_leads_to_a_decision(
    status: int | None, failures: int, retry_after: int | None, expected: Decision
) -> None:
    assert decide(status, failures, retry_after) == expected


def test_it_is_tried_for_days_before_it_is_paused() -> None:
    waited = sum(decide(500, failures).wait_s for failures in range(MOST_FAILURES - 1))
    assert 2 < waited / 86_400 < 4


def test_a_receiver_can_verify_the_signature_with_the_secret_it_was_shown() -> None:
    key, text = make_secret()
    headers, body = message(HOOK, CHANGES, key, 1_767_225_600_123)
    shown = base64.b64decode(text.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(shown, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == "1767225600"


def test_a_message_says_which_changes_it_has_and_where_it_goes_on() -> None:
    _, body = message(HOOK, CHANGES, b"key", 0)
    document = msgspec.json.decode(body)
    assert (document["company"], document["after"], document["next"]) == ("acme", 4, 6)
    assert document["changes"][0] == {
        "seq": 5,
        "resourceType": "User",
        "resourceId": "u1",
        "change": "created",
        "at": "1970-01-01T00:00:00.000Z",
    }


def test_the_same_changes_sent_again_have_the_same_id_and_another_signature() -> None:
    first, _ = message(HOOK, CHANGES, b"key", 0)
    second, _ = message(HOOK, CHANGES, b"key", 60_000)
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-signature"] != second["webhook-signature"]
