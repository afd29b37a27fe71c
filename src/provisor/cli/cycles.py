"""Cycles for people: the balance of the counts, and why something was skipped or failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provisor.cli.output import plain, table
from provisor.cli.working import MOST_TOLD, seconds

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from provisor.provisioning.model import Cycle

BALANCE = (
    ("created", "created"),
    ("updated", "updated"),
    ("disabled", "disabled"),
    ("deleted", "deleted"),
    ("unchanged", "unchanged"),
    ("waiting", "waiting"),
    ("failed", "failed"),
    ("skipped", "skipped"),
)
_MOST_REASONS = 20


def balance(cycles: Sequence[Cycle]) -> Table:
    """One row a cycle; columns that are zero throughout are left out, but for the first three and ``failed``."""
    counts = [cycle.counts or {} for cycle in cycles]
    shown = [
        (key, name)
        for key, name in BALANCE
        if key in ("created", "updated", "disabled", "failed") or any(one.get(key) for one in counts)
    ]
    rows = [
        (
            f"{cycle.kind} cycle",
            one.get("considered", 0),
            *(one.get(key, 0) for key, _ in shown),
            f"{seconds(cycle) or 0:.2f} s",
        )
        for cycle, one in zip(cycles, counts, strict=True)
    ]
    made = table(("", "looked at", *(name for _, name in shown), "took"), rows)
    for column in made.columns[1:]:
        column.justify = "right"
    return made


def reasons(entries: Sequence[Mapping[str, Any]]) -> Iterable[RenderableType]:
    """Why objects failed, wait or were skipped: one line for each distinct reason, with who it was.

    ``entries``: at most ``MOST_TOLD`` of each status and cycle; where there may be more, the line says "at least".
    """
    told = Counter(entry["provisioningStatusInfo"]["status"] for entry in entries)
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for entry in entries:
        status = entry["provisioningStatusInfo"]
        information = status.get("errorInformation") or {}
        why = information.get("reason") or entry["provisioningSteps"][-1]["description"]
        key = (status["status"], information.get("errorCode") or "", why)
        names = grouped.setdefault(key, [])
        if (name := entry["sourceIdentity"]["displayName"]) not in names:
            names.append(name)
    words = {"failure": "Failed", "warning": "Waiting", "skipped": "Skipped"}
    # The log calls these skipped; the balance has them as unchanged, for there was nothing to send, and as waiting.
    known = {"RedundantExport": "Unchanged", "StagedDelete": "Held", "Held": "Held"}
    for (status, code, why), names in list(grouped.items())[:_MOST_REASONS]:
        at_least = "at least " if told[status] >= MOST_TOLD else ""
        who = ", ".join(names[:4]) + (f" and {at_least}{len(names) - 4} more" if len(names) > 4 else "")
        yield plain(f"{known.get(code) or words.get(status, status)} ({code}): {who}: {why}")
    if len(grouped) > _MOST_REASONS:
        yield f"… and {len(grouped) - _MOST_REASONS} more reasons: see 'provisor job logs'."


def cause(cycle: Cycle, app: str) -> str:
    """Why a cycle was broken off, and on whose credential. Empty when it was not."""
    if cycle.error is None:
        return ""
    return f"The {cycle.kind.lower()} cycle of {app} was broken off ({cycle.error['code']}). {cycle.error['message']}"
