"""Step processing: what is to be done with one object. Pure: the cycle, on-demand, preview and explanation share it.

The table is ``reference/entra-provisioning-service.md`` sections 13.1 and 14. The difference is taken against the
state that the target last acknowledged, removals included; how each attribute flows is that reference's section 8.2.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisor.connector.messages import AttributeChange
from provisor.expressions.values import NO_FLOW
from provisor.provisioning.model import (
    Delete,
    Entitlement,
    Forget,
    Kind,
    Link,
    LinkState,
    Match,
    Plan,
    Skip,
    Source,
    Unchanged,
    Update,
)


class Flow(enum.Enum):
    """How an attribute flows where it does not simply take the source's value."""

    # Only where the target has no value: it is never replaced nor removed.
    FILL = "fill"
    # The values that the target lacks are added to those it has, and none is removed.
    ADD = "add"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a job allows and how its target behaves, for one type of object."""

    kind: Kind
    may_create: bool
    may_update: bool
    may_delete: bool
    # False: the app has no way to disable, so what would be a disable is a delete (reference section 14).
    soft_delete: bool
    skip_out_of_scope_deletions: bool
    # Target attributes that flow on every change (flow type Always); the others were sent at creation only.
    always: frozenset[str]
    # Target attributes that this target is known not to change.
    fixed: frozenset[str]
    # Target attributes that are made from IsSoftDeleted: without one of them nothing can be disabled.
    disabling: frozenset[str]
    matching: tuple[str, ...]
    # Those of ``always`` that do not simply take the source's value.
    flows: Mapping[str, Flow] = field(default_factory=dict)
    # An empty source leaves what the target has (as in Entra), where elsewhere it removes it.
    keeps: frozenset[str] = frozenset()
    # What a creation sends for an empty source. A source that is still empty does not remove it again.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    # Flow behaviour FlowAlways: sent whenever the object is looked at, changed or not.
    unconditional: frozenset[str] = frozenset()
    # The target removes objects of this type at all.
    offers_delete: bool = True


# (is it soft-deleted, is it being created) -> target attribute path -> value; without references and nulls. ``NO_FLOW``
# for an attribute that is to stay as it is in the target, whatever it is; never when it is being created.
Evaluate = Callable[[bool, bool], Mapping[str, Any]]


def plan(source: Source, entitlement: Entitlement, link: Link | None, rule: Rule, evaluate: Evaluate) -> Plan:
    """What is to be done. Raises what ``evaluate`` raises."""
    present = source.exists and source.active and entitlement.in_scope
    if link is None:
        return _unlinked(source, entitlement, rule, evaluate) if present else _not_for_us(source, entitlement)
    if not source.exists:
        return _purged(link, rule, evaluate)
    if present:
        return _present(link, rule, evaluate)
    if rule.kind == "Group":
        return _group_leaves(source, entitlement, link, rule)
    return _user_leaves(source, entitlement, link, rule, evaluate)


def difference(
    desired: Mapping[str, Any], acknowledged: Mapping[str, Any], rule: Rule
) -> tuple[tuple[AttributeChange, ...], tuple[str, ...]]:
    """What to send, and what would be sent if the target could change it. A value that became empty is a removal.

    A change whose ``old`` is null although a value is acknowledged adds to that value: see ``confirmed``.
    """
    changes: list[AttributeChange] = []
    refused: list[str] = []
    for path in sorted(rule.always):
        change = _change(path, desired.get(path), acknowledged.get(path), rule)
        if change is None:
            continue
        if path in rule.fixed and acknowledged.get(path) is not None:
            refused.append(path)
        else:
            changes.append(change)
    return tuple(changes), tuple(refused)


def confirmed(acknowledged: Mapping[str, Any], changes: tuple[AttributeChange, ...]) -> dict[str, Any]:
    """The acknowledged state once the target has taken these changes."""
    state = dict(acknowledged)
    for change in changes:
        present = state.get(change.path)
        if change.new is None:
            state.pop(change.path, None)
        elif change.old is None and isinstance(present, list):
            state[change.path] = [*present, *missing(change.new, present)]
        else:
            state[change.path] = change.new
    return state


def same(one: Any, other: Any) -> bool:
    """Are two values the same to a target? The values of a multi-valued attribute have no order (RFC 7643 2.4)."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and sorted(map(_key, one)) == sorted(map(_key, other))
    return bool(one == other)


def missing(wanted: list[Any], present: list[Any]) -> list[Any]:
    """Those of the wanted values that are not present, in their order, each once."""
    found = {_key(value) for value in present}
    lacking: list[Any] = []
    for value in wanted:
        if _key(value) not in found:
            found.add(_key(value))
            lacking.append(value)
    return lacking


def _change(path: str, new: Any, old: Any, rule: Rule) -> AttributeChange | None:
    """One attribute's difference, by how it flows; ``None`` when there is nothing to send."""
    if new is NO_FLOW:
        return None
    flow = rule.flows.get(path)
    if flow is Flow.FILL:
        return AttributeChange(path, None, new) if old is None and new is not None else None
    if flow is Flow.ADD and isinstance(new, list):
        lacking = missing(new, old if isinstance(old, list) else [])
        return AttributeChange(path, None, lacking) if lacking else None
    if new is None:
        stays = old is None or flow is Flow.ADD or path in rule.keeps or same(old, rule.defaults.get(path))
        return None if stays else AttributeChange(path, old, None)
    if same(new, old) and path not in rule.unconditional:
        return None
    return AttributeChange(path, old, new)


def _key(value: Any) -> str:
    """The same text for the same value, complex ones included."""
    return json.dumps(value, sort_keys=True)


def _not_for_us(source: Source, entitlement: Entitlement) -> Plan:
    if not source.exists:
        return Skip("EntrySynchronizationSkipped", "It was deleted in the directory and never was in the application.")
    if entitlement.in_scope:
        return Skip(
            "NotEffectivelyEntitled",
            f"The {source.kind.lower()} is {'deleted' if source.deleted else 'disabled'} in the directory; "
            "only an active one is created.",
        )
    if entitlement.reason == "NotEffectivelyEntitled":
        return Skip(
            "NotEffectivelyEntitled",
            f"The {source.kind.lower()} is not assigned to the application. "
            "Assign it, or set the scope to all users and groups.",
        )
    return Skip("EntrySynchronizationSkipped", f"The {source.kind.lower()} does not pass the scoping filter.")


def _unlinked(source: Source, entitlement: Entitlement, rule: Rule, evaluate: Evaluate) -> Plan:
    values = evaluate(False, True)
    if not any(values.get(path) not in (None, "") for path in rule.matching):
        return Skip(
            "ImportSkipped",
            f"No matching attribute has a value ({', '.join(rule.matching)}), so it cannot be looked up in the target.",
        )
    return Match(values, rule.may_create, rule.may_update)


def _present(link: Link, rule: Rule, evaluate: Evaluate) -> Plan:
    changes, refused = difference(evaluate(False, False), link.acknowledged, rule)
    if changes and rule.may_update:
        return Update(changes, confirmed(link.acknowledged, changes), "linked")
    if changes:
        return Skip("EntrySynchronizationSkipped", "It has changed, but Update is not among the target object actions.")
    return Unchanged("linked", refused)


def _purged(link: Link, rule: Rule, evaluate: Evaluate) -> Plan:
    if link.state == "released":
        return Forget("It was no longer managed when it was deleted for good: nothing is sent.")
    if not rule.may_delete:
        return Forget("It was deleted for good, but Delete is not among the target object actions.")
    if rule.offers_delete:
        return Delete()
    if link.state == "linked" and rule.kind == "User" and rule.soft_delete and rule.may_update:
        # Purged before anybody saw it in the recycle bin: where nothing can be deleted, access goes all the same.
        values = evaluate(True, False)
        changes, _ = difference({path: values.get(path) for path in rule.disabling}, link.acknowledged, rule)
        changes = tuple(change for change in changes if change.path in rule.disabling and change.new is not None)
        if changes:
            return Update(changes, confirmed(link.acknowledged, changes), "disabled", disables=True)
    return Forget("It was deleted for good, but the target deletes nothing.")


def _group_leaves(source: Source, entitlement: Entitlement, link: Link, rule: Rule) -> Plan:
    if link.state == "released" and rule.skip_out_of_scope_deletions:
        return Skip("EntrySynchronizationSkipped", "It left the scope before, and is no longer managed.")
    if rule.skip_out_of_scope_deletions and not source.deleted:
        text = "It left the scope; SkipOutOfScopeDeletions keeps it in the target."
        return Skip("EntrySynchronizationSkipped", text, "released")
    if not rule.may_delete:
        return Skip(
            "EntrySynchronizationSkipped", "It left the scope, but Delete is not among the target object actions."
        )
    if not rule.offers_delete:
        return Skip("EntrySynchronizationSkipped", "It left the scope, but the target deletes no groups.", "released")
    return Delete()


def _user_leaves(source: Source, entitlement: Entitlement, link: Link, rule: Rule, evaluate: Evaluate) -> Plan:
    # Who is disabled at the source and still assigned stays managed, so that a later purge deletes the account.
    state: LinkState = "disabled" if entitlement.in_scope else "released"
    if state == "released" and rule.skip_out_of_scope_deletions:
        text = "It left the scope; SkipOutOfScopeDeletions leaves the account as it is."
        return Skip("EntrySynchronizationSkipped", text, "released")
    if link.state == "released" and not _kept_access(link, rule, evaluate):
        return Skip(entitlement.reason or "NotEffectivelyEntitled", "The account was disabled when it left the scope.")
    if not rule.soft_delete:
        if not rule.may_delete or not rule.offers_delete:
            return Skip(
                "EntrySynchronizationSkipped", "It is to go, but Delete is not among the target object actions."
            )
        return Delete()
    changes, refused = difference(evaluate(True, False), link.acknowledged, rule)
    if not any(change.path in rule.disabling for change in changes):
        if link.state == "linked" and rule.disabling.intersection(refused):
            return Skip(
                "EntrySynchronizationSkipped",
                f"It is to be disabled, but the target does not change {', '.join(refused)}.",
            )
        if link.state == "linked" and not rule.disabling & link.acknowledged.keys():
            return Skip(
                "EntrySynchronizationSkipped",
                "It is to be disabled, but no target attribute that flows on updates is mapped from IsSoftDeleted.",
            )
        if not entitlement.in_scope:
            # Only a name that changed with the leaving, and could not be written with it, comes after: somebody may
            # wait for the old one.
            changes = tuple(change for change in changes if change.path in rule.matching)
        if not (changes and link.state == "disabled"):
            return Unchanged(state)
    if not rule.may_update:
        return Skip(
            "EntrySynchronizationSkipped", "It is to be disabled, but Update is not among the target object actions."
        )
    disables = link.state == "linked" or any(change.path in rule.disabling for change in changes)
    return Update(changes, confirmed(link.acknowledged, changes), state, disables=disables)


def _kept_access(link: Link, rule: Rule, evaluate: Evaluate) -> bool:
    """Of somebody who left the scope while SkipOutOfScopeDeletions was on: is the account still enabled?"""
    if not rule.disabling & link.acknowledged.keys():
        return False
    values = evaluate(True, False)
    return any(
        path in link.acknowledged and values.get(path) is not None and not same(values[path], link.acknowledged[path])
        for path in rule.disabling
    )
