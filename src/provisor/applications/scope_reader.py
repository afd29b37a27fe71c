"""Step scoping, before it: a scoping filter of the synchronization schema, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provisor.applications.names import nearest
from provisor.applications.schema_document import RawAttribute, RawClause, RawFilter
from provisor.applications.scoping import (
    MEMBER_OF,
    Clause,
    Group,
    Operator,
    Scope,
    find_membership_operator,
    find_operator,
    operators,
)

# (where, what is wrong)
Find = Callable[[str, str], None]
# They are computed: one from the scoping filter's verdict itself, the other for role mappings alone.
_COMPUTED = ("IsSoftDeleted", "appRoleAssignments")


def read_scope(raw: RawFilter | None, sources: Mapping[str, RawAttribute], where: str, find: Find) -> Scope | None:
    """The compiled filter, ``None`` where there is none. Good for nothing once something was found."""
    if raw is None:
        return None
    if raw.input_filter_groups or raw.category_filter_groups:
        find(where, "input and category filter groups cannot be evaluated; use the scoping filter's groups")
    groups = []
    for number, group in enumerate(raw.groups or [], start=1):
        title = group.name or f"Filter {number}"
        if not group.clauses:
            find(f"{where}, {title}", "this filter has no clause, so it would let everything pass")
        clauses = (_clause(clause, sources, f"{where}, {title}", find) for clause in group.clauses)
        groups.append(Group(title, tuple(clause for clause in clauses if clause is not None)))
    return Scope(tuple(groups)) if groups else None


def _clause(raw: RawClause, sources: Mapping[str, RawAttribute], where: str, find: Find) -> Clause | None:
    name = raw.source_operand_name
    where = f"{where}, {name} {raw.operator_name}"
    attribute = sources.get(name)
    membership = name == MEMBER_OF and attribute is None
    operator = find_operator(raw.operator_name, attribute.type if attribute else "String")
    if membership:
        operator = find_membership_operator(raw.operator_name) if operator else None
    elif fault := _operand_fault(name, sources, operator):
        find(where, fault)
    if operator is None:
        find(where, f"this operator cannot be evaluated; the operators are: {_known(membership)}")
        return None
    if operator.arity == "Unary":
        return Clause(name, operator)
    values = raw.target_operand.values if raw.target_operand else []
    if len(values) != 1:
        find(where, f"this operator needs one value, and there are {len(values)}")
        return None
    if fault := operator.fault(values[0]):
        find(where, fault)
    return Clause(name, operator, values[0])


def _known(membership: bool) -> str:
    return ", ".join(
        operator.name
        for operator in operators()
        if not membership or find_membership_operator(operator.name) is not None
    )


def _operand_fault(name: str, sources: Mapping[str, RawAttribute], operator: Operator | None) -> str | None:
    attribute = sources.get(name)
    if attribute is None:
        return f"the source has no attribute {name}{nearest(name, (*sources, MEMBER_OF))}"
    if attribute.type == "Reference" or name in _COMPUTED:
        hint = "; the groups of an object are memberOf" if name == "members" else ""
        return f"this attribute cannot be used in a scoping filter{hint}"
    if operator is not None and attribute.type not in operator.types:
        return f"this operator does not compare values of the type {attribute.type}"
    return None
