"""Floor 1, validation and PATCH: checks of values, compiled from attributes into closures (RFC 7643 section 2.3).

A check takes a value and a list to which it adds the paths of what it ignores. It returns the value to store, None for
"unassigned" (RFC 7643 section 2.5), and raises ``InvalidValue``. Values are stored as they were sent, but for the
coercions that the dialect names.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from provisor.scim.dialect import Dialect
from provisor.scim.errors import InvalidSyntax, InvalidValue
from provisor.scim.messages import json_kind
from provisor.scim.schemas import Attribute, fold
from provisor.scim.values import as_boolean, as_number, is_base64, is_text, moment

Check = Callable[[Any, list[str]], Any]


def compile_attribute(attribute: Attribute, dialect: Dialect, where: str) -> Check:
    """The check of a whole attribute: of the list where it is multi-valued. ``where`` is its path, for messages."""
    element = compile_element(attribute, dialect, where)
    return _listed(attribute, element, dialect, where) if attribute.multi_valued else element


def compile_element(attribute: Attribute, dialect: Dialect, where: str) -> Check:
    """The check of one value: of one element where the attribute is multi-valued."""
    check = _complex(attribute, dialect, where) if attribute.sub else _simple(attribute, dialect, where)
    if attribute.canonical_values and dialect.canonical_values_enforced:
        return _canonical(attribute, check, where)
    return check


def compile_parts(attribute: Attribute, dialect: Dialect, where: str) -> Check:
    """The check of *some* sub-attributes of one complex value, for PATCH.

    It returns a dict of what the value names, None for what it unsets; required ones may be missing. For null and,
    where the dialect says so, "", it returns None.
    """
    return _complex(attribute, dialect, where, partial=True)


# --- simple values -------------------------------------------------------------------------------------------------


def _simple(attribute: Attribute, dialect: Dialect, where: str) -> Check:
    convert = {
        "string": _text,
        "reference": _text,
        "boolean": _boolean,
        "integer": _integer,
        "decimal": _decimal,
        "dateTime": _date_time,
        "binary": _binary,
        "complex": _text,
    }[attribute.type](dialect, where)
    if not attribute.required:
        return convert

    def required(value: Any, ignored: list[str]) -> Any:
        value = convert(value, ignored)
        if value.__class__ is str and not value.strip():
            raise InvalidValue(f"'{where}' is required and must not be empty.")
        return value

    return required


def _text(dialect: Dialect, where: str) -> Check:
    empty_unsets = dialect.empty_string_unsets
    numbers = dialect.numbers_as_text

    def check(value: Any, ignored: list[str]) -> Any:
        if value.__class__ is not str:
            value = _loosened(value, dialect)
            if value is None:
                return None
            if numbers and value.__class__ in (int, float):
                value = str(value)
            if value.__class__ is not str:
                raise _wrong(where, "a string", value)
        if not value and empty_unsets:
            return None
        if "\0" in value or not (value.isascii() or is_text(value)):
            raise InvalidValue(f"'{where}' holds a character that is no text (U+0000 or half of a surrogate pair).")
        return value

    return check


def _boolean(dialect: Dialect, where: str) -> Check:
    def check(value: Any, ignored: list[str]) -> Any:
        if value is True or value is False:
            return value
        value = _loosened(value, dialect)
        if value is None or isinstance(value, bool):
            return value
        if dialect.string_booleans and isinstance(value, str) and (found := as_boolean(value)) is not None:
            return found
        raise _wrong(where, "true or false", value)

    return check


def _integer(dialect: Dialect, where: str) -> Check:
    number = _number(dialect, where, "a whole number")

    def check(value: Any, ignored: list[str]) -> Any:
        found = number(value, ignored)
        if isinstance(found, float):
            if not found.is_integer():
                raise _wrong(where, "a whole number", value)
            return int(found)
        return found

    return check


def _decimal(dialect: Dialect, where: str) -> Check:
    return _number(dialect, where, "a number")


def _number(dialect: Dialect, where: str, wanted: str) -> Check:
    def check(value: Any, ignored: list[str]) -> Any:
        value = _loosened(value, dialect)
        if value is None:
            return None
        found = as_number(value) if isinstance(value, str) and dialect.numbers_as_text else value
        if isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found):
            return found
        raise _wrong(where, wanted, value)

    return check


def _date_time(dialect: Dialect, where: str) -> Check:
    def check(value: Any, ignored: list[str]) -> Any:
        value = _loosened(value, dialect)
        if value is not None and (not isinstance(value, str) or moment(value) is None):
            raise _wrong(where, "a date and time such as 2026-01-31T12:00:00Z", value)
        return value

    return check


def _binary(dialect: Dialect, where: str) -> Check:
    def check(value: Any, ignored: list[str]) -> Any:
        value = _loosened(value, dialect)
        if value is not None and (not isinstance(value, str) or not is_base64(value)):
            raise _wrong(where, "base64", value)
        return value

    return check


def _canonical(attribute: Attribute, check: Check, where: str) -> Check:
    exact = attribute.case_exact
    known = {value if exact else fold(value) for value in attribute.canonical_values}

    def canonical(value: Any, ignored: list[str]) -> Any:
        value = check(value, ignored)
        if isinstance(value, str) and (value if exact else fold(value)) not in known:
            raise InvalidValue(f"'{where}' must be one of {', '.join(attribute.canonical_values)}, not '{value:.50}'.")
        return value

    return canonical


# --- complex values and lists --------------------------------------------------------------------------------------


def _complex(attribute: Attribute, dialect: Dialect, where: str, *, partial: bool = False) -> Check:
    table: dict[str, tuple[str, Check | None]] = {}
    for key, sub in attribute.sub.items():
        check = None if sub.mutability == "readOnly" else compile_attribute(sub, dialect, f"{where}.{sub.name}")
        table[key] = table[sub.name] = (sub.name, check)
    for alias, name in dialect.attribute_aliases.items():
        owner, _, other = alias.partition(".")
        if owner == attribute.name.lower() and name.lower() in table:
            table.setdefault(other, table[name.lower()])
    required = [sub.name for sub in attribute.sub.values() if sub.required and sub.mutability != "readOnly"]
    from_json = attribute.name.lower() in dialect.json_in_value

    def check_element(value: Any, ignored: list[str]) -> Any:
        if value.__class__ is not dict:
            value = _as_element(value, attribute, dialect, where, unwrap=partial or not attribute.multi_valued)
            if value is None:
                return None
        if from_json:
            value = _opened(value)
        out = {}
        for key, item in value.items():
            entry = table.get(key) or table.get(key.lower())
            if entry is None:
                unknown(f"{where}.{key}", ignored, dialect)
                continue
            name, check = entry
            if check is not None:
                item = check(item, ignored)
                if item is not None or partial:
                    out[name] = item
        if partial:
            return out
        if not out:
            return None
        for name in required:
            if name not in out:
                raise InvalidValue(f"'{where}.{name}' is required.")
        return out

    return check_element


def _as_element(
    value: Any, attribute: Attribute, dialect: Dialect, where: str, *, unwrap: bool
) -> dict[str, Any] | None:
    """A complex value out of what clients send instead: a one-element list, or its ``value`` alone."""
    if unwrap and dialect.unwrap_single_element and isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or value == [] or (value == "" and dialect.empty_string_unsets):
        return None
    if isinstance(value, dict):
        return value
    if dialect.bare_complex_values and "value" in attribute.sub and isinstance(value, str | int):
        return {"value": value}
    raise _wrong(where, "an object", value)


def _opened(value: dict[str, Any]) -> dict[str, Any]:
    """The element that an element's ``value`` holds as JSON text; the element itself if it holds none."""
    text = value.get("value")
    if not isinstance(text, str) or not text.startswith("{"):
        return value
    try:
        inner = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return value
    return {key: item for key, item in value.items() if key != "value"} | inner if inner.get("value") else value


def _listed(attribute: Attribute, element: Check, dialect: Dialect, where: str) -> Check:
    def check_list(value: Any, ignored: list[str]) -> Any:
        if value.__class__ is not list:
            if value is None or (value == "" and dialect.empty_string_unsets):
                return None
            if not dialect.wrap_single_value:
                raise _wrong(where, "an array", value)
            value = [value]
        out = []
        for item in value:
            item = element(item, ignored)
            if item is not None:
                out.append(item)
        if len(out) > 1:
            out = without_duplicates(attribute, out)
            settle_primaries(attribute, out, dialect, where)
        return out or None

    return check_list


def without_duplicates(attribute: Attribute, elements: list[Any]) -> list[Any]:
    """The list with elements of the same (type, value) merged into the first; what comes later wins (RFC 7643 §2.4)."""
    found: dict[Any, Any] = {}
    for item in elements:
        key = identity(attribute, item)
        if key in found and isinstance(item, dict):
            found[key] = found[key] | item
        else:
            found.setdefault(key, item)
    return list(found.values()) if len(found) < len(elements) else elements


def identity(attribute: Attribute, element: Any) -> Any:
    """What makes two elements of a multi-valued attribute one: type and value; everything where there is no value."""
    if not isinstance(element, dict):
        return fold(element) if isinstance(element, str) and not attribute.case_exact else element
    value = element.get("value")
    if value is None:
        return frozenset((name, repr(item)) for name, item in element.items())
    if isinstance(value, str) and not attribute.sub["value"].case_exact:
        value = fold(value)
    return (value, fold(str(element.get("type", ""))))


def settle_primaries(attribute: Attribute, elements: list[Any], dialect: Dialect, where: str) -> None:
    """At most one element is primary: the first keeps it, or the dialect refuses a second (RFC 7643 section 2.4)."""
    if "primary" not in attribute.sub:
        return
    seen = False
    for item in elements:
        if item.get("primary") is True:
            if seen:
                if not dialect.extra_primaries_lose:
                    raise InvalidValue(f"'{where}' has more than one primary element.", hint="Mark at most one.")
                item["primary"] = False
            seen = True


# --- shared --------------------------------------------------------------------------------------------------------


def unknown(path: str, ignored: list[str], dialect: Dialect) -> None:
    """Note an attribute that no schema has, or refuse it."""
    if not dialect.unknown_attributes_ignored:
        raise InvalidSyntax(f"There is no attribute '{path:.200}'.", hint="/Schemas lists the attributes there are.")
    ignored.append(path)


def _loosened(value: Any, dialect: Dialect) -> Any:
    """The simple value inside ``[x]``, ``[{"value": x}]`` or ``{"value": x}``, where the dialect unwraps them.

    None for what is unassigned: null, [], and "" where the dialect says so.
    """
    if value == []:
        return None
    if dialect.unwrap_single_element:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict) and len(value) == 1:
            ((key, inner),) = value.items()
            if key.lower() == "value":
                value = inner
    return None if value == "" and dialect.empty_string_unsets else value


def _wrong(where: str, wanted: str, value: Any) -> InvalidValue:
    return InvalidValue(f"'{where}' must be {wanted}, not {json_kind(value)}{_shown(value)}.")


def _shown(value: Any) -> str:
    return f" '{value:.60}'" if isinstance(value, str) else f" {value}" if isinstance(value, int | float) else ""
