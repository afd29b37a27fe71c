"""Last step of the flow: messages in the database. ``enqueue`` belongs into the transaction of the message's cause."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from provisor.events.audit.store import realm_key
from provisor.events.mail.model import Message, NewMessage
from provisor.ids import new_id
from provisor.security.actor import Realm
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.events.mail")
_END = (1 << 62, "~")


async def enqueue(tx: Tx, messages: Sequence[NewMessage], *, at: int) -> None:
    """Write messages down, to be sent after the commit. What was written before under the same key is left as it is."""
    await tx.execute_many(
        _SQL["enqueue"],
        [
            {
                "id": new_id(),
                "realm": realm_key(one.realm),
                "channel": one.channel,
                "key": one.key,
                "kind": one.kind,
                "recipient": one.recipient,
                "subject": one.subject,
                "text": one.text,
                "facts": msgspec.json.encode(one.facts).decode(),
                "at": at,
            }
            for one in messages
        ],
    )


async def forget(tx: Tx, realm: Realm) -> None:
    """Remove a deleted realm's messages."""
    await tx.execute(_SQL["forget"], {"realm": realm_key(realm)})


class MailStore:
    """Persistence of ``provisor.events.mail``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enqueue(self, messages: Sequence[NewMessage], *, at: int) -> None:
        """Messages whose cause is the passing of time."""
        await self._database.write(lambda tx: enqueue(tx, messages, at=at))

    async def due(self, now: int, limit: int) -> list[Message]:
        params = {"now": now, "limit": limit}
        return [_message(row) for row in await self._database.read(lambda tx: tx.fetch_all(_SQL["due"], params))]

    async def claim(self, message: Message, now: int, until: int) -> bool:
        """Take it for this sender until then; false when another was quicker."""
        params = {"id": message.id, "now": now, "until": until}
        return await self._database.write(lambda tx: tx.execute(_SQL["claim"], params)) == 1

    async def settle(self, message: Message, claimed: int) -> None:
        """Store what became of it, if the claim is still ours."""
        params = {
            "id": message.id,
            "state": message.state,
            "attempts": message.attempts,
            "next_at": message.next_at,
            "answer": message.answer,
            "sent_at": message.sent_at,
            "claimed": claimed,
        }
        await self._database.write(lambda tx: tx.execute(_SQL["settle"], params))

    async def messages(self, realm: Realm, before: tuple[int, str] | None, limit: int) -> list[Message]:
        """A realm's messages, newest first."""
        at, id_ = before or _END
        params = {"realm": realm_key(realm), "before_at": at, "before_id": id_, "limit": limit}
        return [_message(row) for row in await self._database.read(lambda tx: tx.fetch_all(_SQL["messages"], params))]

    async def counts(self) -> dict[str, int]:
        """Messages by state."""
        return dict(await self._database.read(lambda tx: tx.fetch_all(_SQL["counts"])))

    async def expire(self, before: int, limit: int) -> int:
        """Delete old messages that nobody waits for; how many."""
        params = {"before": before, "limit": limit}
        return await self._database.write(lambda tx: tx.execute(_SQL["expire"], params))


def _message(row: Row) -> Message:
    id_, realm, channel, kind, recipient, subject, text, facts, *rest = row
    return Message(id_, realm, channel, kind, recipient, subject, text, msgspec.json.decode(facts), *rest)
