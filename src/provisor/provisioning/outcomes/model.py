"""After a cycle, its nouns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object in one cycle: one of the rows that a count is made of.

    ``action`` is one of ``model.Action``; ``reason``: a skip reason or an error code. ``entry``: the log's, null when
    it is not kept any more (outcomes and entries do not go at the same moment).
    """

    source_id: str
    kind: str
    action: str
    reason: str | None
    entry: Mapping[str, Any] | None
