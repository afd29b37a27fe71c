"""Plans, step processing: what a prepared object comes to, and whether it is still the same later. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from provisor.connector.messages import AttributeChange
from provisor.provisioning.decisions.model import Decision
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.model import Action, Delete, Match, Skip, Update
from provisor.provisioning.notes import Item
from provisor.provisioning.planning.model import EntryAction, PlanEntry
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.sending import Sender

AMBIGUOUS = frozenset({"DuplicateTargetEntries", "DuplicateSourceEntries"})
# What these give is another value each time: it is planned that they flow, not what they give.
VOLATILE = frozenset({"Guid", "NewGuid", "Now", "RandomString", "UUID"})


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a batch has noted about the objects for which nothing is to be sent, and why."""

    actions: Mapping[str, tuple[Action, str | None]]
    reasons: Mapping[str, str]

    @classmethod
    def of(cls, batch: Batch) -> Outcomes:
        return cls(
            {id_: (action, reason) for id_, _, action, reason in batch.outcomes},
            {slot.source_id: message for slot, _, _, message in batch.postponed}
            | {one.source_id: _several(one) for one in batch.undecided},
        )


def entry_of(item: Item, sender: Sender, outcomes: Outcomes, manager: str | None) -> PlanEntry | None:
    """What is planned for an object; null when it is in order as it is."""
    action, target_id, changes, reason = _decided(item, sender, outcomes)
    manager_id = _manager(item, action, manager)
    if action is None and manager_id is not None:
        action = "update"
    if action is None:
        return None
    return PlanEntry(
        source_id=item.source.id,
        kind=item.source.kind,
        action=action,
        name=item.source.name or (item.link.display_name if item.link else item.source.id),
        target_id=target_id,
        changes=changes,
        manager_id=manager_id if action in ("create", "link", "update") else None,
        reason=reason,
        source_version=item.source.version,
        digest=digest(item, target_id),
        held=item.held is not None and item.held.state in ("held", "rejected"),
    )


def digest(item: Item, target_id: str | None) -> str:
    """What the entry rests on: the source's version, the acknowledged state, the target object."""
    link = item.link
    known = None if link is None else (link.target_id, link.state, link.acknowledged)
    text = msgspec.json.encode((item.source.exists, item.source.version, known, target_id))
    return hashlib.sha256(text).hexdigest()[:32]


def stale(planned: PlanEntry, now: PlanEntry | None, volatile: frozenset[str]) -> str | None:
    """Why this is no longer what was approved; null when it is."""
    if now is None:
        return "Nothing is to be done any more."
    if now.digest != planned.digest and now.source_version != planned.source_version:
        return "It has changed in the directory since."
    if now.action != planned.action:
        return f"It would now be another action: {now.action}{f' ({now.reason})' if now.reason else ''}."
    if now.digest != planned.digest:
        return "What the target has confirmed has changed since, or it is another object of the target."
    if now.manager_id != planned.manager_id:
        return "Its manager has changed since."
    if _comparable(now, volatile) != _comparable(planned, volatile):
        return "The values would be others now."
    return None


def volatile_paths(mappings: Mappings) -> frozenset[str]:
    """Target attributes whose value is another one each time."""
    return frozenset(row.target for row in mappings.values if VOLATILE & set(row.source.functions))


def _comparable(entry: PlanEntry, volatile: frozenset[str]) -> list[tuple[str, object, object]]:
    return [
        (change.path, change.old, None if change.path in volatile else change.new)
        for change in sorted(entry.changes, key=lambda one: one.path)
    ]


def _several(decision: Decision) -> str:
    ids = ", ".join(sorted(decision.candidate_ids))
    return f'The target has {len(decision.candidates)} objects with {decision.attribute} "{decision.value}": {ids}.'


_Decided = tuple[EntryAction | None, str | None, tuple[AttributeChange, ...], str | None]


def _decided(item: Item, sender: Sender, outcomes: Outcomes) -> _Decided:
    linked = item.link.target_id if item.link else None
    noted = outcomes.actions.get(item.source.id)
    if noted is not None:
        return _noted(item, noted, outcomes, linked)
    match item.plan:
        case Match(values, may_create, may_update):
            if not item.found:
                if not may_create:
                    return "skip", None, (), "It is not in the target, and Create is not among the object actions."
                created = tuple(AttributeChange(path, None, value) for path, value in values.items())
                return "create", None, created, None
            target = item.found[0]
            _, changes = sender.adopts(item, target)
            return "link", target.id, changes if may_update else (), None
        case Update(changes, disables=disables):
            return ("disable" if disables else "update"), linked, changes, None
        case Delete():
            return "delete", linked, (), None
    return "fail", linked, (), "It could not be looked at: the target did not answer."


def _noted(item: Item, noted: tuple[Action, str | None], outcomes: Outcomes, linked: str | None) -> _Decided:
    action, code = noted
    if action is Action.UNCHANGED:
        return None, linked, (), None
    if action is Action.FAILED:
        why = f"{code}: {outcomes.reasons.get(item.source.id, '')}"
        return ("ambiguous" if code in AMBIGUOUS else "fail"), linked, (), why
    if action is Action.WAITING and code in AMBIGUOUS and item.decision is not None:
        return "ambiguous", linked, (), f"{code}: {_several(item.decision)}"
    if action is Action.WAITING:
        return "skip", linked, (), outcomes.reasons.get(item.source.id, "It waits.")
    description = item.plan.description if isinstance(item.plan, Skip) else ""
    return "skip", linked, (), f"{code}: {description}" if description else code


def _manager(item: Item, action: EntryAction | None, path: str | None) -> str | None:
    """The manager that is to be written: its source's id, empty for none, null for no change."""
    if path is None or not item.entitlement.in_scope or not item.source.active:
        return None
    wanted = item.source.manager_id
    if action in ("create", "link"):
        return wanted
    if item.link is None or item.link.state != "linked":
        return None
    known = item.link.acknowledged.get(path)
    if item.manager == known:
        return None
    # Who is not in the target yet may come with this very plan.
    return wanted if wanted is not None else ""
