"""Graph face, last step: entities and collections in OData's envelope (reference section 1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from provisor.odata.evaluate import Exact, matches, nowhere, value_at
from provisor.odata.options import Options
from provisor.odata.types import EntityType
from provisor.web.graph.http import TEXT, Answer, Request
from provisor.web.graph.links import Tokens, bound, context, next_link

Document = dict[str, Any]
_encode = msgspec.json.encode
DEFAULT_PAGE = 100


def no_content() -> Answer:
    """Done, and nothing to say."""
    return Answer(204)


def document(body: Mapping[str, Any], status: int = 200) -> Answer:
    """Any JSON object."""
    return Answer(status, _encode(body))


def entity(
    request: Request, name: str, found: Mapping[str, Any], options: Options | None = None, *, status: int = 200
) -> Answer:
    """One entity. ``name``: of its collection in the context, as in ``users``."""
    options = options or Options()
    where = context(request, name, options.select, options.expand, entity=True)
    return document({"@odata.context": where, **found}, status)


def created(request: Request, name: str, found: Mapping[str, Any], path: str) -> Answer:
    """201 with what was made, and its address; ``Prefer: return=minimal`` leaves the entity away."""
    headers = {"location": f"{request.base}{path}"}
    if request.prefers("return=minimal"):
        applied = {"preference-applied": "return=minimal", "odata-entityid": headers["location"]}
        return Answer(204, headers={**headers, **applied})
    answer = entity(request, name, found, status=201)
    answer.headers |= headers
    return answer


def updated(request: Request, name: str, found: Mapping[str, Any]) -> Answer:
    """204, or with ``Prefer: return=representation`` 200 and the entity."""
    if not request.prefers("return=representation"):
        return no_content()
    answer = entity(request, name, found)
    answer.headers["preference-applied"] = "return=representation"
    return answer


def number(count: int) -> Answer:
    """The answer of ``/$count``."""
    return Answer(200, str(count).encode(), media=TEXT)


def with_links(found: Mapping[str, Any], options: Options, kind: EntityType, *links: str) -> Document:
    """The same, and these links in place wherever nothing was selected, or they were."""
    shown = selected(found, options, kind)
    for link in links:
        if options.select is None or link in options.select:
            shown[link] = found.get(link)
    return shown


def selected(found: Mapping[str, Any], options: Options, kind: EntityType) -> Document:
    """What of a whole document is shown: what was selected, or the type's default; what is expanded as well."""
    shown = projected(found, options.select, kind)
    for one in options.expand:
        shown[one.link] = found.get(one.link)
    return shown


def projected(found: Mapping[str, Any], select: Sequence[str] | None, kind: EntityType) -> Document:
    """The properties that were selected, or the type's default; a list that is not set is empty."""
    get = found.get
    return {name: get(name, unset) for name, unset in columns(kind, select)}


def columns(kind: EntityType, select: Sequence[str] | None) -> list[tuple[str, Any]]:
    """The properties that are shown, each with what stands where it is not set."""
    names = kind.default if select is None else select
    return [(name, _unset(kind, name)) for name in names if name not in kind.links]


def _unset(kind: EntityType, name: str) -> Any:
    known = kind.properties.get(name)
    return [] if known is not None and known.kind in ("texts", "records") else None


class _Offset(msgspec.Struct, array_like=True):
    at: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is short enough to be whole in memory: filtered, ordered, cut into pages and projected here."""

    request: Request
    name: str
    kind: EntityType
    tokens: Tokens
    exact: Exact = nowhere
    in_place: Sequence[str] = ()

    def answer(self, found: Sequence[Document], *, most: int = 999, page: int = DEFAULT_PAGE) -> Answer:
        """The page that was asked for of these whole documents."""
        options = self.request.options(self.kind, most=most)
        kept = self._ordered(self._kept(found, options), options)
        at = options.skip
        if options.skip_token is not None:
            at = self.tokens.open(options.skip_token, _Offset, bound(self.request)).at
        end = at + (page if options.top is None else options.top)
        body: Document = {"@odata.context": context(self.request, self.name, options.select, options.expand)}
        if options.count:
            body["@odata.count"] = len(kept)
        if end < len(kept):
            token = self.tokens.seal(_Offset(end), bound(self.request))
            body["@odata.nextLink"] = next_link(self.request, token)
        body["value"] = [with_links(one, options, self.kind, *self.in_place) for one in kept[at:end]]
        return document(body)

    def count(self, found: Sequence[Document]) -> Answer:
        """How many there are, for ``/$count``."""
        return number(len(self._kept(found, self.request.options(self.kind))))

    def _kept(self, found: Sequence[Document], options: Options) -> list[Document]:
        node, search = options.filter, options.search
        return [
            one
            for one in found
            if (node is None or matches(node, one, self.exact)) and (search is None or search.found_in(one))
        ]

    def _ordered(self, found: list[Document], options: Options) -> list[Document]:
        for order in reversed(options.orderby):
            found = sorted(found, key=lambda one: _sort_key(value_at(one, order.path)), reverse=order.descending)
        return found


def _sort_key(value: Any) -> tuple[int, Any]:
    """Null first, then numbers, then texts without case."""
    if isinstance(value, (int, float)):
        return 1, value
    return (2, value.casefold()) if isinstance(value, str) else (0, 0)


async def streamed(head: Document, values: AsyncIterator[bytes], tail: Callable[[], Document]) -> AsyncIterator[bytes]:
    """A collection in pieces: ``head``, the values as they come (each several, parted by commas), and ``tail`` last."""
    opening = _encode(head)
    yield opening[:-1] + (b"," if len(head) else b"") + b'"value":['
    first = True
    async for piece in values:
        if piece:
            yield piece if first else b"," + piece
            first = False
    closing = _encode(tail())
    yield b"]}" if closing == b"{}" else b"]," + closing[1:]
