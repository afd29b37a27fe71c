"""App side, step 2: where in a list a page begins, remembered from the pages before it.

SCIM's pages are by number, and counting rows off costs 35 ms at 100,000. Who walks through a list asks for the page
after the one just read: so the id at which a page ended is remembered, and only the rest is counted off from there.
"""

from __future__ import annotations

from bisect import bisect_right, insort

_LIFE_MS = 60_000  # within a walk; later, what was deleted meanwhile would shift the list too far
_LISTS = 256
_POSITIONS = 4_096


class Anchors:
    """``(company, type)`` -> position (0-based) -> the id just before it, for a minute, in this process."""

    def __init__(self) -> None:
        self._lists: dict[tuple[str, str], _List] = {}

    def nearest(self, company_id: str, kind: str, position: int, now: int) -> tuple[int, str] | None:
        """The last remembered position up to ``position``, and the id before it."""
        known = self._lists.get((company_id, kind))
        return known.nearest(position, now) if known is not None else None

    def remember(self, company_id: str, kind: str, position: int, last_id: str, now: int) -> None:
        """A page ended with ``last_id`` just before ``position``."""
        if (company_id, kind) not in self._lists and len(self._lists) >= _LISTS:
            del self._lists[next(iter(self._lists))]
        self._lists.setdefault((company_id, kind), _List()).remember(position, last_id, now)


class _List:
    def __init__(self) -> None:
        self._positions: list[int] = []
        self._known: dict[int, tuple[str, int]] = {}

    def nearest(self, position: int, now: int) -> tuple[int, str] | None:
        at = bisect_right(self._positions, position) - 1
        if at < 0:
            return None
        found = self._positions[at]
        last_id, since = self._known[found]
        if now - since < _LIFE_MS:
            return found, last_id
        # Those around it are as old or older: a walk remembers them in order.
        self._positions.clear()
        self._known.clear()
        return None

    def remember(self, position: int, last_id: str, now: int) -> None:
        if position not in self._known:
            if len(self._positions) >= _POSITIONS:
                self._known.pop(self._positions.pop(0))
            insort(self._positions, position)
        self._known[position] = (last_id, now)
