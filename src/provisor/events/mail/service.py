"""Last step of the flow, its door: what was written to whom, for the portals and the commands."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from provisor.errors import InvalidInput
from provisor.events.audit.store import realm_key
from provisor.events.mail.delivery import KeyOf
from provisor.events.mail.model import Message
from provisor.events.mail.store import MailStore
from provisor.events.webhooks.message import PREFIX
from provisor.security.actor import Actor, Realm, Right

MOST_MESSAGES = 200


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages, newest first. ``next``: what to ask for afterwards, null at the end."""

    messages: Sequence[Message]
    next: str | None


class Mail:
    """A realm's messages, whatever became of them."""

    def __init__(self, store: MailStore, key_of: KeyOf) -> None:
        self._store = store
        self._key_of = key_of

    async def page(self, actor: Actor, realm: Realm, *, after: str | None = None, limit: int = 50) -> MessagePage:
        """A page of a realm's messages. Raises ``InvalidInput``."""
        actor.require(Right.AUDIT_READ, realm.id)
        if not 1 <= limit <= MOST_MESSAGES:
            raise InvalidInput(f"limit is {limit}.", hint=f"Ask for 1 to {MOST_MESSAGES} messages.")
        found = await self._store.messages(realm, _place(after) if after else None, limit + 1)
        messages = found[:limit]
        more = len(found) > limit
        return MessagePage(messages, f"{messages[-1].created_at}.{messages[-1].id}" if more else None)

    def webhook_secret(self, actor: Actor, realm: Realm) -> str:
        """What the webhooks that carry a realm's messages are signed with, for whoever checks them."""
        actor.require(Right.SYNCHRONIZATION_WRITE, realm.id)
        return PREFIX + base64.b64encode(self._key_of(realm_key(realm))).decode()


def _place(text: str) -> tuple[int, str]:
    at, _, id_ = text.partition(".")
    if not at.isascii() or not at.isdigit():
        raise InvalidInput(f"{text!r} is not a position among the messages.", hint="Begin again without one.")
    return int(at), id_
