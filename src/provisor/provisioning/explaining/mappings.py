"""Explanations, step processing: mapping by mapping, with the values on all sides. Pure but for the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from provisor.applications.schema import AttributeMapping, FlowType
from provisor.connector.answers import TargetObject
from provisor.expressions.errors import EvaluationError
from provisor.expressions.values import NO_FLOW, Context
from provisor.provisioning.explaining.model import MappingLine
from provisor.provisioning.mapping import SOFT_DELETED, UNIQUE, MappingFailed, Mappings, differs
from provisor.provisioning.notes import Item
from provisor.provisioning.plan import same
from provisor.provisioning.seen import shown_value

_APPLIES = {
    FlowType.ALWAYS: "always",
    FlowType.OBJECT_ADD_ONLY: "only when it is created",
    FlowType.MULTI_VALUE_ADD_ONLY: "adds values, removes none",
    FlowType.VALUE_ADD_ONLY: "adds values, removes none",
    FlowType.ATTRIBUTE_ADD_ONLY: "only where the target has no value",
}

_SENT_NEXT = "It differs from what the target confirmed last: the next cycle sends it."


def mapping_lines(
    mappings: Mappings,
    item: Item,
    target: TargetObject | None,
    *,
    soft_deleted: bool,
    attribute: str | None,
    kept_back: str | None = None,
) -> list[MappingLine]:
    """Every mapping, or that of one target attribute (in any case), with the steps of its expression. ``kept_back``:
    why nothing is sent of the object."""
    creating = item.link is None and target is None

    def get(name: str) -> Any:
        return str(soft_deleted) if name == SOFT_DELETED else item.source.get(name)

    desired, failed = _desired(mappings, get, soft_deleted=soft_deleted, creating=creating)
    lines = []
    for row in mappings.mapping.attribute_mappings:
        if attribute is not None and row.target.lower() != attribute.lower():
            continue
        if row.is_reference:
            lines.append(_reference(row, item, target))
        else:
            values = {name: _text(get(name)) or "nothing" for name in sorted(row.source.attributes)}
            error = failed if failed and f" {row.target} " in failed else None
            lines.append(
                _line(row, values, desired.get(row.target), error, item, target)
                if attribute is None
                else _with_steps(row, values, desired.get(row.target), error, item, target, get, mappings.context)
            )
    if kept_back is not None:
        why = f"It differs from what the target confirmed last, and is not sent: {kept_back}."
        lines = [replace(line, verdict=why) if line.verdict == _SENT_NEXT else line for line in lines]
    return lines


def _desired(
    mappings: Mappings, get: Callable[[str], Any], *, soft_deleted: bool, creating: bool
) -> tuple[Mapping[str, Any], str | None]:
    """What all of them give; one that fails is told, and the others are asked without it."""
    try:
        return mappings.desired(get, soft_deleted=soft_deleted, creating=creating, taken=()), None
    except MappingFailed as error:
        found: dict[str, Any] = {}
        for row in mappings.values:
            alone = Mappings(mappings.kind, mappings.mapping, (row,), (), mappings.context)
            try:
                found |= alone.desired(get, soft_deleted=soft_deleted, creating=creating, taken=())
            except MappingFailed:
                continue
        return found, str(error)


def _line(
    row: AttributeMapping,
    values: dict[str, str],
    desired: Any,
    error: str | None,
    item: Item,
    target: TargetObject | None,
) -> MappingLine:
    acknowledged = item.link.acknowledged.get(row.target) if item.link else None
    shown = shown_value(target, row.target) if target is not None else None
    linked, read = item.link is not None, target is not None
    return MappingLine(
        target=row.target,
        applies=_APPLIES[row.flow_type],
        source=row.source_text or f'"{row.default_value}"',
        values=values,
        desired="(left as it is)" if desired is NO_FLOW else _text(desired),
        acknowledged=_text(acknowledged),
        shown=_text(shown),
        verdict=_verdict(row, desired, acknowledged, shown, error, linked=linked, read=read),
        error=error,
    )


def _with_steps(
    row: AttributeMapping,
    values: dict[str, str],
    desired: Any,
    error: str | None,
    item: Item,
    target: TargetObject | None,
    get: Callable[[str], Any],
    context: Context,
) -> MappingLine:
    line = _line(row, values, desired, error, item, target)
    if row.source_type != "Function":
        return line
    try:
        steps = [(step.text, step.error or _text(step.value) or "nothing") for step in row.source.explain(get, context)]
    except EvaluationError as fault:
        steps = [(row.source_text, fault.message)]
    return replace(line, steps=steps)


def _reference(row: AttributeMapping, item: Item, target: TargetObject | None) -> MappingLine:
    acknowledged = item.link.acknowledged.get(row.target) if item.link else None
    shown = shown_value(target, row.target, reference=True) if target is not None and row.target != "members" else None
    return MappingLine(
        target=row.target,
        applies=_APPLIES[row.flow_type],
        source=row.source_text,
        values={"manager": item.source.manager_id or "nothing"} if "manager" in row.source.attributes else {},
        desired=item.manager if "manager" in row.source.attributes else None,
        acknowledged=_text(acknowledged),
        shown=_text(shown),
        verdict="A reference: written once both ends are in the target; see the references.",
    )


def _verdict(
    row: AttributeMapping,
    desired: Any,
    acknowledged: Any,
    shown: Any,
    error: str | None,
    *,
    linked: bool,
    read: bool,
) -> str:
    if error is not None:
        return "It cannot be evaluated, so that the object fails."
    if not linked:
        return "It would be sent with the creation." if desired is not None else "Nothing would be sent."
    if row.flow_type is FlowType.OBJECT_ADD_ONLY or UNIQUE in row.source.functions:
        return "It was sent when the object was created, and is never sent again."
    if read and acknowledged is not None and (shown is None or differs(shown, acknowledged)):
        return "Somebody changed it in the target: provision on demand sets it right."
    if desired is NO_FLOW:
        return "The expression says that it stays as it is."
    if desired is None:
        return (
            "The source gives nothing; what the target has stays."
            if acknowledged is None
            else ("The source gives nothing any more: the value is removed, or kept where the mapping says so.")
        )
    if acknowledged is not None and same(desired, acknowledged):
        return "The target has confirmed it."
    return _SENT_NEXT


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else str(value)
