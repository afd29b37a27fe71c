"""Step acknowledge: what a batch notes about each object, for its one commit: outcome, link, slot, log entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from provisor.connector.answers import TargetObject
from provisor.connector.errors import TargetError
from provisor.connector.exchange import Exchange
from provisor.connector.messages import AttributeChange
from provisor.provisioning import retry
from provisor.provisioning.decisions.model import Decision
from provisor.provisioning.doubts import doubted
from provisor.provisioning.entry import Status
from provisor.provisioning.faults import concerns_all
from provisor.provisioning.guarding.model import Held
from provisor.provisioning.learning.model import learn
from provisor.provisioning.model import (
    VANISHED,
    Action,
    Delete,
    Entitlement,
    Intent,
    Kind,
    Link,
    LinkState,
    Match,
    Pending,
    Plan,
    Retry,
    Source,
    Update,
)
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.run import Run
from provisor.provisioning.steps import story_of


@dataclass(slots=True)
class Item:
    """One object on its way through the batch. ``settled``: its outcome is noted."""

    slot: Pending
    source: Source
    entitlement: Entitlement
    link: Link | None
    intent: Intent | None
    # Why nothing can be decided about it: an error message, mostly null.
    fault: str | None = None
    # The target's id of the manager, null where there is none or it is not in the target yet.
    manager: str | None = None
    plan: Plan | None = None
    # What it is looked up by in the target, in order of precedence.
    keys: list[tuple[str, str]] = field(default_factory=list)
    found: list[TargetObject] = field(default_factory=list)
    # Those of the mappings' candidates (attribute, value) that the target has; null: it was not asked.
    taken: set[tuple[str, str]] | None = None
    settled: bool = False
    # What a person has to decide, or has decided, about whose account it is.
    decision: Decision | None = None
    # Of an object that the target no longer has: the link that led nowhere.
    lost: Link | None = None
    # The directory neither shows it nor says that it was purged: nothing can be decided.
    unread: bool = False
    # What a guard has kept back of it, and whether it does so now: then nothing of it is sent in this batch.
    held: Held | None = None
    barred: bool = False
    # Values by which the target's list has found nobody: what it was asked ahead, null where it was not.
    nobody: list[tuple[str, str]] | None = None
    # When its create was written into the journal, ms UTC; ``asked``: it may have left.
    journaled: int | None = None
    asked: bool = False

    @property
    def correlation_id(self) -> str | None:
        """Of the change that it is looked at for."""
        return self.slot.correlation_id


class Notes:
    """Writes into the batch; nothing reaches the database before the batch is recorded."""

    def __init__(self, run: Run, kind: Kind, batch: Batch) -> None:
        self._run = run
        self._kind = kind
        self._batch = batch
        self._redacted = run.mappings[kind].redacted
        self._arrived: set[str] = set()

    def settle(self, item: Item, action: Action, reason: str | None = None) -> None:
        """Done with it in this cycle."""
        item.settled = True
        self._batch.outcomes.append((item.source.id, self._kind, action, reason))
        self._batch.cleared.append(item.slot)
        if action in (Action.DISABLED, Action.DELETED):
            self._batch.guard.deprovisioned.append(item.source.id)

    def defer(self, item: Item, held: Held) -> None:
        """Not settled in the cycle's books, but done with in this batch: a guard counts it first."""
        item.settled = item.barred = True
        self._batch.guard.deferred.append((item.slot, held))

    def keep_held(self, item: Item) -> None:
        """It was held, and still is."""
        item.settled = item.barred = True
        self._batch.outcomes.append((item.source.id, self._kind, Action.WAITING, "Held"))
        self._batch.guard.kept.append((item.slot, "It is held until somebody approves or rejects it."))

    def skip_rejected(self, item: Item, held: Held) -> None:
        """Somebody has decided that this is not done."""
        item.barred = True
        self.settle(item, Action.SKIPPED, "EntrySynchronizationSkipped")
        what = {"update": "change", "disable": "disabling", "delete": "deletion"}[held.action]
        text = f"Its {what} was held, and rejected by {held.decided_by or 'somebody'}: nothing is sent."
        self.log(item, "other", "skipped", code="EntrySynchronizationSkipped", reason=text)

    def link(
        self,
        item: Item,
        target_id: str,
        acknowledged: Mapping[str, Any],
        state: LinkState = "linked",
        *,
        successor_id: str | Literal[True] | None = True,
    ) -> None:
        """The target has confirmed this state. ``successor_id``: true leaves it as it is."""
        if successor_id is True:
            successor_id = item.link.successor_id if item.link is not None else None
        name = item.source.name or (item.link.display_name if item.link else "")
        link = Link(item.source.id, self._kind, target_id, state, acknowledged, name, successor_id)
        self._batch.links[item.source.id] = link
        if item.decision is not None and item.source.id not in self._batch.decided:
            self._batch.decided.append(item.source.id)
        if (
            state == "linked"
            and (item.link is None or item.link.state != "linked")
            and item.source.id not in self._arrived
        ):
            self._arrived.add(item.source.id)
            self._batch.arrived.append((item.source.id, self._kind))

    def unlink(self, item: Item) -> None:
        """What it was linked to is not in the target: that link and its memberships go, whatever becomes of it now."""
        self._batch.unlinked.append(item.source.id)

    def doubt(self, item: Item, link: Link, paths: Iterable[str]) -> None:
        """A change of these was sent, and its answer was lost."""
        self.link(item, link.target_id, doubted(link.acknowledged, paths), link.state)

    def noted(self, item: Item) -> Link | None:
        """The link that this batch has noted for it so far."""
        return self._batch.links.get(item.source.id)

    def vanished(self, item: Item, error: TargetError | None, exchange: Exchange | None) -> None:
        """The target says that it does not have what this is linked to. The cycle judges that when it has seen all."""
        item.settled = True
        self._batch.outcomes.append((item.source.id, self._kind, Action.WAITING, VANISHED))
        self._batch.vanished.append((item.source.id, self._kind))
        said = error.message if error is not None else "The target no longer has this object (status 404)."
        text = f"{said} It is matched once more when the cycle has looked at all objects."
        self.log(item, _verb(item.plan), "warning", code=VANISHED, reason=text, exchange=exchange)

    def undecided(self, item: Item, decision: Decision) -> None:
        """Several accounts could be its: a person decides. Told as a failure once, and waiting from then on."""
        ids = ", ".join(sorted(decision.candidate_ids))
        text = f'The target has {len(decision.candidates)} objects with {decision.attribute} "{decision.value}": {ids}.'
        known = item.decision is not None and item.decision.candidate_ids == decision.candidate_ids
        item.settled = True
        action = Action.WAITING if known else Action.FAILED
        self._batch.outcomes.append((item.source.id, self._kind, action, decision.reason))
        self._batch.cleared.append(item.slot)
        if not known:
            self._batch.undecided.append(decision)
        advice = "Decide whose account it is: in the portal under Provisioning, Waiting, or with 'provisor job decide'."
        status: Status = "skipped" if known else "failure"
        self.log(item, "create", status, code=decision.reason, reason=text, advice=advice)

    def left_out(self, item: Item, decision: Decision) -> None:
        """Somebody has decided that it gets no account."""
        self.settle(item, Action.SKIPPED, "EntrySynchronizationSkipped")
        text = f"{decision.decided_by or 'Somebody'} has decided that it is left out."
        self.log(item, "other", "skipped", code="EntrySynchronizationSkipped", reason=text)

    def put_back(self, item: Item) -> None:
        """Not the leavers' lane's business: it waits for its turn in the cycle."""
        item.settled = True
        self._batch.put_back.append(item.source.id)

    def not_urgent(self, item: Item) -> None:
        """It has no access any more, or waits for another: from now on it has its place among all others."""
        self._batch.not_urgent.append(item.source.id)

    def look_again(self, item: Item) -> None:
        """Part of it is done; the rest is looked at in its turn."""
        self._batch.remarked.append((item.source.id, self._kind))
        self.not_urgent(item)

    def intent_done(self, item: Item) -> None:
        """The create's answer is known."""
        self._batch.intents_done.append(item.source.id)

    def drop(self, item: Item) -> None:
        """It is no longer in the target, or no longer ours."""
        self._batch.dropped.append(item.source.id)

    def refused(
        self, item: Item, error: TargetError, *, target_id: str | None = None, changes: Sequence[AttributeChange] = ()
    ) -> None:
        """The target did not do it. Raises ``error`` when it would refuse the next object as well."""
        if concerns_all(error):
            raise error
        lesson = learn(self._kind, _verb(item.plan), changes, error)
        if lesson is not None:
            self._batch.learnt.add(lesson)
        self.fail(
            item,
            error.code,
            error.message,
            transient=error.retryable,
            advice=error.hint,
            target_id=target_id,
            changes=changes,
            exchange=error.exchange,
        )

    def fail(
        self,
        item: Item,
        code: str,
        message: str,
        *,
        transient: bool = False,
        advice: str | None = None,
        target_id: str | None = None,
        changes: Sequence[AttributeChange] = (),
        exchange: Exchange | None = None,
    ) -> None:
        """Into escrow, with the next attempt's time."""
        item.settled = True
        self._batch.outcomes.append((item.source.id, self._kind, Action.FAILED, code))
        self._batch.postponed.append((item.slot, self._again(item, transient=transient), code, message))
        self.log(
            item,
            _verb(item.plan),
            "failure",
            code=code,
            reason=message,
            advice=advice,
            target_id=target_id or (item.link.target_id if item.link else None),
            changes=changes,
            exchange=exchange,
        )

    def wait(self, item: Item, reason: str, *, due_at: int | None = None) -> None:
        """Neither done nor failed: looked at again at ``due_at``, or after the usual time."""
        item.settled = True
        held = self._again(item, transient=True)
        if due_at is not None:
            held = Retry(due_at, item.slot.attempts, held.failed_first_at)
        self._batch.outcomes.append((item.source.id, self._kind, Action.WAITING, None))
        self._batch.postponed.append((item.slot, held, "Waiting", reason))
        self.log(item, _verb(item.plan), "warning", code="Timeout", reason=reason)

    def _again(self, item: Item, *, transient: bool) -> Retry:
        return retry.decide(
            transient=transient,
            now=self._run.clock.now_ms(),
            attempts=item.slot.attempts,
            failed_first_at=item.slot.failed_first_at,
        )

    def log(
        self,
        item: Item,
        action: str,
        status: Status,
        *,
        target_id: str | None = None,
        changes: Sequence[AttributeChange] = (),
        code: str | None = None,
        reason: str | None = None,
        advice: str | None = None,
        exchange: Exchange | None = None,
    ) -> None:
        """One entry of the provisioning log, with its steps. A success shows what the task sent last."""
        if exchange is None and status == "success":
            exchange = self._run.client.last_exchange
        self._batch.log.append(
            self._run.writer.row(
                item.source,
                action=action,
                status=status,
                now=self._run.clock.now_ms(),
                target_id=target_id,
                story=story_of(item),
                changes=changes,
                error_code=code,
                reason=reason,
                advice=advice,
                exchange=exchange,
                redacted=self._redacted,
                correlation=item.correlation_id,
            )
        )


def _verb(planned: Plan | None) -> str:
    match planned:
        case Match():
            return "create"
        case Update(disables=True):
            return "disable"
        case Update():
            return "update"
        case Delete():
            return "delete"
        case _:
            return "other"
