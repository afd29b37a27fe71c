"""The end of a cycle: well, stopped, or broken off; what that means for the job, and when it is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from provisor.applications.model import Job
from provisor.clock import Clock
from provisor.connector.errors import BadAnswer, TargetError, Throttled
from provisor.errors import ProvisorError
from provisor.provisioning import quarantine, retry
from provisor.provisioning.entry import wire
from provisor.provisioning.faults import JobHalted
from provisor.provisioning.guarding import quarantining
from provisor.provisioning.leases.store import Lease, LeaseStore
from provisor.provisioning.model import Counts, Cycle
from provisor.provisioning.run import Run
from provisor.provisioning.store import ProvisioningStore

INTERVAL_MS = 2_400_000

log = structlog.get_logger(__name__)


class Endings:
    """Ends cycles, on their lease, and gives it back. Raises ``LeaseLost``."""

    def __init__(self, store: ProvisioningStore, leases: LeaseStore, clock: Clock) -> None:
        self._store = store
        self._leases = leases
        self._clock = clock

    async def finish(self, run: Run) -> None:
        """All phases are done: the counts have to add up, and the failures to be few enough."""
        now = self._clock.now_ms()
        counts = await self._store.counts(run.cycle)
        error: dict[str, Any] | None = None
        if not counts.balanced:
            error = {"code": "InternalError", "message": _out_of_balance(counts)}
            log.error("cycle out of balance", job_id=run.job.id, cycle_id=run.cycle.id, **counts.as_dict())
        story: Mapping[str, Any] | None = None
        if not error:
            story = await quarantining.kept_quarantine(run) or await self._quarantine_of_failures(run.job.id, now)
        await self._store.end_cycle(
            run.lease,
            run.cycle,
            now=now,
            counts=counts,
            next_run_at=story["nextAttemptAt"] if story else now + run.job.settings.interval_seconds * 1000,
            error=error,
            code="Quarantine" if story else "Active",
            not_before=story["nextAttemptAt"] if story else None,
            quarantine=story,
        )
        await self._leases.drop_lease(run.lease)

    async def cut(self, lease: Lease, cycle: Cycle) -> None:
        """A person said "stop now": the cycle keeps its place, and goes on from there when the job is started."""
        counts = await self._store.counts(cycle)
        await self._store.cut_cycle(lease, cycle, now=self._clock.now_ms(), counts=counts)
        await self._leases.drop_lease(lease)

    async def break_off(self, lease: Lease, cycle: Cycle, job: Job | None, cause: TargetError) -> None:
        """The target said something that concerns every object: stop here, mark nothing as done, say why."""
        error = {"code": cause.code, "message": str(cause), "exchange": wire(cause.exchange)}
        if cause.credential_problem:
            await self._refused(cycle.job_id, cause)
        if cause.credential_problem or isinstance(cause, BadAnswer):
            await self._quarantine(lease, cycle, error, quarantine.how_to_lift(cause.code, cause.hint))
        else:
            await self._try_later(lease, cycle, job, error, cause)
        await self._leases.drop_lease(lease)

    async def halt(self, lease: Lease, cycle: Cycle, halted: JobHalted) -> None:
        """What the cycle has seen cannot be right: nothing is done on the strength of it."""
        error = {"code": halted.code, "message": halted.message, "exchange": halted.exchange}
        await self._quarantine(lease, cycle, error, halted.lift)
        await self._leases.drop_lease(lease)

    async def give_up(self, lease: Lease, cycle: Cycle, job: Job | None, cause: ProvisorError) -> None:
        """Something failed on our side: told, kept with the cycle, and tried again later."""
        await self._try_later(lease, cycle, job, {"code": "InternalError", "message": str(cause)}, None)
        await self._leases.drop_lease(lease)

    async def _quarantine(self, lease: Lease, cycle: Cycle, error: dict[str, Any], lift: str) -> None:
        now = self._clock.now_ms()
        before = (await self._store.state(cycle.job_id, now)).quarantine
        story = quarantine.enter(
            before,
            now=now,
            reason="EncounteredQuarantineException",
            code=error["code"],
            message=error["message"],
            exchange=error["exchange"],
            lift=lift,
        )
        await self._store.end_cycle(
            lease,
            cycle,
            now=now,
            counts=await self._store.counts(cycle),
            next_run_at=story["nextAttemptAt"],
            error=error,
            code="Quarantine",
            not_before=story["nextAttemptAt"],
            quarantine=story,
        )

    async def _quarantine_of_failures(self, job_id: str, now: int) -> dict[str, Any] | None:
        """The quarantine that too many failing objects mean, with one of those failures as it was on the wire."""
        state = await self._store.state(job_id, now)
        tally = await self._store.tally(job_id, now - quarantine.WINDOW)
        found = quarantine.exceeded(tally)
        if found is None:
            return None
        reason, sentence = found
        code, message, exchange = await self._store.typical_failure(job_id)
        return quarantine.enter(
            state.quarantine,
            now=now,
            reason=reason,
            code=code,
            message=f"{sentence} Most often: {message}",
            exchange=exchange,
            lift="When fewer fail, by a retry that succeeds or a change of mappings, the next cycle lifts it. "
            "Starting the job tries them all again at once.",
        )

    async def _refused(self, job_id: str, cause: TargetError) -> None:
        """The credentials that a test once approved are not accepted any more: the next start tests them anew."""
        now = self._clock.now_ms()
        before = (await self._store.state(job_id, now)).credentials
        if before is not None:
            story = {**before, "state": "refused", "message": str(cause), "hint": cause.hint}
            await self._store.save_credentials_state(job_id, story, now)

    async def _try_later(
        self, lease: Lease, cycle: Cycle, job: Job | None, error: dict[str, Any], cause: TargetError | None
    ) -> None:
        now = self._clock.now_ms()
        failures = await self._store.failures(cycle.job_id)
        again = retry.decide(transient=True, now=now, attempts=failures, failed_first_at=None).due_at
        if isinstance(cause, Throttled) and cause.retry_after_seconds is not None:
            again = now + round(cause.retry_after_seconds * 1000)
        interval = job.settings.interval_seconds * 1000 if job else INTERVAL_MS
        counts = await self._store.counts(cycle)
        await self._store.end_cycle(
            lease, cycle, now=now, counts=counts, next_run_at=now + interval, error=error, not_before=again
        )


def _out_of_balance(counts: Counts) -> str:
    return (
        f"{counts.considered} objects were considered, but {counts.in_scope} in scope, {counts.disabled} disabled, "
        f"{counts.deleted} deleted and {counts.skipped} skipped do not add up to that."
    )
