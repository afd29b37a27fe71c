"""OData, all query options of one request, parsed against the type of what is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from provisor.odata.errors import BadQuery, Unsupported
from provisor.odata.filters import parse_filter
from provisor.odata.search import Search, parse_search
from provisor.odata.tree import Node, Path, is_advanced
from provisor.odata.types import EntityType

MOST_EXPANDED = 20
_KNOWN = (
    "$filter",
    "$select",
    "$expand",
    "$orderby",
    "$top",
    "$skip",
    "$count",
    "$search",
    "$skiptoken",
    "$deltatoken",
    "$format",
)
TypeOf = Callable[[str], EntityType]


@dataclass(frozen=True, slots=True)
class Order:
    """One key of ``$orderby``."""

    path: Path
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Expand:
    """A link that is to be answered with what is behind it. ``select``: null is the default."""

    link: str
    select: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. ``select``: canonical names, null: the default. ``advanced``: ``ConsistencyLevel: eventual``
    was sent. ``skip_token`` and ``delta_token`` are as they were sent."""

    filter: Node | None = None
    select: tuple[str, ...] | None = None
    expand: tuple[Expand, ...] = ()
    orderby: tuple[Order, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    search: Search | None = None
    skip_token: str | None = None
    delta_token: str | None = None
    advanced: bool = False

    def require_advanced(self) -> None:
        """Raise ``Unsupported`` when this needs ``ConsistencyLevel: eventual`` and ``$count=true`` and lacks one.

        As Graph has it for directory objects (reference section 11.5).
        """
        if self.search is not None and not self.advanced:
            raise Unsupported(
                "Request with $search query parameter only works through MSGraph with a special request header: "
                "'ConsistencyLevel: eventual'"
            )
        needs = self.filter is not None and (bool(self.orderby) or is_advanced(self.filter))
        if needs and not (self.advanced and self.count):
            raise Unsupported(
                "Operator, function or sorting of this filter is not supported without the header 'ConsistencyLevel: "
                "eventual' and $count=true."
            )


def split_options(pairs: Sequence[tuple[str, str]], allowed: frozenset[str]) -> dict[str, str]:
    """Option -> text, names in lower case with their ``$``. Raises ``BadQuery`` for one that is unknown or not taken.

    The ``$`` may be missing, as in Graph.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        option = name.lower() if name.startswith("$") else f"${name.lower()}"
        if option not in _KNOWN:
            raise BadQuery(f"The query option '{name[:100]}' is unknown.", hint=f"There are {', '.join(_KNOWN)}.")
        if option not in allowed and option != "$format":
            taken = ", ".join(sorted(allowed)) or "none"
            raise Unsupported(f"The query option '{option}' is not supported here; supported: {taken}.")
        if option in found:
            raise BadQuery(f"Query option '{option}' was specified more than once, but it must be specified once.")
        found[option] = value
    if found.pop("$format", "json").lower().partition(";")[0] not in ("json", "application/json"):
        raise BadQuery("Answers are JSON only; $format cannot be anything else.")
    return found


def parse_options(
    given: Mapping[str, str], entity: EntityType, type_of: TypeOf, *, most: int = 999, advanced: bool = False
) -> Options:
    """The options. ``type_of``: the type behind a link. ``most``: the largest ``$top``. Raises ``BadQuery``."""
    text = given.get
    orderby = text("$orderby")
    search = text("$search")
    return Options(
        filter=None if (found := text("$filter")) is None else parse_filter(found, entity),
        select=None if (found := text("$select")) is None else parse_select(found, entity),
        expand=() if (found := text("$expand")) is None else _expand(found, entity, type_of),
        orderby=() if orderby is None else _orderby(orderby, entity),
        top=None if (found := text("$top")) is None else _number("$top", found, 1, most),
        skip=0 if (found := text("$skip")) is None else _number("$skip", found, 0, 10**9),
        count=(found := text("$count")) is not None and _flag("$count", found),
        search=None if search is None else parse_search(search, entity),
        skip_token=text("$skiptoken"),
        delta_token=text("$deltatoken"),
        advanced=advanced,
    )


def parse_select(text: str, entity: EntityType) -> tuple[str, ...] | None:
    """The names that are selected, each once; ``*`` is null. Raises ``BadQuery``, ``UnknownProperty``."""
    names = [name.strip() for name in text.split(",")]
    if not any(names):
        raise BadQuery("$select is empty.")
    if "*" in names:
        return None
    return tuple(dict.fromkeys(entity.canonical(name.partition("/")[0]) for name in names if name))


def _expand(text: str, entity: EntityType, type_of: TypeOf) -> tuple[Expand, ...]:
    made = []
    for part in _split(text):
        name, parenthesis, rest = part.partition("(")
        link = entity.canonical(name.strip())
        if link not in entity.links:
            raise BadQuery(f"'{link}' of 'microsoft.graph.{entity.name}' cannot be expanded: it is not a link.")
        select = None
        if parenthesis:
            if not rest.endswith(")"):
                raise BadQuery(f"A parenthesis is missing in $expand, at '{part[:100]}'.")
            select = _nested_select(rest[:-1], type_of(entity.links[link]))
        made.append(Expand(link, select))
    return tuple(made)


def _nested_select(text: str, entity: EntityType) -> tuple[str, ...] | None:
    select = None
    for option in filter(None, (one.strip() for one in text.split(";"))):
        name, equals, value = option.partition("=")
        match name.strip().lower().removeprefix("$"):
            case "select" if equals:
                select = parse_select(value, entity)
            case "levels" if value.strip() == "1":
                pass
            case _:
                raise Unsupported(f"Inside $expand only $select is supported, not '{option[:100]}'.")
    return select


def _split(text: str) -> list[str]:
    """At commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    found = [part.strip() for part in parts if part.strip()]
    if not found or len(found) > MOST_EXPANDED:
        raise BadQuery(f"$expand names 1 to {MOST_EXPANDED} links.")
    return found


def _orderby(text: str, entity: EntityType) -> tuple[Order, ...]:
    made = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(?P<path>[\w$./]+)(?:\s+(?P<way>asc|desc))?\s*", part, re.IGNORECASE)
        if found is None:
            raise BadQuery(f"Invalid $orderby: '{text[:200]}'.")
        made.append(Order(entity.path(found["path"].split("/")), (found["way"] or "").lower() == "desc"))
    return tuple(made)


def _number(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or not least <= int(text) <= most:
        raise BadQuery(f"Invalid value '{text[:50]}' for {name}: a whole number from {least} to {most} is expected.")
    return int(text)


def _flag(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise BadQuery(f"Invalid value '{text[:50]}' for {name}: true or false is expected.")
    return text.lower() == "true"
