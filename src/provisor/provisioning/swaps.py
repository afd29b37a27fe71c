"""Step export, names that change hands: A gets B's name while B gets another, perhaps A's.

A target with unique names refuses the first of the two (409). So whoever was refused waits until the batch has sent all
else, and is sent again. Those whose names go round in a circle cannot be put in any order: one of them gets a temporary
name in between. It is in the journal of what is under way, so a crash leaves no temporary name behind.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from provisor.connector.errors import Conflict409, TargetError
from provisor.connector.messages import AttributeChange
from provisor.provisioning.model import Action, Kind, Update
from provisor.provisioning.notes import Item, Notes
from provisor.provisioning.plan import Rule
from provisor.provisioning.run import Run


@dataclass(frozen=True, slots=True)
class _Contest:
    """An update that was refused, because somebody has the value that it wants at ``path``."""

    item: Item
    path: str
    wanted: str
    has: str
    error: Conflict409


class Swaps:
    """The contests of one batch."""

    def __init__(self, run: Run, kind: Kind, rule: Rule, notes: Notes) -> None:
        self._run = run
        self._kind = kind
        self._rule = rule
        self._notes = notes
        self._contests: dict[str, _Contest] = {}
        self._parked: dict[str, _Contest] = {}

    def note(self, item: Item, update: Update, error: Conflict409) -> bool:
        """Somebody has the new name. Whether to wait for the others: false where no name changes."""
        link = item.link
        for change in update.changes:
            has = link.acknowledged.get(change.path) if link is not None else None
            if change.path in self._rule.matching and isinstance(change.new, str) and isinstance(has, str):
                self._contests[item.source.id] = _Contest(item, change.path, change.new, has, error)
                return True
        return False

    async def resolve(self, send: Callable[[Item], Awaitable[None]]) -> None:
        """Send them again, in whatever order works."""
        while self._contests and not self._run.interrupted:
            before = dict(self._contests)
            self._contests.clear()
            for contest in before.values():
                await self._run.each([contest.item], send)
            if self._contests.keys() != before.keys() or self._run.interrupted:
                continue
            circle = self._circle()
            if circle is None:
                break
            await self._run.each([circle], self._park)
        contests, self._contests = list(self._contests.values()), {}
        if not self._run.interrupted:
            await self._run.each(contests, self._settle)
        for parked in self._parked.values():
            noted = self._notes.noted(parked.item)
            if parked.item.link is not None and (noted is None or noted.acknowledged.get(parked.path) != parked.wanted):
                # It still has the temporary name, or nobody knows: the next look at it reads what it has.
                self._notes.doubt(parked.item, parked.item.link, [parked.path])

    def _circle(self) -> _Contest | None:
        """One of those who want each other's names, and who has not got a temporary one yet."""
        owners = {contest.has.casefold(): contest for contest in self._contests.values()}
        for start in self._contests.values():
            seen: set[str] = set()
            at: _Contest | None = start
            while at is not None and at.item.source.id not in seen:
                seen.add(at.item.source.id)
                at = owners.get(at.wanted.casefold())
            if at is start and start.item.source.id not in self._parked:
                return start
        return None

    async def _park(self, contest: _Contest) -> None:
        link = contest.item.link
        if link is None:
            return
        self._parked[contest.item.source.id] = contest
        change = AttributeChange(contest.path, contest.has, _temporary(contest.has))
        try:
            await self._run.client.update(self._kind, link.target_id, [change], present=link.acknowledged.keys())
        except TargetError as error:
            self._contests.pop(contest.item.source.id, None)
            self._notes.refused(contest.item, error, target_id=link.target_id, changes=[change])
            return
        text = f"{contest.wanted} is still another's who is renamed too: a temporary name for the time being."
        self._notes.log(contest.item, "update", "success", target_id=link.target_id, changes=[change], reason=text)

    async def _settle(self, contest: _Contest) -> None:
        """Who has the name: somebody whose turn comes, or somebody who keeps it."""
        item, link = contest.item, contest.item.link
        if link is None:
            return
        try:
            found = await self._run.client.find(self._kind, contest.path, contest.wanted)
        except TargetError as error:
            self._notes.refused(item, error, target_id=link.target_id)
            return
        others = [target.id for target in found if target.id != link.target_id]
        holders = await self._run.holders(self._kind, others)
        if any([await self._run.store.has_slot(self._run.job.id, holder) for holder in holders.values()]):
            whose = ", ".join(holders.values())
            text = f"{contest.wanted} is still that of {whose}, who is to change too: its turn comes after."
            # Both of them in one batch can be put in order: who leaves is not before the other any more.
            self._notes.not_urgent(item)
            self._notes.wait(item, text)
            return
        if isinstance(item.plan, Update) and item.plan.state == "released" and not item.plan.disables:
            # It is out of scope and has no access: its last name is not worth a failure again and again.
            text = f"It left the scope, and somebody else has {contest.wanted}: the account keeps {contest.has}."
            self._notes.link(item, link.target_id, link.acknowledged, "released")
            self._notes.settle(item, Action.SKIPPED, "NotEffectivelyEntitled")
            self._notes.log(item, "other", "skipped", code="NotEffectivelyEntitled", reason=text)
            return
        self._notes.refused(item, contest.error, target_id=link.target_id)


def _temporary(name: str) -> str:
    """A name that nobody else has, as like the old one as can be."""
    local, at, domain = name.partition("@")
    return f"{local[:40]}.{uuid.uuid4().hex[:8]}{at}{domain}"
