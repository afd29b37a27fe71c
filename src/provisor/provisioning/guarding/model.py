"""Step guard: how much is too much. Values and pure decisions.

Two questions, each about one wave (all that one cycle wants of a kind, counted before the first of it is sent):

* **deletions**: deletes and disables. Counted with those that were carried out within the last 24 hours, whatever cycle
  or lane did them, since changes that leave at once never make a large cycle.
* **changes**: updates of linked objects, in one cycle.

Entra's own guard (``reference/entra-provisioning-service.md`` section 18) is a third limit for deletions, per cycle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from provisor.applications.model import Job, JobSettings
from provisor.provisioning.model import Kind
from provisor.security.actor import Actor

Wish = Literal["update", "disable", "delete"]
Decision = Literal["approved", "rejected"]
HeldState = Literal["deferred", "held", "released", "approved", "rejected"]
WaveKind = Literal["deletions", "changes"]
Rule = Literal["absolute", "percent", "changes", "deleteThreshold"]

WINDOW_MS = 24 * 3_600_000
# Fewer are never too many (but for Entra's threshold, which is somebody's explicit number).
FLOOR = 5
# The due time of a slot that waits for a person: the end of the year 9999.
FAR = 253_402_300_799_000


@dataclass(frozen=True, slots=True)
class Held:
    """What would be done to one object, and is not (yet). ``changes`` as a log entry's ``modifiedProperties``."""

    source_id: str
    kind: Kind
    action: Wish
    state: HeldState
    wave_id: str | None
    schema_version: int
    name: str
    target_id: str
    changes: Sequence[Mapping[str, Any]]
    at: int
    decided_by: str | None = None
    decided_at: int | None = None

    def answers(self, wish: Wish, schema_version: int) -> bool:
        """Does what was decided about this row hold for what is wanted now?"""
        return self.action == wish and self.schema_version == schema_version


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that is let go without asking: ``deletions`` within the window, ``changes`` and, where Entra's guard is
    on, ``threshold`` deletions in one cycle. Null: no such limit."""

    deletions: int | None
    deletions_rule: Rule
    changes: int | None
    threshold: int | None


@dataclass(frozen=True, slots=True)
class Wave:
    """All that one cycle wanted of a kind, and the verdict: ``rule`` is the limit that held it, null if none did."""

    id: str
    job_id: str
    cycle_id: str
    kind: WaveKind
    rule: Rule | None
    wanted: int
    done: int
    linked: int
    most: int
    at: int

    @property
    def reason(self) -> str:
        """Why it is held, in one sentence."""
        match self.rule:
            case "changes":
                return (
                    f"{self.wanted} of {self.linked} linked objects would be changed by one cycle, and "
                    f"{self.most} are the most that go without asking."
                )
            case "deleteThreshold":
                return (
                    f"{self.wanted} objects would be deleted or disabled by one cycle, and the deletion threshold "
                    f"is {self.most}."
                )
            case _:
                before = f", after {self.done} in the last 24 hours" if self.done else ""
                return (
                    f"{self.wanted} of {self.linked} linked objects would be deleted or disabled{before}, and "
                    f"{self.most} within 24 hours are the most that go without asking."
                )


def limits(settings: JobSettings, linked: int) -> Limits:
    """The job's limits at this many linked objects; ``linked`` counts those that the window's deletions took, too."""
    guard, entra = settings.guard, settings.notification
    threshold = entra.delete_threshold_value if entra.delete_threshold_enabled else None
    if not guard.enabled:
        return Limits(None, "absolute", None, threshold)
    share = linked * guard.deletions_percent // 100
    rule: Rule = "absolute" if guard.deletions <= share else "percent"
    return Limits(
        deletions=max(min(guard.deletions, share), FLOOR - 1),
        deletions_rule=rule,
        changes=max(linked * guard.changes_percent // 100, FLOOR - 1),
        threshold=threshold,
    )


def judge_deletions(limit: Limits, *, wanted: int, done: int) -> tuple[Rule | None, int]:
    """Which limit this wave breaks, if any, and that limit."""
    if limit.deletions is not None and wanted + done > limit.deletions:
        return limit.deletions_rule, limit.deletions
    if limit.threshold is not None and wanted > limit.threshold:
        return "deleteThreshold", limit.threshold
    return None, limit.deletions if limit.deletions is not None else limit.threshold or 0


def judge_changes(limit: Limits, *, wanted: int) -> tuple[Rule | None, int]:
    """The same for updates."""
    if limit.changes is not None and wanted > limit.changes:
        return "changes", limit.changes
    return None, limit.changes or 0


class GuardWatcher(Protocol):
    """Who wants to know: notification mail, webhook, audit log. A wave may be told twice, after a crash: see its id."""

    async def held(self, job: Job, wave: Wave) -> None:
        """A guard holds this wave."""

    async def decided(self, actor: Actor, job: Job, decision: Decision, ids: Sequence[str]) -> None:
        """Somebody has approved or rejected what was held of these objects."""


class NobodyWatches:
    """The null twin."""

    async def held(self, job: Job, wave: Wave) -> None:
        return None

    async def decided(self, actor: Actor, job: Job, decision: Decision, ids: Sequence[str]) -> None:
        return None
