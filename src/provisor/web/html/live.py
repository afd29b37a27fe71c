"""Pages: parts that follow what happens, as server-sent events, until the reader leaves or the server ends.

An event's data is a piece of a page; the script puts it into the element that asked (``data-live="ADDRESS"``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

from provisor.web.html.headers import SHARED

# Proxies close what is silent for a minute.
_SILENCE = 20.0


class Closing:
    """Says that the server ends, so that what would go on for ever does not."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def close(self) -> None:
        """From now on every stream ends."""
        self._event.set()

    @property
    def closed(self) -> bool:
        """Whether it was said."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Return once it is said."""
        await self._event.wait()


def events(pieces: AsyncIterator[str], closing: Closing) -> StreamingResponse:
    """``pieces`` of HTML as an event stream. After the last one the browser is told not to come back."""
    return StreamingResponse(
        _stream(pieces, closing),
        media_type="text/event-stream",
        headers={**SHARED, "cache-control": "no-store", "x-accel-buffering": "no"},
    )


def event(data: str, name: str = "message") -> str:
    """One event on the wire."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n"


async def _stream(pieces: AsyncIterator[str], closing: Closing) -> AsyncIterator[str]:
    ends = asyncio.ensure_future(closing.wait())
    coming: asyncio.Future[str | None] | None = None
    try:
        while not closing.closed:
            if coming is None:
                coming = asyncio.ensure_future(_next(pieces))
            done, _ = await asyncio.wait((ends, coming), timeout=_SILENCE, return_when=asyncio.FIRST_COMPLETED)
            if coming in done:
                found = coming.result()
                coming = None
                if found is None:
                    yield event("", "end")
                    return
                yield event(found)
            elif not done:
                yield ": still here\n\n"
    finally:
        ends.cancel()
        if coming is not None:
            coming.cancel()


async def _next(pieces: AsyncIterator[str]) -> str | None:
    return await anext(pieces, None)
