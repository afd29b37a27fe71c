"""Floor 1, first and last step: the envelopes of requests and answers, and ETags (RFC 7644 sections 3, 3.14, 8.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisor.scim.errors import ERROR_URN, InvalidSyntax, InvalidValue

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
ERROR = ERROR_URN

MEDIA_TYPE = "application/scim+json"


def folded_keys(body: object, what: str) -> dict[str, Any]:
    """The message's members under lower-cased names, since SCIM's names have no case.

    Raises ``InvalidSyntax`` when ``body`` is no JSON object; ``what`` names the message in the error.
    """
    if not isinstance(body, Mapping):
        raise InvalidSyntax(f"{what} must be a JSON object, not {json_kind(body)}.")
    return {key.lower(): value for key, value in body.items()}


def json_kind(value: object) -> str:
    """What JSON calls this value, with its article, for error messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an object" if isinstance(value, Mapping) else "an array"


# --- lists ---------------------------------------------------------------------------------------------------------


def list_response(
    resources: Sequence[Mapping[str, Any]],
    *,
    total: int | None,
    start_index: int | None = 1,
    next_cursor: str | None = None,
    previous_cursor: str | None = None,
) -> dict[str, Any]:
    """A page (RFC 7644 section 3.4.2, RFC 9865 section 2).

    ``total`` counts every match (None: left out, which only cursor pages may do), ``start_index`` counts from 1 and
    is None for cursor pages. ``Resources`` is there also when it is empty: Entra needs it.
    """
    answer: dict[str, Any] = {"schemas": [LIST_RESPONSE]}
    if total is not None:
        answer["totalResults"] = total
    if start_index is not None:
        answer["startIndex"] = start_index
    answer["itemsPerPage"] = len(resources)
    if next_cursor is not None:
        answer["nextCursor"] = next_cursor
    if previous_cursor is not None:
        answer["previousCursor"] = previous_cursor
    answer["Resources"] = list(resources)
    return answer


# --- searches ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a search asks for, from a query string or a ``.search`` body (RFC 7644 section 3.4.3).

    ``attributes`` and ``excluded_attributes`` are None when not given. ``start_index`` is at least 1, ``count`` at
    least 0 or None for the server's own page size. ``cursor`` is None without cursor paging, "" for its first page.
    """

    filter: str | None = None
    sort_by: str | None = None
    descending: bool = False
    start_index: int = 1
    count: int | None = None
    cursor: str | None = None
    attributes: tuple[str, ...] | None = None
    excluded_attributes: tuple[str, ...] | None = None


def parse_search(parameters: Mapping[str, Any]) -> SearchRequest:
    """Read a search from query parameters (all strings) or from a ``.search`` body (JSON types).

    Names have no case; unknown ones are ignored (``?aadOptscim062020``). A ``startIndex`` under 1 counts as 1 and a
    negative ``count`` as 0 (RFC 7644 section 3.4.2.4). Raises ``InvalidValue`` for a number that is none or a
    ``sortOrder`` that is neither ascending nor descending, ``InvalidSyntax`` for a body that is no object.
    """
    given = folded_keys(parameters, "A search")
    order = _text(given, "sortOrder")
    if order is not None and order.lower() not in ("", "ascending", "descending"):
        raise InvalidValue(f"sortOrder must be ascending or descending, not '{order}'.")
    count = _number(given, "count")
    start = _number(given, "startIndex")
    return SearchRequest(
        filter=_text(given, "filter") or None,
        sort_by=_text(given, "sortBy") or None,
        descending=order is not None and order.lower() == "descending",
        start_index=max(1, start) if start is not None else 1,
        count=max(0, count) if count is not None else None,
        cursor=_text(given, "cursor"),
        attributes=name_list(given.get("attributes"), "attributes"),
        excluded_attributes=name_list(given.get("excludedattributes"), "excludedAttributes"),
    )


def name_list(value: object, what: str) -> tuple[str, ...] | None:
    """Attribute names out of a comma list or an array of them; None when nothing is named."""
    if value is None:
        return None
    if isinstance(value, str):
        parts: Iterable[object] = (value,)
    elif isinstance(value, list | tuple):
        parts = value
    else:
        raise InvalidValue(f"{what} must be names separated by commas, or an array of names.")
    names: list[str] = []
    for part in parts:
        if not isinstance(part, str):
            raise InvalidValue(f"{what} must be an array of names, but holds {json_kind(part)}.")
        names += [name for piece in part.split(",") if (name := piece.strip())]
    return tuple(names) or None


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name.lower())
    if value is not None and not isinstance(value, str):
        raise InvalidValue(f"{name} must be a string, not {json_kind(value)}.")
    return value


def _number(given: Mapping[str, Any], name: str) -> int | None:
    value = given.get(name.lower())
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    # int() also takes "1_0" and digits of other scripts, and very long ones cost quadratic time.
    if isinstance(value, str) and len(value) < 19 and value.strip().removeprefix("-").isascii():
        digits = value.strip().removeprefix("-")
        if digits.isdigit():
            return int(value)
    raise InvalidValue(f"{name} must be a whole number, not '{value}'.")


# --- PATCH and Bulk ------------------------------------------------------------------------------------------------


def patch_body(operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The body of a PATCH (RFC 7644 section 3.5.2)."""
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def bulk_body(operations: Sequence[Mapping[str, Any]], fail_on_errors: int | None = None) -> dict[str, Any]:
    """The body of a bulk request (RFC 7644 section 3.7)."""
    body: dict[str, Any] = {"schemas": [BULK_REQUEST]}
    if fail_on_errors is not None:
        body["failOnErrors"] = fail_on_errors
    body["Operations"] = list(operations)
    return body


def bulk_response(operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The answer to a bulk request (RFC 7644 section 3.7.3); each operation has ``status`` as a string."""
    return {"schemas": [BULK_RESPONSE], "Operations": list(operations)}


# --- ETags ---------------------------------------------------------------------------------------------------------


def etag(version: int | str) -> str:
    """The weak entity tag of a version number: what ``meta.version`` and the ETag header say."""
    return f'W/"{version}"'


def etag_matches(header: str, current: str) -> bool:
    """Whether an ``If-Match`` or ``If-None-Match`` header names the current tag.

    The comparison is the weak one (RFC 9110 section 8.8.3.2): ``W/"3"`` and ``"3"`` are the same version. ``*`` names
    every tag. Clients that drop the quotes are understood.
    """
    if header.strip() == "*":
        return True
    wanted = _opaque(current)
    return any(_opaque(tag) == wanted for tag in header.split(","))


def _opaque(tag: str) -> str:
    return tag.strip().removeprefix("W/").removeprefix("w/").strip('"')
