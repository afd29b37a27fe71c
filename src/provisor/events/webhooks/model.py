"""Last step of the flow: a webhook, and the one seam to HTTP that its delivery needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a company's outbox is sent. Moments in ms UTC.

    ``position``: the number of the last change that was taken; ``paused``: why nothing is sent, null when it is;
    ``failures`` since the last success; ``next_at``: not before this; ``last_answer``: a status or a fault.
    """

    id: str
    company_id: str
    url: str
    created_at: int
    position: int
    paused: str | None
    failures: int
    next_at: int
    last_answer: str | None
    delivered_at: int | None


@dataclass(frozen=True, slots=True)
class DueWebhook:
    """A webhook that has something to send now, with its sealed secret."""

    webhook: Webhook
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a webhook answered. ``retry_after`` in seconds, null where it did not say."""

    status: int
    retry_after: int | None = None


class Send(Protocol):
    """POSTs a body. The rules for outbound addresses hold, and redirects are not followed."""

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> Reply:
        """The answer, whatever its status; ``timeout`` in seconds. Raises ``Unavailable`` when there is none."""
