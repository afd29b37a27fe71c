"""Steps processing to export for the objects of one batch: plan each, ask the target, journal, send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provisor.connector.answers import TargetObject
from provisor.connector.errors import Conflict409, NotFound404, TargetError
from provisor.connector.messages import AttributeChange
from provisor.provisioning.mapping import MappingFailed, Mappings, adoption
from provisor.provisioning.model import (
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
from provisor.provisioning.plan import Rule, confirmed, plan
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.roster import Roster
from provisor.provisioning.run import Run

# A create whose reply was lost is looked for again after this time, when the target would not refuse a second one.
LATE_MS = 60_000


class Sender:
    """Carries the items of one batch from their source to what is to be recorded."""

    def __init__(self, run: Run, kind: Kind, mappings: Mappings, batch: Batch, roster: Roster | None) -> None:
        self._run = run
        self._roster = roster
        self._kind = kind
        self._mappings = mappings
        self._notes = Notes(run, kind, batch)
        targets = [row.target for row in mappings.values]
        profile = run.client.capabilities
        self._never = frozenset(path for path in targets if not profile.takes(kind, path, creating=True))
        self._rule: Rule = mappings.rule(
            soft_delete=profile.soft_delete,
            skip_out_of_scope=run.job.settings.skip_out_of_scope_deletions,
            fixed=frozenset(path for path in targets if not profile.takes(kind, path, creating=False)),
            removes_empty=run.client.dialect.removes_empty,
        )

    async def carry(self, items: Sequence[Item]) -> None:
        """All of it. Errors that concern every object are left in ``run.broken``; what was not sent stays unsettled."""
        await self.prepare(items)
        if not self._run.interrupted:
            await self.send([item for item in items if not item.settled])

    async def prepare(self, items: Sequence[Item]) -> None:
        """Decide about each, and look up in the target those that are new; nothing is sent. What needs nothing to be
        sent is settled."""
        await self._run.each([item for item in items if _left_behind(item)], self._recover)
        if self._run.interrupted:
            return
        if self._mappings.chooses:
            await self._run.each([item for item in items if self._is_new(item)], self._find_taken)
        for item in items:
            # Unasked, because something concerned every object: left for the next cycle.
            if not item.settled and not (self._mappings.chooses and self._is_new(item) and item.taken is None):
                self._decide(item)
        await self._run.gate.screen(self._run, items, self._notes, self._mappings.reference("manager"))
        for item in items:
            if not item.settled:
                self._settle_unsent(item)
        await self._match([item for item in items if isinstance(item.plan, Match) and not item.settled])

    async def _recover(self, item: Item) -> None:
        """A create may have made an account, and its person has left the scope since: find it, so that it goes too."""
        if item.intent is None:
            return
        await self._look_up(item, ask=True)
        if item.settled:
            return
        if not item.found:
            due = item.intent.sent_at + LATE_MS
            if self._run.clock.now_ms() < due:
                self._notes.wait(item, "A create was sent and its answer is not known; it may still land.", due_at=due)
            else:
                self._notes.intent_done(item)
            return
        target = item.found[0]
        holders = await self._run.store.holders(self._run.job.id, self._kind, [target.id])
        if holders.get(target.id, item.source.id) == item.source.id:
            item.link = Link(item.source.id, self._kind, target.id, "linked", _shown(target), item.source.name)
            self._notes.link(item, target.id, item.link.acknowledged)
        self._notes.intent_done(item)

    def _is_new(self, item: Item) -> bool:
        source = item.source
        present = source.exists and source.active and item.entitlement.in_scope
        return present and item.link is None and not item.settled

    async def _find_taken(self, item: Item) -> None:
        """Which of the values that SelectUniqueValue may choose from somebody in the target has already.

        Two objects of one batch may still choose the same: a 409 puts one off, and next time it is taken.
        """
        taken: set[tuple[str, str]] = set()
        done: set[str] = set()
        try:
            for attribute, value in self._mappings.candidates(item.source.get):
                if attribute in done:
                    continue
                if await self._run.client.find(self._kind, attribute, value):
                    taken.add((attribute, value))
                else:
                    done.add(attribute)
        except TargetError as error:
            self._notes.refused(item, error)
            return
        item.taken = taken

    # What to do

    def _decide(self, item: Item) -> None:
        def evaluate(soft_deleted: bool, creating: bool) -> Mapping[str, Any]:
            return self._values(item, soft_deleted=soft_deleted, creating=creating)

        if item.fault is not None:
            self._notes.fail(item, "InternalError", item.fault, advice="Mend the scoping filter, or the source value.")
            return
        try:
            item.plan = plan(item.source, item.entitlement, item.link, self._rule, evaluate)
        except MappingFailed as error:
            self._notes.fail(item, "InternalError", str(error), advice="Mend the mapping, or the source value.")

    def _settle_unsent(self, item: Item) -> None:
        """Of what was decided, that which sends nothing."""
        match item.plan:
            case Skip(reason, description):
                if item.link is not None and item.link.state == "disabled" and not item.entitlement.in_scope:
                    self._notes.link(item, item.link.target_id, item.link.acknowledged, "released")
                self._skip(item, reason, description)
            case Unchanged(state, refused):
                self._unchanged(item, state, refused)
            case Forget(description):
                self._notes.drop(item)
                self._skip(item, "EntrySynchronizationSkipped", description)

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

    # Matching

    async def _match(self, items: Sequence[Item]) -> None:
        """Nothing found: create. One: link. More, or one that is linked to somebody else: for a person to decide."""
        await self._run.each(items, self._look_up)
        found = [target.id for item in items for target in item.found]
        holders = await self._run.store.holders(self._run.job.id, self._kind, found) if found else {}
        for item in items:
            if item.settled or len(item.found) != 1:
                continue
            target_id = item.found[0].id
            holder = holders.setdefault(target_id, item.source.id)
            if holder != item.source.id:
                self._taken(item, target_id, holder)

    def _taken(self, item: Item, target_id: str, holder: str) -> None:
        self._notes.fail(
            item,
            "DuplicateSourceEntries",
            f"The account {target_id} is linked to another object of the directory ({holder}).",
            advice="Give the two different values of the matching attribute.",
        )

    async def _look_up(self, item: Item, *, ask: bool = False) -> None:
        """The target's objects that match; ``ask``: the target itself, whatever its list showed."""
        roster = None if ask or item.intent is not None or item.slot.attempts else self._roster
        try:
            item.keys = self._mappings.keys(item.source.get)
        except MappingFailed as error:
            self._notes.fail(item, "InternalError", str(error), advice="Mend the mapping, or the source value.")
            return
        try:
            # An account that a lost create made has the keys of that time: the person may have been renamed since.
            journaled = item.intent.keys if item.intent else ()
            for attribute, value in dict.fromkeys([*journaled, *item.keys]):
                if roster is not None:
                    item.found = roster.find(attribute, value)
                else:
                    item.found = await self._run.client.find(self._kind, attribute, value)
                if len(item.found) > 1:
                    ids = ", ".join(target.id for target in item.found)
                    self._notes.fail(
                        item,
                        "DuplicateTargetEntries",
                        f'The target has {len(item.found)} objects with {attribute} "{value}": {ids}.',
                        advice="Remove the wrong one in the target, or match by another attribute.",
                    )
                if item.found:
                    return
        except TargetError as error:
            self._notes.refused(item, error)

    # Sending

    async def send(self, items: Sequence[Item]) -> None:
        """What was prepared. The creates of the batch are durable in the journal before the first of them leaves."""
        creates = [item for item in items if isinstance(item.plan, Match) and not item.found and self._creates(item)]
        if creates:
            await self._run.journal(self._kind, {item.source.id: item.keys for item in creates})
        await self._run.each([item for item in items if not item.settled], self._send_one)

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
            case Match() as match if item.found and item.intent is not None:
                await self._adopt_ours(item, match, item.found[0])
            case Match() as match if item.found:
                await self._adopt(item, match, item.found[0])
            case Match() as match:
                await self._create(item, match)
            case Update() as update if item.link is not None:
                await self._update(item, item.link, update)
            case Delete() if item.link is not None:
                await self._delete(item, item.link)

    async def _create(self, item: Item, match: Match) -> None:
        path = self._mappings.reference("manager") if item.manager is not None else None
        acknowledged = dict(match.values)
        values = match.values
        if path is not None and self._run.client.dialect.creates_with_references:
            acknowledged[path] = item.manager
            values = {**match.values, path: {"value": item.manager}}
        try:
            created = await self._run.client.create(self._kind, values)
        except TargetError as error:
            if isinstance(error, Conflict409) or error.may_have_arrived:
                await self._after_doubt(item, match, error)
            else:
                self._notes.intent_done(item)
                self._notes.refused(item, error)
            return
        self._notes.intent_done(item)
        self._created(item, acknowledged, created.id)

    def _created(self, item: Item, acknowledged: Mapping[str, Any], target_id: str) -> None:
        self._notes.link(item, target_id, acknowledged)
        self._notes.settle(item, Action.CREATED)
        changes = [AttributeChange(path, None, value) for path, value in acknowledged.items()]
        self._notes.log(item, "create", "success", target_id=target_id, changes=changes)

    async def _after_doubt(self, item: Item, match: Match, error: TargetError) -> None:
        """409, or a reply that was lost: the account may be there. Look, and link; never create a second one."""
        await self._look_up(item, ask=True)
        if item.settled:
            return
        if item.found:
            target = item.found[0]
            holders = await self._run.store.holders(self._run.job.id, self._kind, [target.id])
            holder = holders.get(target.id, item.source.id)
            self._notes.intent_done(item)
            if holder != item.source.id:
                self._taken(item, target.id, holder)
            elif isinstance(error, Conflict409):
                await self._adopt(item, match, target)
            else:
                await self._adopt_ours(item, match, target)
        elif isinstance(error, Conflict409):
            self._notes.intent_done(item)
            self._notes.refused(item, error)
        else:
            self._notes.wait(item, error.message)

    async def _adopt_ours(self, item: Item, match: Match, target: TargetObject) -> None:
        """The create did arrive; if the target shows all of it, that is a creation like any other."""
        _, changes = adoption(match.values, target.values, self._rule.always, self._rule.flows)
        if changes:
            await self._adopt(item, match, target)
        else:
            self._created(item, {**match.values, **self._manager_shown(item, target)}, target.id)

    def _manager_shown(self, item: Item, target: TargetObject) -> dict[str, Any]:
        """The manager, if the target shows the wanted one: it went along with the create."""
        path = self._mappings.reference("manager")
        if path is None or item.manager is None:
            return {}
        shown = target.get(path)
        value = shown.get("value") if isinstance(shown, Mapping) else shown
        return {path: item.manager} if value == item.manager else {}

    async def _adopt(self, item: Item, match: Match, target: TargetObject) -> None:
        """An account exists already: link it, then send what it lacks. The link stays even if that is refused."""
        agreed, changes = self.adopts(item, target)
        self._notes.intent_done(item)
        self._notes.link(item, target.id, agreed)
        if not changes or not match.may_update:
            self._notes.settle(item, Action.UNCHANGED, "RedundantExport")
            text = "It was matched with an account that exists, and nothing needs to be changed."
            self._notes.log(item, "other", "skipped", code="RedundantExport", reason=text, target_id=target.id)
            return
        try:
            present = [path for path, value in target.values.items() if value is not None]
            await self._run.client.update(self._kind, target.id, changes, present=present)
        except TargetError as error:
            self._notes.refused(item, error, target_id=target.id, changes=changes)
            return
        self._notes.link(item, target.id, confirmed(agreed, changes))
        self._notes.settle(item, Action.UPDATED)
        self._notes.log(item, "update", "success", target_id=target.id, changes=changes)

    def adopts(self, item: Item, target: TargetObject) -> tuple[dict[str, Any], tuple[AttributeChange, ...]]:
        """Of an account that is to be linked: what it has already, and what is to be sent."""
        # As an update, for it is one: what flows during creation only, defaults among them, does not flow here.
        values = self._values(item, soft_deleted=False, creating=False)
        always = self._rule.always - self._rule.fixed
        return adoption(values, target.values, always, self._rule.flows)

    async def _update(self, item: Item, link: Link, update: Update) -> None:
        try:
            await self._run.client.update(self._kind, link.target_id, update.changes, present=link.acknowledged.keys())
        except NotFound404 as error:
            self._gone(item, error, update)
            return
        except TargetError as error:
            self._notes.refused(item, error, target_id=link.target_id, changes=update.changes)
            return
        self._notes.link(item, link.target_id, update.acknowledged, update.state)
        self._notes.settle(item, Action.UPDATED if update.state == "linked" else Action.DISABLED)
        verb = "disable" if update.disables else "update"
        self._notes.log(item, verb, "success", target_id=link.target_id, changes=update.changes)

    async def _delete(self, item: Item, link: Link) -> None:
        try:
            was_there = await self._run.client.delete(self._kind, link.target_id)
        except TargetError as error:
            self._notes.refused(item, error, target_id=link.target_id)
            return
        self._notes.drop(item)
        self._notes.settle(item, Action.DELETED)
        text = None if was_there else "It was no longer in the target."
        self._notes.log(item, "delete", "success", target_id=link.target_id, reason=text)

    def _gone(self, item: Item, error: TargetError, update: Update) -> None:
        """A linked object is not in the target: unlink it. What is in scope is matched anew, in a later cycle."""
        self._notes.drop(item)
        if update.state == "linked":
            self._notes.wait(item, error.message)
        else:
            self._notes.settle(item, Action.DISABLED, "InvalidAnchor")
            text = "It was to be disabled, but it is no longer in the target."
            self._notes.log(item, "disable", "warning", code="InvalidAnchor", reason=text)


def _left_behind(item: Item) -> bool:
    present = item.source.exists and item.source.active and item.entitlement.in_scope
    return item.intent is not None and item.link is None and not present


def _shown(target: TargetObject) -> dict[str, Any]:
    return {path: value for path, value in target.values.items() if value is not None}
