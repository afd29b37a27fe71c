"""App side: credentials that end soon, and the messages about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisor.clock import Clock, iso
from provisor.events.mail.model import NewMessage
from provisor.events.mail.store import enqueue
from provisor.security.actor import Realm
from provisor.storage.database import Database, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provider.notices")
_DAY_MS = 86_400_000
# Somebody is told so many days before, the first time first.
DAYS = (30, 7, 1)


@dataclass(frozen=True, slots=True)
class _Ending:
    company_id: str
    company: str
    id: str
    name: str
    created_at: int
    expires_at: int
    owner: str | None


def days_due(now: int, created_at: int, expires_at: int) -> int | None:
    """Which of the notices is due: 30, 7 or 1 days before; null when none is. A credential that was made later than the
    moment of a notice does not get that one."""
    passed = [days for days in DAYS if created_at < expires_at - days * _DAY_MS <= now < expires_at]
    return min(passed) if passed else None


class ExpiryNotices:
    """Writes to a key's owner, else to all administrators of its company. Each notice is written once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run_once(self) -> None:
        """Write what is due now."""
        now = self._clock.now_ms()
        params = {"now": now, "until": now + max(DAYS) * _DAY_MS}

        async def work(tx: Tx) -> None:
            for what, query in (("API key", "keys"), ("OAuth client secret", "secrets")):
                for row in await tx.fetch_all(_SQL[query], params):
                    ending = _Ending(*row)
                    days = days_due(now, ending.created_at, ending.expires_at)
                    if days is not None:
                        await enqueue(tx, _messages(ending, what, days, await _recipients(tx, ending)), at=now)

        await self._database.write(work)


async def _recipients(tx: Tx, ending: _Ending) -> Sequence[str]:
    if ending.owner is not None:
        return [ending.owner]
    rows = await tx.fetch_all(_SQL["administrators"], {"company_id": ending.company_id})
    return [row[0] for row in rows]


def _messages(ending: _Ending, what: str, days: int, recipients: Sequence[str]) -> list[NewMessage]:
    when = iso(ending.expires_at)
    span = "tomorrow" if days == 1 else f"within {days} days"
    text = (
        f"The {what} {ending.name!r} of {ending.company} expires {span}, at {when}.\n"
        "After that, whoever provisions with it is refused.\n\n"
        "Make a second one, enter it where this one is used, then revoke this one. In the company's portal, or with\n\n"
        f"    provisor {'apikey rotate' if what == 'API key' else 'oauth-client add-secret'} {ending.name}\n"
    )
    facts = {"companyId": ending.company_id, "credentialId": ending.id, "name": ending.name, "expires": when}
    return [
        NewMessage(
            Realm("company", ending.company_id),
            "mail",
            f"expiry/{ending.id}/{days}",
            "expiry",
            recipient,
            f"{what} {ending.name!r} expires {span}",
            text,
            facts,
        )
        for recipient in recipients
    ]
