"""Floor 1, PATCH: a sequence of operations applied to a document, all or nothing (RFC 7644 section 3.5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from provisor.scim.coercion import Check, compile_attribute, compile_parts, without_duplicates
from provisor.scim.dialect import Dialect
from provisor.scim.draft import Draft
from provisor.scim.elements import implied, is_label_only, is_named, make_primary, selector
from provisor.scim.errors import InvalidPath, InvalidValue, Mutability, NoTarget, ScimError
from provisor.scim.members import MemberChange, change_members, member_attribute
from provisor.scim.messages import json_kind
from provisor.scim.operations import Op, Operation, raw_operations, read_operation
from provisor.scim.paths import Place, Target, UnknownName, lookup, parse_path
from provisor.scim.schemas import Attribute, AttributeRef, Extension, SchemaSet


@dataclass(slots=True)
class Patched:
    """What a PATCH leads to.

    * ``resource``: the new document (shares unchanged parts with the old one: treat both as frozen);
    * ``changed``: whether it differs from the old one (members and write-only values do not count);
    * ``ignored``: paths that were sent and are not stored, since no schema has them;
    * ``member_changes``: what the operations do to a group's members, to be applied in order;
    * ``write_only``: writeOnly values by path (``password``); None where one is removed.
    """

    resource: dict[str, Any]
    changed: bool
    ignored: list[str] = field(default_factory=list)
    member_changes: list[MemberChange] = field(default_factory=list)
    write_only: dict[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=512)
def compile_patcher(schemas: SchemaSet, resource_type: str, dialect: Dialect) -> Patcher:
    """The patcher of a resource type. Raises ``KeyError`` for a type that the set lacks."""
    return Patcher(schemas, resource_type, dialect)


class Patcher:
    """Applies PATCH bodies to documents of one resource type under one dialect. Make it with ``compile_patcher``."""

    def __init__(self, schemas: SchemaSet, resource_type: str, dialect: Dialect) -> None:
        kind = schemas.resource_type(resource_type)
        self._schemas = schemas
        self._type = resource_type
        self._dialect = dialect
        self._urn = kind.schema.id
        self._extensions = kind.extensions
        self._members = member_attribute(kind)
        self._checks: dict[tuple[str, str], Check] = {}

    def apply(self, resource: Mapping[str, Any], body: Any) -> Patched:
        """The document after all operations of ``body``; ``resource`` itself is left as it is.

        ``resource`` is canonical, as the validator or an earlier PATCH left it. Raises one of the errors of RFC 7644
        table 9, naming the operation; nothing of the body is then applied.
        """
        operations = raw_operations(body, self._dialect)
        draft = Draft(resource)
        for number, raw in enumerate(operations, 1):
            try:
                self._operation(draft, read_operation(raw, self._dialect))
            except ScimError as error:
                error.message = f"Operation {number} of {len(operations)}: {error.message}"
                raise
        changed = self._finish(draft, resource)
        return Patched(draft.data, changed, draft.ignored, draft.member_changes, draft.write_only)

    # --- targets ---------------------------------------------------------------------------------------------------

    def _operation(self, draft: Draft, operation: Operation) -> None:
        if operation.path is None:
            self._without_path(draft, operation.op, operation.value)
        else:
            place = parse_path(operation.path, self._schemas, self._type, self._dialect)
            self._at_place(draft, operation.op, place, operation.value)

    def _without_path(self, draft: Draft, op: Op, value: Any) -> None:
        """The resource itself is the target: each key of ``value`` is an attribute, or a path for some dialects."""
        if isinstance(value, list) and len(value) == 1 and self._dialect.unwrap_single_element:
            value = value[0]
        if not isinstance(value, dict):
            raise InvalidValue(f"Without a path, 'value' must be an object of attributes, not {json_kind(value)}.")
        for key, item in value.items():
            place = self._key(key)
            if isinstance(place, Target) and place.ref.attribute.mutability == "readOnly":
                if self._dialect.read_only_keys_ignored or place.ref.attribute.name == "schemas":
                    continue
                raise Mutability(f"'{place.ref.text}' is read-only.")
            self._at_place(draft, op, place, item)

    def _key(self, key: str) -> Place:
        if self._dialect.path_keys:
            try:
                return parse_path(key, self._schemas, self._type, self._dialect)
            except InvalidPath:
                return UnknownName(key)
        found = lookup(self._schemas, self._type, key, self._dialect)
        if isinstance(found, Extension):
            return found
        if found is None or found.container is not None or found.key != key.lower() or found.sub is not None:
            return UnknownName(key)
        return Target(found)

    def _at_place(self, draft: Draft, op: Op, place: Place, value: Any) -> None:
        if isinstance(place, Target):
            self._at(draft, op, place, value)
        elif isinstance(place, Extension):
            self._at_extension(draft, op, place, value)
        elif self._dialect.unknown_attributes_ignored:
            draft.ignored.append(place.text)
        else:
            raise InvalidPath(f"{self._type} has no attribute '{place.text:.200}'.")

    def _at_extension(self, draft: Draft, op: Op, extension: Extension, value: Any) -> None:
        """The whole extension object is the target; like a complex attribute, it is merged into."""
        urn = extension.schema.id
        if op == "remove" or value is None or (value == "" and self._dialect.empty_string_unsets):
            if op != "add":
                for attribute in extension.schema.attributes.values():
                    if attribute.name in draft.data.get(urn, ()):
                        self._remove(draft, Target(AttributeRef(urn, attribute)), None)
            return
        if not isinstance(value, dict):
            raise InvalidValue(f"'{urn}' must be an object, not {json_kind(value)}.")
        for key, item in value.items():
            ref = self._schemas.find(self._type, f"{urn}:{key}")
            if ref is None and key.lower() == "schemas":
                continue  # it says what is there, also where no schema has it (scim2-models writes it)
            if ref is None or (ref.sub is not None and not self._dialect.path_keys):
                self._at_place(draft, op, UnknownName(f"{urn}:{key}"), item)
            elif ref.leaf.mutability != "readOnly" or not self._dialect.read_only_keys_ignored:
                self._at(draft, op, Target(ref), item)

    def _at(self, draft: Draft, op: Op, target: Target, value: Any) -> None:
        ref = target.ref
        attribute = ref.attribute
        if attribute is self._members:
            draft.member_changes += change_members(op, target, value, self._dialect)
        elif attribute.name == "schemas" and ref.container is None:
            return  # it says what is there; clients that set it mean what they set elsewhere
        elif "readOnly" in (attribute.mutability, ref.leaf.mutability):
            raise Mutability(f"'{ref.text}' is read-only.")
        elif attribute.mutability == "writeOnly":
            draft.write_only[ref.text] = None if op == "remove" else self._check(ref)(value, draft.ignored)
        elif op == "remove":
            self._remove(draft, target, value)
        elif target.condition is not None or (ref.sub is not None and attribute.multi_valued):
            self._set_in_elements(draft, op, target, value)
        elif ref.sub is not None:
            self._set_sub(draft, ref, self._check(ref)(value, draft.ignored))
        elif attribute.multi_valued:
            self._set_list(draft, op, ref, value)
        elif attribute.sub:
            self._merge(draft, ref, value)
        else:
            self._set(draft, ref, self._check(ref)(value, draft.ignored))

    # --- add and replace -------------------------------------------------------------------------------------------

    def _set(self, draft: Draft, ref: AttributeRef, value: Any) -> None:
        if value is None and ref.attribute.required:
            raise InvalidValue(f"'{ref.text}' is required and cannot be unset.")
        draft.put(ref, value)

    def _merge(self, draft: Draft, ref: AttributeRef, value: Any) -> None:
        """A single complex value: sub-attributes that are not named stay (RFC 7644 section 3.5.2.3)."""
        parts = self._parts(ref)(value, draft.ignored)
        if parts is None:
            self._set(draft, ref, None)
            return
        for name, item in parts.items():
            self._set_sub(draft, ref.within(ref.attribute.sub[name.lower()]), item, with_ref="$ref" in parts)

    def _set_sub(self, draft: Draft, ref: AttributeRef, value: Any, *, with_ref: bool = False) -> None:
        sub = ref.leaf
        held = draft.own(ref)
        if held is None:
            held = {}
        if sub.name == "value" and not with_ref and held.get("value") != value:
            held.pop("$ref", None)  # it is the address of the old value
        if value is not None:
            held[sub.name] = value
        elif sub.required:
            held = {}
        else:
            held.pop(sub.name, None)
        self._set(draft, ref, held or None)

    def _set_list(self, draft: Draft, op: Op, ref: AttributeRef, value: Any) -> None:
        if isinstance(value, dict):
            value = [value]
        new = self._check(ref)(value, draft.ignored)
        if op == "replace":
            self._set(draft, ref, new)
        elif new is not None:
            elements = draft.own(ref) or []
            for element in new:
                if isinstance(element, dict) and element.get("primary") is True:
                    make_primary(elements, element)
            draft.put(ref, without_duplicates(ref.attribute, elements + new))

    def _set_in_elements(self, draft: Draft, op: Op, target: Target, value: Any) -> None:
        """The elements that the path's filter selects are the target; all of them where it has none."""
        ref, condition = target.ref, target.condition
        new = (self._check(ref) if ref.sub else self._parts(ref))(value, draft.ignored)
        if new is None:
            self._remove(draft, target, None)
            return
        if not ref.sub and not new:
            return  # an element without any attribute that is known
        elements = _as_list(draft.own(ref))
        chosen = [item for item in elements if selector(condition)(item)] if condition is not None else list(elements)
        if not chosen:
            template = implied(condition)
            fixed = bool(elements) and not ref.attribute.multi_valued
            if template is None or fixed or not self._dialect.filter_creates_element:
                raise NoTarget(f"No element of '{ref.text}' is selected by the path.")
            chosen = [template]
            elements.append(template)
        for element in chosen:
            if ref.sub is not None:
                _write(element, ref.sub, new, ref)
            else:
                if op == "replace" and isinstance(value, dict):
                    element.clear()
                    element.update(implied(condition) or {})  # what was chosen as "work" stays so, unless it says else
                for name, item in new.items():
                    _write(element, ref.attribute.sub[name.lower()], item, ref)
        if ref.attribute.multi_valued:
            first = next((element for element in chosen if element.get("primary") is True), None)
            if first is not None:
                make_primary(elements, first)
        draft.put(ref, elements if ref.attribute.multi_valued else elements[0])

    # --- remove ----------------------------------------------------------------------------------------------------

    def _remove(self, draft: Draft, target: Target, value: Any) -> None:
        ref, condition = target.ref, target.condition
        attribute = ref.attribute
        if value is not None and not self._dialect.remove_with_value:
            raise InvalidValue("A remove has no 'value'.", hint="Select what to remove with a filter in the path.")
        if condition is None and ref.sub is None:
            if value is not None and attribute.multi_valued:
                self._remove_named(draft, ref, value)
            else:
                self._unset(draft, ref)
        elif condition is None and not attribute.multi_valued:
            if draft.get(ref) is not None:
                self._set_sub(draft, ref, None)
        else:
            self._remove_in_elements(draft, target)

    def _unset(self, draft: Draft, ref: AttributeRef) -> None:
        if ref.attribute.required:
            raise Mutability(f"'{ref.text}' is required and cannot be removed.")
        draft.put(ref, None)

    def _remove_named(self, draft: Draft, ref: AttributeRef, value: Any) -> None:
        """Only the elements that ``value`` lists go: a list never means all."""
        attribute = ref.attribute
        named = self._check(ref)(value, draft.ignored) or []
        held = draft.get(ref) or []
        kept = [item for item in held if not any(is_named(attribute, item, name) for name in named)]
        if len(kept) < len(held):
            self._keep(draft, ref, kept)

    def _remove_in_elements(self, draft: Draft, target: Target) -> None:
        ref, condition = target.ref, target.condition
        elements = _as_list(draft.own(ref))
        kept, found = [], False
        for element in elements:
            if condition is not None and not selector(condition)(element):
                kept.append(element)
                continue
            found = True
            if ref.sub is not None:
                _write(element, ref.sub, None, ref)
                if not is_label_only(element, condition):
                    kept.append(element)
        if not found and self._dialect.remove_needs_target:
            raise NoTarget(f"No element of '{ref.text}' is selected by the path.")
        if found:
            self._keep(draft, ref, kept)

    def _keep(self, draft: Draft, ref: AttributeRef, elements: list[Any]) -> None:
        if not elements:
            self._unset(draft, ref)
        else:
            draft.put(ref, elements if ref.attribute.multi_valued else elements[0])

    # --- checks ----------------------------------------------------------------------------------------------------

    def _check(self, ref: AttributeRef) -> Check:
        """The check of what the reference names as a whole."""
        check = self._checks.get((ref.key, "whole"))
        if check is None:
            check = self._checks[ref.key, "whole"] = compile_attribute(ref.leaf, self._dialect, ref.text)
        return check

    def _parts(self, ref: AttributeRef) -> Check:
        """The check of some sub-attributes of one value of the attribute."""
        check = self._checks.get((ref.key, "parts"))
        if check is None:
            check = self._checks[ref.key, "parts"] = compile_parts(ref.attribute, self._dialect, ref.text)
        return check

    def _finish(self, draft: Draft, resource: Mapping[str, Any]) -> bool:
        """Check what only the whole can show, compute ``schemas``; whether anything changed."""
        changed = False
        for ref in draft.touched():
            old, new = draft.old(ref), draft.get(ref)
            if ref.attribute.multi_valued and new is not None:
                new = without_duplicates(ref.attribute, new)
                draft.put(ref, new)
            if new != old:
                changed = True
                whole = AttributeRef(ref.container, ref.attribute)
                _require_subs(whole, new)
                if old is not None:
                    _refuse_immutable(whole, old, new)
        for extension in self._extensions:
            if extension.required and extension.schema.id not in draft.data and extension.schema.id in resource:
                raise Mutability(f"The extension {extension.schema.id} is required and cannot be removed.")
        if changed:
            urns = (extension.schema.id for extension in self._extensions)
            draft.data["schemas"] = [self._urn, *(urn for urn in urns if urn in draft.data)]
        return changed


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _write(element: dict[str, Any], sub: Attribute, value: Any, ref: AttributeRef) -> None:
    """Set one sub-attribute of one element; None unsets it."""
    if sub.mutability == "immutable" and element.get(sub.name, value) != value:
        raise Mutability(f"'{ref.attribute.name}.{sub.name}' is immutable: it has a value, which cannot be changed.")
    if sub.name == "value" and element.get("value") != value:
        element.pop("$ref", None)
    if value is None:
        element.pop(sub.name, None)
    else:
        element[sub.name] = value


def _require_subs(ref: AttributeRef, value: Any) -> None:
    required = [sub.name for sub in ref.attribute.sub.values() if sub.required and sub.mutability != "readOnly"]
    for element in _as_list(value):
        for name in required:
            if name not in element:
                raise InvalidValue(f"'{ref.text}.{name}' is required.")


def _refuse_immutable(ref: AttributeRef, old: Any, new: Any) -> None:
    attribute = ref.attribute
    subs = tuple(sub.name for sub in attribute.sub.values() if sub.mutability == "immutable")
    if attribute.mutability == "immutable":
        raise Mutability(f"'{ref.text}' is immutable: it has a value, which cannot be changed.")
    if not attribute.multi_valued and any(sub in old and (new or {}).get(sub) != old[sub] for sub in subs):
        raise Mutability(f"'{ref.text}.{subs[0]}' is immutable: it has a value, which cannot be changed.")
