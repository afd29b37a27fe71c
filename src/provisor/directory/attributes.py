"""Source of every flow: which attributes there are, whether values fit them, and how mappings name them. Pure.

The attributes are data, in ``attributes.toml``. ``source_values`` is what the engine evaluates mappings on.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from importlib.resources import files
from typing import Any, Literal

import msgspec

from provisor.clock import iso, parse_iso
from provisor.directory.model import Group, User
from provisor.directory.names import home_upn, upn_fault
from provisor.errors import InvalidInput

Get = Callable[[str], Any]

# A directory extension: the application that defined it, and its name.
_EXTENSION = re.compile(r"extension_[0-9a-fA-F]{32}_\w{1,200}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Fault(msgspec.Struct, frozen=True):
    """One attribute that is wrong, and why; the reason continues a sentence that begins with the attribute's name."""

    attribute: str
    reason: str


class InvalidAttributes(InvalidInput):
    """Some attributes cannot be used."""

    def __init__(self, faults: list[Fault], *, hint: str | None = None) -> None:
        text = "; ".join(f"{fault.attribute} {fault.reason}" for fault in faults)
        super().__init__(text if text.endswith("?") else f"{text}.", hint=hint)
        self.faults = faults


class _MisfitError(Exception):
    """The value does not fit; the message is a fault's reason."""


class Attribute(msgspec.Struct, frozen=True, dict=True):
    """One row of ``attributes.toml``; its fields are explained there."""

    name: str
    type: Literal["text", "upn", "flag", "moment", "texts", "record"]
    max: int | None = None
    items: int | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    says: str = ""
    parts: tuple[str, ...] = ()
    required: bool = False
    computed: bool = False

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return re.compile(self.pattern) if self.pattern else None

    @cached_property
    def _choices(self) -> dict[str, str]:
        return {choice.lower(): choice for choice in self.choices}

    def fitted(self, value: object) -> Any:
        """``value`` as it is stored; null, an empty list and a blank text all mean that the attribute is not set."""
        if value is None:
            return None
        match self.type:
            case "text":
                return self._text(value)
            case "upn":
                return self._upn(value)
            case "flag":
                if not isinstance(value, bool):
                    raise _MisfitError(f"is true or false, not {_kind(value)}")
                return value
            case "moment":
                return self._moment(value)
            case "texts":
                return self._texts(value)
            case "record":
                return self._record(value)

    def _text(self, value: object) -> str | None:
        if not isinstance(value, str):
            raise _MisfitError(f"is a text, not {_kind(value)}")
        if not value or value.isspace():
            return None
        if _UNSTORABLE.search(value):
            raise _MisfitError("contains a character that no text can hold (NUL or half of a surrogate pair)")
        if self.max is not None and len(value) > self.max:
            raise _MisfitError(f"has {len(value)} characters, {self.max} are allowed")
        if self._choices:
            if (choice := self._choices.get(value.lower())) is None:
                raise _MisfitError(f"is one of {', '.join(self.choices)}, not {value!r}")
            return choice
        if self._pattern and not self._pattern.fullmatch(value):
            raise _MisfitError(f"is {self.says}, not {value!r}")
        return value

    def _upn(self, value: object) -> str | None:
        text = self._text(value)
        if text is not None and (reason := upn_fault(text)):
            raise _MisfitError(f"cannot be {text!r}: {reason}")
        return text

    def _moment(self, value: object) -> str | None:
        if (text := self._text(value)) is None:
            return None
        try:
            return iso(parse_iso(text))
        except ValueError as error:
            raise _MisfitError(f"is a moment such as 2026-01-31T08:00:00Z, not {value!r}") from error

    def _texts(self, value: object) -> list[str] | None:
        if not isinstance(value, (list, tuple)):
            raise _MisfitError(f"is a list of texts, not {_kind(value)}")
        if self.items is not None and len(value) > self.items:
            raise _MisfitError(f"has {len(value)} values, {self.items} may be given")
        return [text for item in value if (text := self._text(item)) is not None] or None

    def _record(self, value: object) -> dict[str, str | None]:
        if not isinstance(value, Mapping):
            raise _MisfitError(f"is an object, not {_kind(value)}")
        if unknown := sorted(str(part) for part in value if part not in self.parts):
            raise _MisfitError(f"has no part {unknown[0]!r}")
        return {part: None if value[part] is None else self._text(value[part]) for part in self.parts if part in value}


class ObjectType:
    """The attributes of users, or of groups."""

    def __init__(self, noun: str, attributes: Iterable[Attribute], aliases: Mapping[str, str]) -> None:
        self.noun = noun
        self.attributes = {attribute.name: attribute for attribute in attributes}
        self._aliases = aliases
        self._required = tuple(a.name for a in self.attributes.values() if a.required)

    def checked(self, attributes: Mapping[str, Any], *, creating: bool = False) -> dict[str, Any]:
        """The attributes as they are stored, null where one is to be removed.

        With ``creating``, what is required must be there. Raises ``InvalidAttributes`` with every fault at once.
        """
        fitted: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, value in attributes.items():
            try:
                fitted[name] = self._fitted(name, value)
            except _MisfitError as misfit:
                faults.append(Fault(name, str(misfit)))
        wrong = {fault.attribute for fault in faults}
        faults += [
            Fault(name, f"is required of a {self.noun}")
            for name in self._required
            if name not in wrong and fitted.get(name) is None and (creating or name in fitted)
        ]
        if faults:
            raise InvalidAttributes(faults)
        return fitted

    def _fitted(self, name: str, value: object) -> Any:
        attribute = self.attributes.get(name)
        if attribute is None:
            if is_extension(name):
                return _extension_value(value)
            raise _MisfitError(f"is not an attribute of a {self.noun}{self.suggestion(name)}")
        if attribute.computed:
            raise _MisfitError("is given by the directory and cannot be set")
        return attribute.fitted(value)

    def merged(self, before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """``before`` with checked ``changes``: what is null is gone; of a record the parts that are not named stay."""
        after = {**before, **changes}
        for name in changes:
            attribute = self.attributes.get(name)
            if attribute is not None and attribute.type == "record" and changes[name] is not None:
                parts = {**before.get(name, {}), **changes[name]}
                after[name] = {part: parts[part] for part in attribute.parts if parts.get(part) is not None} or None
        return {name: value for name, value in after.items() if value is not None}

    def suggestion(self, name: str) -> str:
        """``; did you mean …?`` with the attribute whose name is nearest, or nothing."""
        if name in self._aliases:
            return f"; did you mean {self._aliases[name]}?"
        folded = {known.lower(): known for known in self.attributes}
        near = get_close_matches(name.lower(), folded, n=1)
        return f"; did you mean {folded[near[0]]}?" if near else ""


def is_extension(name: str) -> bool:
    """Whether this names a directory extension, ``extension_{32 hex digits of an app id}_{name}``; any may be set."""
    return _EXTENSION.fullmatch(name) is not None


def _kind(value: object) -> str:
    kinds = {
        str: "a text",
        bool: "a truth value",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(value), type(value).__name__)


def _extension_value(value: object) -> Any:
    values = value if isinstance(value, list) else [value]
    for item in values:
        if not isinstance(item, (str, bool, int, type(None))):
            raise _MisfitError(f"is a text, number, truth value or a list of them, not {_kind(item)}")
        if isinstance(item, str) and _UNSTORABLE.search(item):
            raise _MisfitError("contains a character that no text can hold (NUL or half of a surrogate pair)")
    return None if value in ("", []) else value


def _load() -> tuple[ObjectType, ObjectType, dict[str, str]]:
    tables = tomllib.loads(files("provisor.directory").joinpath("attributes.toml").read_text("utf-8"))
    rows = {
        kind: [msgspec.convert({"name": name, **row}, Attribute) for name, row in tables[kind].items()]
        for kind in ("user", "group")
    }
    return ObjectType("user", rows["user"], tables["source"]), ObjectType("group", rows["group"], {}), tables["source"]


USER, GROUP, SOURCE_ALIASES = _load()
EXTENSION_ATTRIBUTES = USER.attributes["onPremisesExtensionAttributes"].parts


def _reader_of_alias(graph_name: str) -> Callable[[User], Any]:
    if USER.attributes[graph_name].type == "texts":
        return lambda user: next(iter(user.attributes.get(graph_name, ())), None)
    return lambda user: user.attributes.get(graph_name)


def _reader_of_part(record: str, part: str) -> Callable[[User], Any]:
    return lambda user: user.attributes.get(record, {}).get(part)


# Names that a mapping may use and that are not simply an attribute of that name.
_USER_READERS: dict[str, Callable[[User], Any]] = {
    "objectId": lambda user: user.id,
    "id": lambda user: user.id,
    "userPrincipalName": lambda user: home_upn(user.user_principal_name),
    "originalUserPrincipalName": lambda user: user.user_principal_name,
    "manager": lambda user: user.manager_id,
    **{name: _reader_of_alias(graph_name) for name, graph_name in SOURCE_ALIASES.items()},
    **{part: _reader_of_part("onPremisesExtensionAttributes", part) for part in EXTENSION_ATTRIBUTES},
}


def source_values(user: User) -> Get:
    """The user's values by the names that mappings use, null where there is none (reference section 8.6).

    Lists are lists of text; ``manager`` is the manager's id. ``IsSoftDeleted`` and ``appRoleAssignments`` depend on the
    job and are not here. Costs nothing until a name is asked for.
    """
    attributes = user.attributes

    def get(name: str) -> Any:
        reader = _USER_READERS.get(name)
        return attributes.get(name) if reader is None else reader(user)

    return get


def group_source_values(group: Group) -> Get:
    """The same of a group; ``members`` is not here."""

    def get(name: str) -> Any:
        return group.id if name in ("objectId", "id") else group.attributes.get(name)

    return get


def is_user_source(name: str) -> bool:
    """Whether a mapping of users may read this name, apart from the names that depend on the job."""
    return name in _USER_READERS or name in USER.attributes or is_extension(name)


def is_group_source(name: str) -> bool:
    """The same of groups."""
    return name in ("objectId", "members") or name in GROUP.attributes or is_extension(name)
