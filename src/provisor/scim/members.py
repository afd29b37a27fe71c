"""Floor 1, PATCH and bodies of groups: members, which are rows in the store and never inside a document.

A handler gets what a request *says* about members, in order, and never has to read who is a member already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from provisor.scim.dialect import Dialect
from provisor.scim.errors import InvalidValue, Mutability
from provisor.scim.messages import json_kind
from provisor.scim.operations import Op
from provisor.scim.paths import Target
from provisor.scim.resolution import Bound, Compare, Either
from provisor.scim.schemas import Attribute, ResourceType

ATTRIBUTE = "members"


@dataclass(frozen=True, slots=True)
class MemberRef:
    """A member as a request names it: the id, and the resource type (User or Group) if the request says so."""

    value: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class MemberChange:
    """What one operation of a PATCH does to the members; changes apply in order.

    * ``add``: ``members`` join; who is in already stays in;
    * ``remove``: ``members`` leave (who is not in: nothing), or, when ``filter`` is set, all that match it
      (``members`` is empty then; the filter's attributes are those of one member: value, type, display, $ref);
    * ``replace``: exactly ``members``, which are not empty;
    * ``clear``: nobody is left.
    """

    kind: Literal["add", "remove", "replace", "clear"]
    members: tuple[MemberRef, ...] = ()
    filter: Bound | None = None


def member_attribute(kind: ResourceType) -> Attribute | None:
    """The attribute of this resource type whose elements are rows: a group's ``members``."""
    attribute = kind.schema.attributes.get(ATTRIBUTE)
    return attribute if kind.name == "Group" else None


def parse_members(value: Any, dialect: Dialect) -> tuple[MemberRef, ...]:
    """The members that ``value`` names, each once, in the order of their first mention; empty for null and [].

    ``display``, ``$ref`` and unknown keys are not looked at: who a member is, its id says. Raises ``InvalidValue``.
    """
    if value is None or (value == "" and dialect.empty_string_unsets):
        return ()
    if not isinstance(value, list):
        if not dialect.wrap_single_value:
            raise InvalidValue(f"members must be an array, not {json_kind(value)}.")
        value = [value]
    return _each_once(_member(item, dialect) for item in value)


def _each_once(members: Iterable[MemberRef]) -> tuple[MemberRef, ...]:
    found: dict[str, MemberRef] = {}
    for member in members:
        found.setdefault(member.value, member)
    return tuple(found.values())


def _member(item: Any, dialect: Dialect) -> MemberRef:
    if isinstance(item, dict):
        identifier, kind = item.get("value"), item.get("type")
        if identifier is None:
            folded = {key.lower(): given for key, given in item.items()}
            identifier, kind = folded.get("value"), folded.get("type")
    elif dialect.bare_complex_values:
        identifier, kind = item, None
    else:
        raise InvalidValue(f"A member must be an object with 'value', not {json_kind(item)}.")
    if dialect.numbers_as_text and isinstance(identifier, int) and not isinstance(identifier, bool):
        identifier = str(identifier)
    if not isinstance(identifier, str) or not identifier.strip() or "\0" in identifier:
        raise InvalidValue("A member's 'value' must be the id of a user or group.", hint=f"Given was {item!r:.100}.")
    return MemberRef(identifier, _member_type(kind, dialect))


def _member_type(kind: Any, dialect: Dialect) -> str | None:
    if kind is None:
        return None
    known = {"user": "User", "group": "Group"}.get(kind.lower()) if isinstance(kind, str) else None
    if known is None and dialect.canonical_values_enforced:
        raise InvalidValue(f"A member's 'type' must be User or Group, not {kind!r:.50}.")
    return known


def change_members(op: Op, target: Target, value: Any, dialect: Dialect) -> list[MemberChange]:
    """What one PATCH operation on ``members`` does. ``op`` is add, replace or remove.

    Raises ``InvalidValue`` for members without an id, ``Mutability`` for a change of a member in place.
    """
    sub = target.ref.sub
    if sub is not None and (sub.name != "value" or (target.condition is not None and op != "remove")):
        raise Mutability(
            f"'{target.ref.text}' of a member cannot be changed.", hint="Remove the member and add the other one."
        )
    if op == "remove":
        return _removal(target.condition, value, dialect)
    members = parse_members(value, dialect)
    if target.condition is not None and op == "replace":
        return [*_removal(target.condition, None, dialect), *([MemberChange("add", members)] if members else [])]
    if not members:
        # To add nobody changes nothing; to replace all by nobody empties the group.
        return [MemberChange("clear")] if op == "replace" else []
    return [MemberChange("add" if op == "add" else "replace", members)]


def _removal(condition: Bound | None, value: Any, dialect: Dialect) -> list[MemberChange]:
    if condition is not None:
        ids = _ids(condition)
        if ids is None:
            return [MemberChange("remove", filter=condition)]
        return [MemberChange("remove", _each_once(MemberRef(identifier) for identifier in ids))]
    if value is None:
        return [MemberChange("clear")]
    if not dialect.remove_with_value:
        raise InvalidValue("A remove has no 'value'.", hint='Write the path as members[value eq "…"].')
    # The list names who leaves. An empty one names nobody; it does not mean everybody.
    members = parse_members(value, dialect)
    return [MemberChange("remove", members)] if members else []


def _ids(condition: Bound) -> list[str] | None:
    """The ids that a filter names one by one (``value eq "a" or value eq "b"``); None for any other filter."""
    if isinstance(condition, Compare) and condition.op == "eq" and condition.ref.leaf.name == "value":
        return [str(condition.given)]
    if isinstance(condition, Either):
        parts = [_ids(term) for term in condition.terms]
        if all(part is not None for part in parts):
            return [identifier for part in parts if part for identifier in part]
    return None
