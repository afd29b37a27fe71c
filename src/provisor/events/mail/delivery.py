"""Last step of the flow: messages leave, each at least once, and what cannot leave now is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from provisor.clock import Clock
from provisor.errors import Unavailable
from provisor.events.mail.message import webhook_of
from provisor.events.mail.model import Mailer, MailRefused, Message
from provisor.events.mail.retry import again_in
from provisor.events.mail.store import MailStore
from provisor.events.webhooks.model import Send

_TIMEOUT_S = 15.0
# Longer than any delivery takes: after it, a sender that has said nothing is dead.
_CLAIM_MS = 120_000
_AT_ONCE = 8
_GONE = 410

_log = structlog.get_logger(__name__)

# The key that a realm's webhooks are signed with.
KeyOf = Callable[[str], bytes]


class MailDelivery:
    """Sends what is due. Any number of processes may do it: a message has one sender at a time."""

    def __init__(self, store: MailStore, mailer: Mailer, send: Send, key_of: KeyOf, clock: Clock) -> None:
        self._store = store
        self._mailer = mailer
        self._send = send
        self._key_of = key_of
        self._clock = clock

    async def run_once(self, now: int) -> int:
        """Give away what is due at ``now`` (ms UTC), a few at a time; how many left."""
        due = await self._store.due(now, _AT_ONCE)
        return sum(await asyncio.gather(*(self._deliver(one, now) for one in due)))

    async def _deliver(self, message: Message, now: int) -> bool:
        claimed = now + _CLAIM_MS
        if not await self._store.claim(message, now, claimed):
            return False
        try:
            if message.channel == "mail":
                await self._mailer.send(message)
            else:
                await self._post(message)
        except Unavailable as error:
            await self._store.settle(_failed(message, error, now), claimed)
            return False
        state = self._mailer.leaves if message.channel == "mail" else "sent"
        done = replace(message, state=state, attempts=message.attempts + 1, answer=None, sent_at=now)
        await self._store.settle(done, claimed)
        return True

    async def _post(self, message: Message) -> None:
        headers, body = webhook_of(message, self._key_of(message.realm), self._clock.now_ms())
        reply = await self._send(message.recipient, headers, body, _TIMEOUT_S)
        if 200 <= reply.status < 300:
            return
        text = f"{message.recipient} answered {reply.status}."
        raise MailRefused(text) if reply.status == _GONE else Unavailable(text)


def _failed(message: Message, error: Unavailable, now: int) -> Message:
    attempts = message.attempts + 1
    wait = again_in(attempts, permanent=isinstance(error, MailRefused))
    _log.warning("message_not_sent", message_id=message.id, attempts=attempts, again_in=wait, answer=error.message)
    answer = error.message[:500]
    if wait is None:
        return replace(message, state="given up", attempts=attempts, answer=answer)
    return replace(message, attempts=attempts, answer=answer, next_at=now + wait * 1000)
