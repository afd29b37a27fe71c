"""Step export, on the way back: what a good reply holds. Every shape is looked at before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from provisor.connector.errors import INCOMPATIBLE_FILTERING, BadAnswer, bad_answer
from provisor.connector.exchange import Exchange
from provisor.connector.paths import flatten, parse_path, read, read_all

_decode = msgspec.json.Decoder().decode


class TargetObject:
    """An object as the target shows it. ``raw`` is its document, ``exchange`` the reply that it came in."""

    __slots__ = ("_values", "exchange", "id", "raw")

    def __init__(self, id_: str, raw: dict[str, Any], exchange: Exchange) -> None:
        self.id = id_
        self.raw = raw
        self.exchange = exchange
        self._values: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"TargetObject({self.id!r})"

    @property
    def values(self) -> dict[str, Any]:
        """Target attribute path -> value, spelled as the target does; to look one up, ``get`` is the surer way."""
        if self._values is None:
            self._values = flatten(self.raw)
        return self._values

    def get(self, path: str) -> Any:
        """The value at a target attribute path, in whatever case it is spelled, or null. Raises ``InvalidInput``."""
        return read(self.raw, parse_path(path))


class Page(NamedTuple):
    """One page of a list. ``total`` counts all matches; null where the target does not say."""

    total: int | None
    objects: list[TargetObject]


def page(exchange: Exchange, what: str) -> Page:
    """The page that a ListResponse holds (RFC 7644 section 3.4.2). Raises ``BadAnswer``."""
    document = _document(exchange, what)
    names = {name.lower(): name for name in document}
    resources = document.get(names.get("resources", ""))
    total = document.get(names.get("totalresults", ""))
    if resources is None and total is None:
        raise bad_answer(exchange, f"{what}: the reply is JSON, but not a ListResponse.")
    if not isinstance(resources or [], list):
        raise bad_answer(exchange, f"{what}: Resources is not a list.")
    if isinstance(total, bool) or not isinstance(total, int):
        total = int(total) if isinstance(total, str) and total.isdecimal() else None
    if total and not resources and "startIndex=" not in exchange.url:
        raise bad_answer(exchange, f"{what}: the reply counts {total} objects and shows none.")
    return Page(total, [_object(item, exchange, what) for item in resources or []])


def resource(exchange: Exchange, what: str) -> TargetObject:
    """The one object of a reply. Raises ``BadAnswer``."""
    return _object(_document(exchange, what), exchange, what)


def created(exchange: Exchange, what: str) -> TargetObject:
    """The new object. A reply without a body still has its address, which ends in the id (RFC 7644 section 3.3)."""
    response = exchange.response
    if response is not None and not response.body.strip():
        path = urlsplit(response.headers.get("Location", "")).path
        if id_ := unquote(path.rstrip("/").rpartition("/")[2]):
            return TargetObject(id_, {"id": id_}, exchange)
        raise bad_answer(exchange, f"{what}: the reply is empty, so nobody knows the new object's id.")
    return resource(exchange, what)


def changed(exchange: Exchange, what: str) -> TargetObject | None:
    """The object after a PATCH, null where the reply has no body (204) or one that is no resource."""
    if exchange.response is None or not exchange.response.body.strip():
        return None
    try:
        return resource(exchange, what)
    except BadAnswer:
        # The status says that it is done; what else the target tells makes no difference.
        return None


def require_matches(found: Sequence[TargetObject], attribute: str, value: Any, exchange: Exchange) -> None:
    """Raise ``BadAnswer`` if the reply to a search holds an object that shows another value than the wanted one."""
    path = parse_path(attribute)
    wanted = _folded(value)
    for item in found:
        shown = list(read_all(item.raw, path))
        if not shown or any(_shows(one, wanted) for one in shown):
            continue
        raise bad_answer(
            exchange,
            f"The search for {attribute} {value!r} brought an object with {shown[0]!r}: the target ignores the filter.",
            hint="Match by an attribute that the target can search for.",
            code=INCOMPATIBLE_FILTERING,
        )


def _shows(value: Any, wanted: str) -> bool:
    # What is not a simple value is the target's own affair.
    return isinstance(value, list | dict) or _folded(value) == wanted


def _folded(value: Any) -> str:
    return str(value).strip().casefold()


def schemas(exchange: Exchange, what: str) -> list[Any]:
    """The resources of ``/Schemas``: a ListResponse, or a bare array, which some targets give. Raises ``BadAnswer``."""
    body = exchange.response.body if exchange.response else b""
    if body.lstrip()[:1] == b"[":
        try:
            found: list[Any] = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise bad_answer(exchange, f"{what}: the reply is not JSON.") from error
        return found
    resources = _document(exchange, what).get("Resources")
    if not isinstance(resources, list):
        raise bad_answer(exchange, f"{what}: the reply has no Resources.")
    return resources


def _document(exchange: Exchange, what: str) -> dict[str, Any]:
    body = exchange.response.body if exchange.response else b""
    if not body.strip():
        raise bad_answer(exchange, f"{what}: the reply is empty.")
    try:
        document = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = "an HTML page" if _is_html(exchange) else "not JSON"
        raise bad_answer(exchange, f"{what}: the reply is {kind}.") from error
    if not isinstance(document, dict):
        raise bad_answer(exchange, f"{what}: the reply is JSON, but not an object.")
    return document


def _object(item: Any, exchange: Exchange, what: str) -> TargetObject:
    id_ = item.get("id") if isinstance(item, dict) else None
    if isinstance(id_, int) and not isinstance(id_, bool):
        id_ = str(id_)  # some targets number their objects
    if not isinstance(id_, str) or not id_:
        raise bad_answer(exchange, f"{what}: the reply holds an object without an id.")
    return TargetObject(id_, item, exchange)


def _is_html(exchange: Exchange) -> bool:
    response = exchange.response
    if response is None:
        return False
    return "html" in response.headers.get("Content-Type", "").lower() or response.body.lstrip()[:1] == b"<"
