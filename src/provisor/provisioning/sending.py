"""Steps processing to export for the objects of one batch: plan each, ask the target, journal, send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provisor.connector.answers import TargetObject
from provisor.connector.errors import Conflict409, NotFound404, TargetError
from provisor.connector.messages import AttributeChange
from provisor.provisioning.doubts import in_doubt, resolved
from provisor.provisioning.flights.store import Flight
from provisor.provisioning.linking import Linker
from provisor.provisioning.mapping import MappingFailed, Mappings
from provisor.provisioning.matching import LATE_MS, Matcher
from provisor.provisioning.model import (
    VANISHED,
    Action,
    Delete,
    Forget,
    Kind,
    Link,
    LinkState,
    Match,
    Skip,
    Unchanged,
    Update,
)
from provisor.provisioning.notes import Item, Notes
from provisor.provisioning.plan import Rule, plan
from provisor.provisioning.rechecking.reading import recheck
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.replacing import Replacing
from provisor.provisioning.roster import Roster
from provisor.provisioning.run import Run
from provisor.provisioning.swaps import Swaps

# A create may be in the journal for so long before it is sent.
_AHEAD_MS = 5_000


class Sender:
    """Carries the items of one batch from their source to what is to be recorded.

    ``only_leavers``: what does not take access away is put back for its turn.
    """

    def __init__(
        self,
        run: Run,
        kind: Kind,
        mappings: Mappings,
        batch: Batch,
        roster: Roster | None,
        *,
        only_leavers: bool = False,
    ) -> None:
        self._run = run
        self._kind = kind
        self._mappings = mappings
        self._only_leavers = only_leavers
        self._notes = Notes(run, kind, batch)
        self._batch = batch
        self._roster = roster
        targets = [row.target for row in mappings.values]
        profile = run.client.capabilities
        self._never = frozenset(path for path in targets if not profile.takes(kind, path, creating=True))
        self._rule: Rule = mappings.rule(
            soft_delete=profile.soft_delete,
            skip_out_of_scope=run.job.settings.skip_out_of_scope_deletions,
            fixed=frozenset(path for path in targets if not profile.takes(kind, path, creating=False)),
            removes_empty=run.client.dialect.removes_empty,
            creates=kind == "User" or profile.group_create,
            deletes=profile.hard_delete if kind == "User" else profile.group_delete,
        )
        self._matcher = Matcher(run, kind, mappings, self._notes, roster)
        self._linker = Linker(run, kind, mappings, self._notes, self._matcher, self._rule, self._values_of, roster)
        self._swaps = Swaps(run, kind, self._rule, self._notes)
        self._replacing = Replacing(run, mappings, self._notes)

    async def carry(self, items: Sequence[Item]) -> None:
        """All of it. Errors that concern every object are left in ``run.broken``; what was not sent stays unsettled."""
        await self.prepare(items)
        if not self._run.interrupted:
            await self.send([item for item in items if not item.settled])

    async def prepare(self, items: Sequence[Item]) -> None:
        """Decide about each, and look up in the target those that are new; nothing is sent. What needs nothing to be
        sent is settled."""
        await self._run.each([item for item in items if _left_behind(item)], self._recover)
        await self._run.each([item for item in items if _left_and_lost(item)], self._find_lost)
        await self._run.each([item for item in items if _doubtful(item)], self._read)
        await recheck(self._run, self._kind, self._mappings, self._notes, self._batch, items, self._roster)
        if self._run.interrupted:
            return
        if self._mappings.chooses:
            await self._run.each([item for item in items if self._is_new(item)], self._matcher.find_taken)
        for item in items:
            # Unasked, because something concerned every object: left for the next cycle.
            foreseen = item.plan is not None
            unasked = self._mappings.chooses and self._is_new(item) and item.taken is None
            if not item.settled and not foreseen and not unasked:
                self._decide(item)
        await self._run.gate.screen(self._run, items, self._notes, self._mappings.reference("manager"))
        for item in items:
            if not item.settled:
                self._settle_unsent(item)
        # Of whom nothing is to be written but that they were looked at, another lane may take in hand at once.
        done = [item.source.id for item in items if item.settled and self._notes.noted(item) is None]
        self._run.memory.release(self._run.cycle.lane, done)
        await self._matcher.match([item for item in items if isinstance(item.plan, Match) and not item.settled])

    async def _recover(self, item: Item) -> None:
        """A create may have made an account, and its person has left the scope since: find it, so that it goes too."""
        if item.intent is None:
            return
        await self._matcher.look_up(item, ask=True)
        if item.settled:
            return
        if not item.found:
            due = item.intent.sent_at + LATE_MS
            if self._run.clock.now_ms() < due:
                self._notes.wait(item, "A create was sent and its answer is not known; it may still land.", due_at=due)
            else:
                self._notes.intent_done(item)
            return
        if await self._is_free(item, item.found[0]):
            self._link_as_shown(item, item.found[0])
        self._notes.intent_done(item)

    async def _find_lost(self, item: Item) -> None:
        """Who leaves, and whose account is not where it was: it may have another id by now, in a restored target."""
        lost = item.lost
        if lost is None:
            return
        item.keys = [
            (row.target, lost.acknowledged[row.target])
            for row in self._mappings.mapping.matching
            if isinstance(lost.acknowledged.get(row.target), str)
        ]
        self._notes.unlink(item)
        await self._matcher.look_up(item, ask=True)
        if item.settled:
            return
        if item.found and await self._is_free(item, item.found[0]):
            self._link_as_shown(item, item.found[0])
            return
        action = Action.DISABLED if item.source.exists and self._kind == "User" else Action.DELETED
        self._notes.settle(item, action, VANISHED)
        text = f"It was to lose access, but the target no longer has {lost.target_id} (404), nor anybody who matches."
        verb = "disable" if action is Action.DISABLED else "delete"
        self._notes.log(item, verb, "warning", code=VANISHED, reason=text, target_id=lost.target_id)

    async def _is_free(self, item: Item, target: TargetObject) -> bool:
        return await self._matcher.holder_of(item, target) == item.source.id

    def _link_as_shown(self, item: Item, target: TargetObject) -> None:
        shown = {path: value for path, value in target.values.items() if value is not None}
        name = item.source.name or (item.lost.display_name if item.lost else "")
        item.link = Link(item.source.id, self._kind, target.id, "linked", shown, name)
        self._notes.link(item, target.id, shown)

    async def _read(self, item: Item) -> None:
        """A change of it was sent and its answer was lost: see what the target has."""
        link = item.link
        if link is None:
            return
        try:
            target = await self._run.client.read(self._kind, link.target_id)
        except TargetError as error:
            self._notes.refused(item, error)
            return
        if target is None:
            self._notes.vanished(item, None, self._run.client.last_exchange)
            return
        state = resolved(link.acknowledged, target, self._mappings.reference("manager"))
        item.link = Link(
            link.source_id, link.kind, link.target_id, link.state, state, link.display_name, link.successor_id
        )
        self._notes.link(item, link.target_id, state, link.state)

    def _is_new(self, item: Item) -> bool:
        source = item.source
        present = source.exists and source.active and item.entitlement.in_scope
        return present and item.link is None and not item.settled

    # What to do

    def foresee(self, items: Sequence[Item]) -> None:
        """Decide ahead of ``prepare`` about those of which nothing is known but what the directory says: new people."""
        if self._only_leavers or self._mappings.chooses:
            return
        for item in items:
            told = item.link or item.intent or item.lost or item.decision or item.fault
            if told is None and not item.unread and not item.settled:
                self._decide(item)

    def _decide(self, item: Item) -> None:
        def evaluate(soft_deleted: bool, creating: bool) -> Mapping[str, Any]:
            return self._values(item, soft_deleted=soft_deleted, creating=creating)

        if item.unread:
            text = "The directory does not show it, and does not say that it was deleted: nothing is done about it."
            self._notes.wait(item, text)
            return
        if item.fault is not None:
            self._notes.fail(item, "InternalError", item.fault, advice="Mend the scoping filter, or the source value.")
            return
        try:
            item.plan = plan(item.source, item.entitlement, item.link, self._rule, evaluate)
        except MappingFailed as error:
            self._notes.fail(item, "InternalError", str(error), advice="Mend the mapping, or the source value.")
            return
        if self._only_leavers and not _leaves(item):
            self._notes.put_back(item)

    def _settle_unsent(self, item: Item) -> None:
        """Of what was decided, that which sends nothing."""
        match item.plan:
            case Skip(reason, description, state):
                link = item.link
                if link is not None and link.state == "disabled" and not item.entitlement.in_scope:
                    state = "released"
                if link is not None and state is not None and link.state != state:
                    self._notes.link(item, link.target_id, link.acknowledged, state)
                self._skip(item, reason, description)
            case Unchanged(state, refused) if not self._replacing.wanted(item, refused):
                self._unchanged(item, state, refused)
            case Forget(description):
                self._notes.drop(item)
                self._skip(item, "EntrySynchronizationSkipped", description)

    def _values_of(self, item: Item, creating: bool) -> dict[str, Any]:
        return self._values(item, soft_deleted=False, creating=creating)

    def _values(self, item: Item, *, soft_deleted: bool, creating: bool) -> dict[str, Any]:
        values = self._mappings.desired(item.source.get, soft_deleted=soft_deleted, creating=creating, taken=item.taken)
        return {path: value for path, value in values.items() if path not in self._never}

    def _skip(self, item: Item, reason: str, description: str) -> None:
        self._notes.settle(item, Action.SKIPPED, reason)
        self._notes.log(item, "other", "skipped", code=reason, reason=description)

    def _unchanged(self, item: Item, state: LinkState, refused: tuple[str, ...]) -> None:
        link = item.link
        if link is not None and link.state != state:
            self._notes.link(item, link.target_id, link.acknowledged, state)
        self._notes.settle(item, Action.UNCHANGED if state == "linked" else Action.SKIPPED, "RedundantExport")
        text = (
            f"The state of the {self._kind.lower()} in both the source and target systems already match. "
            "No change currently needs to be made."
        )
        if refused:
            text = (
                f"{', '.join(refused)} changed, but {self._run.job.display_name} is known not to take this change "
                "(its capability profile says so): the target keeps the value that it has."
            )
        target_id = link.target_id if link else None
        self._notes.log(item, "other", "skipped", code="RedundantExport", reason=text, target_id=target_id)

    # Sending

    def adopts(self, item: Item, target: TargetObject) -> tuple[dict[str, Any], tuple[AttributeChange, ...]]:
        """Of an account that is to be linked: what it has already, and what is to be sent."""
        return self._linker.adopts(item, target)

    async def send(self, items: Sequence[Item]) -> None:
        """What was prepared. What it creates and changes is durable before the first request leaves.

        Only creates may leave while the batch before is still being written down: each has an entry of its own in the
        journal, by which it is found again.
        """
        creates = [item for item in items if isinstance(item.plan, Match) and not item.found and self._creates(item)]
        going = [item for item in items if not item.settled]
        flight = Flight(objects={item.source.id: paths for item in going if (paths := _paths(item))})
        if len(creates) < len(going):
            await self._run.writing.settled()
        await self._journal([item for item in creates if not self._is_durable(item)], flight)
        # What the requests wait for is durable. Now the batch before may be written down.
        self._run.writing.begin()
        await self._linker.prove(creates)
        if not self._run.interrupted:
            await self._run.each([item for item in going if not item.settled], self._send_one)
        await self._swaps.resolve(self._send_one)

    async def journal_ahead(self, items: Sequence[Item]) -> None:
        """Of what was foreseen, the creates of which the target's list says that nobody is there: durable before their
        turn comes. Those that do not leave after all are taken out again when the batch is written down."""
        creates = [item for item in items if isinstance(item.plan, Match) and item.plan.may_create]
        await self._journal([item for item in creates if self._matcher.is_nobody(item)], Flight())

    async def _journal(self, creates: Sequence[Item], flight: Flight) -> None:
        if creates or not flight.empty:
            await self._run.journal(self._kind, {item.source.id: item.keys for item in creates}, flight)
        now = self._run.clock.now_ms()
        for item in creates:
            item.journaled = now

    def _is_durable(self, item: Item) -> bool:
        # When a create was sent says until when it may land, so what was written long before is written anew.
        return item.journaled is not None and self._run.clock.now_ms() - item.journaled < _AHEAD_MS

    def _creates(self, item: Item) -> bool:
        """Whether to create it now; if not, it is settled."""
        if isinstance(item.plan, Match) and not item.plan.may_create:
            text = "It is not in the target, and Create is not among the target object actions."
            self._skip(item, "EntrySynchronizationSkipped", text)
            return False
        if item.intent is not None and not self._run.client.capabilities.refuses_duplicates:
            due = item.intent.sent_at + LATE_MS
            if self._run.clock.now_ms() < due:
                text = "A create was sent and its reply was lost; the target is asked again once it must show."
                self._notes.wait(item, text, due_at=due)
                return False
        return True

    async def _send_one(self, item: Item) -> None:
        match item.plan:
            case Match() as match:
                if item.lost is not None:
                    self._notes.unlink(item)
                await self._linker.link(item, match)
            case Update() as update if item.link is not None:
                await self._update(item, item.link, update)
            case Delete() if item.link is not None:
                await self._delete(item, item.link)
            case Unchanged() if item.link is not None:
                await self._replacing.carry_out(item, item.link)

    async def _update(self, item: Item, link: Link, update: Update) -> None:
        try:
            await self._run.client.update(self._kind, link.target_id, update.changes, present=link.acknowledged.keys())
        except NotFound404 as error:
            self._notes.vanished(item, error, error.exchange)
            return
        except TargetError as error:
            if isinstance(error, Conflict409) and (only := self._only_disabling(update)) is not None:
                # Access goes now, whoever has the new name.
                await self._update(item, link, only)
                self._notes.look_again(item)
                return
            if isinstance(error, Conflict409) and self._swaps.note(item, update, error):
                return
            if error.may_have_arrived:
                self._notes.doubt(item, link, [change.path for change in update.changes])
            self._notes.refused(item, error, target_id=link.target_id, changes=update.changes)
            return
        self._notes.link(item, link.target_id, update.acknowledged, update.state)
        self._notes.settle(item, Action.UPDATED if update.state == "linked" else Action.DISABLED)
        verb = "disable" if update.disables else "update"
        self._notes.log(item, verb, "success", target_id=link.target_id, changes=update.changes)

    def _only_disabling(self, update: Update) -> Update | None:
        """Of a disable that changes other things as well, the disabling alone; null if nothing is to be left out."""
        changes = tuple(change for change in update.changes if change.path in self._rule.disabling)
        if not update.disables or not changes or len(changes) == len(update.changes):
            return None
        left_out = [change for change in update.changes if change not in changes]
        acknowledged = {**update.acknowledged}
        for change in left_out:
            acknowledged.pop(change.path, None)
            if change.old is not None:
                acknowledged[change.path] = change.old
        # Not released yet, whoever leaves the scope: the rest of it is to come.
        return Update(changes, acknowledged, "disabled", disables=True)

    async def _delete(self, item: Item, link: Link) -> None:
        try:
            was_there = await self._run.client.delete(self._kind, link.target_id)
        except TargetError as error:
            if error.may_have_arrived:
                self._notes.doubt(item, link, link.acknowledged)
            self._notes.refused(item, error, target_id=link.target_id)
            return
        if not was_there:
            self._notes.vanished(item, None, self._run.client.last_exchange)
            return
        self._notes.drop(item)
        self._notes.settle(item, Action.DELETED)
        self._notes.log(item, "delete", "success", target_id=link.target_id)


def _left_behind(item: Item) -> bool:
    return item.intent is not None and item.link is None and not is_present(item)


def _left_and_lost(item: Item) -> bool:
    return item.lost is not None and item.link is None and not item.settled and not is_present(item)


def is_present(item: Item) -> bool:
    """Is it to have access?"""
    return item.source.exists and item.source.active and item.entitlement.in_scope


def _doubtful(item: Item) -> bool:
    return item.link is not None and not item.settled and bool(in_doubt(item.link.acknowledged))


def _leaves(item: Item) -> bool:
    return isinstance(item.plan, Delete) or (isinstance(item.plan, Update) and item.plan.disables)


def _paths(item: Item) -> list[str]:
    """What of the acknowledged state the item's requests may change."""
    match item.plan:
        case Update(changes):
            return [change.path for change in changes]
        case Delete() if item.link is not None:
            return list(item.link.acknowledged)
        case _:
            return []
