"""Every request of a certification, and its reply. Nothing leaves for an object that was not made here.

The recorder is a ``Transport`` around the real one: the engine, the client and the direct questions all go through it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import msgspec

from provisor.clock import Clock
from provisor.connector.exchange import BLACK, Exchange, Secret
from provisor.connector.transport import ConnectionLost, Request, Response, Transport, TransportError
from provisor.errors import Forbidden

_SEARCH = ".search"


class ForeignObject(Forbidden):
    """A request for an object that this certification did not make was held back."""


class Recorder:
    """Keeps exchanges in their order. ``made``: kind of resource (``Users``) -> ids that were created here."""

    def __init__(self, inner: Transport, root: str, token: str | None, clock: Clock) -> None:
        self.exchanges: list[Exchange] = []
        self.made: dict[str, dict[str, None]] = {"Users": {}, "Groups": {}}
        self.gone: set[tuple[str, str]] = set()
        # Ids that nobody has: to see what the endpoint says of them.
        self.invented: set[str] = set()
        self._lose: Callable[[Request], bool] | None = None
        self._inner = inner
        self._base = urlsplit(root).path.rstrip("/")
        self._secret = Secret(token)
        self._clock = clock

    def mark(self) -> int:
        """A place in the record, for ``since``."""
        return len(self.exchanges)

    def since(self, mark: int) -> list[Exchange]:
        """What was exchanged since."""
        return self.exchanges[mark:]

    def lose_reply(self, when: Callable[[Request], bool]) -> None:
        """The next reply to a request that ``when`` names gets lost on its way back; the endpoint has seen it."""
        self._lose = when

    def left(self, kind: str) -> list[str]:
        """Ids that were made here and not deleted since, the latest first."""
        return [id_ for id_ in reversed(self.made[kind]) if (kind, id_) not in self.gone]

    async def send(self, request: Request) -> Response:
        kind, id_ = self._names(request.url)
        if id_ and request.method not in ("GET", "HEAD") and not self._ours(kind, id_):
            raise ForeignObject(f"{request.method} of /{kind}/{id_} was held back: it was not made here.")
        began = self._clock.now_ms()
        try:
            response = await self._inner.send(request)
        except TransportError:
            self._keep(request, None, began)
            raise
        self._keep(request, response, began)
        self._remember(request, kind, id_, response)
        if self._lose is not None and self._lose(request):
            self._lose = None
            raise ConnectionLost("The connection broke off before the reply came.", may_have_arrived=True)
        return response

    async def close(self) -> None:
        await self._inner.close()

    def _ours(self, kind: str, id_: str) -> bool:
        return id_ in self.made.get(kind, ()) or id_ in self.invented

    def _names(self, url: str) -> tuple[str, str]:
        path = urlsplit(url).path.removeprefix(self._base)
        kind, _, id_ = path.strip("/").partition("/")
        return kind, "" if id_ == _SEARCH else unquote(id_)

    def _keep(self, request: Request, response: Response | None, began: int) -> None:
        shown = {
            name: f"Bearer {BLACK}" if name.lower() == "authorization" else value
            for name, value in request.headers.items()
        }
        took = self._clock.now_ms() - began
        self.exchanges.append(Exchange(request.method, request.url, shown, request.body, response, took, self._secret))

    def _remember(self, request: Request, kind: str, id_: str, response: Response) -> None:
        if request.method == "POST" and kind in self.made and not id_ and response.status in (200, 201):
            for new in _ids(response):
                self.made[kind][new] = None
        elif request.method == "DELETE" and kind in self.made and response.status in (200, 204, 404):
            self.gone.add((kind, id_))


def _ids(response: Response) -> list[str]:
    """The id of a new resource: in its body, and where there is none at the end of its address."""
    try:
        document = msgspec.json.decode(response.body)
    except msgspec.DecodeError:
        document = None
    found = document.get("id") if isinstance(document, dict) else None
    if isinstance(found, str | int) and not isinstance(found, bool) and found != "":
        return [str(found)]
    path = urlsplit(response.headers.get("Location", "")).path
    return list(itertools.islice((unquote(part) for part in reversed(path.split("/")) if part), 1))
