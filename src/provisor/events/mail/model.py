"""Last step of the flow, its nouns: a message, and the one seam to a mail server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from provisor.errors import Unavailable
from provisor.security.actor import Realm

Channel = Literal["mail", "webhook"]
State = Literal["waiting", "sent", "folder", "given up"]


class MailRefused(Unavailable):
    """The mail server does not take this message, and would not take it later either."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message before it is sent. ``key``: what it is about; a second one of the same key to the same recipient is not
    written. ``kind``: quarantine, guard, expiry or digest. ``facts``: the same for programs, in the webhook's body."""

    realm: Realm
    channel: Channel
    key: str
    kind: str
    recipient: str
    subject: str
    text: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is kept. Moments in ms UTC. ``state``: folder means that it was written to a file, since no mail
    server is set; ``answer``: what went wrong last, null when nothing did."""

    id: str
    realm: str
    channel: Channel
    kind: str
    recipient: str
    subject: str
    text: str
    facts: Mapping[str, str]
    created_at: int
    state: State
    attempts: int
    next_at: int
    answer: str | None
    sent_at: int | None


class Mailer(Protocol):
    """Gives a message away. ``MailRefused``: never; any other ``Unavailable``: not now."""

    # What becomes of a message that was given away.
    leaves: State

    async def send(self, message: Message) -> None: ...
