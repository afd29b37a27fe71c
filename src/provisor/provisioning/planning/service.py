"""Plans, their door: make one, look at it, approve it, apply exactly that. For API, portals and commands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from provisor.applications.model import SCOPE_SETTINGS, Job
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.errors import Conflict, NotFound, ProvisorError
from provisor.ids import new_id
from provisor.provisioning.engine import SERVICE, Engine, Stores
from provisor.provisioning.faults import CycleBroken
from provisor.provisioning.guarding.gate import Gate, OpenGate
from provisor.provisioning.guarding.model import judge_changes, judge_deletions, limits
from provisor.provisioning.leases.holding import holding
from provisor.provisioning.leases.store import Lease
from provisor.provisioning.model import Cycle
from provisor.provisioning.ondemand.store import SubjectStore
from provisor.provisioning.planning.applying import Applier
from provisor.provisioning.planning.model import Basis, PlanEntry, PlannedMember, StoredPlan, Tally
from provisor.provisioning.planning.planner import PlanGate, Planner
from provisor.provisioning.planning.store import PlanStore
from provisor.provisioning.run import Run
from provisor.security.actor import Actor, Right


class PlanNotFound(NotFound):
    """There is no such plan."""


class PlanNotReady(Conflict):
    """The plan is not in a state in which this can be done."""


class PlanRefused(Conflict):
    """The plan no longer holds."""


class Plans:
    """Methods check the actor's rights in the job's tenant."""

    def __init__(
        self,
        store: PlanStore,
        stores: Stores,
        subjects: SubjectStore,
        applications: Applications,
        clock: Clock,
        engine: Callable[[str], Engine],
    ) -> None:
        self._store = store
        self._stores = stores
        self._subjects = subjects
        self._applications = applications
        self._clock = clock
        self._engine = engine

    async def make(self, actor: Actor, job_id: str) -> StoredPlan:
        """What the job would do if it looked at everybody now, stored. The target is read and never written.

        Works in every state of the job, before it was ever started too. Raises ``PlanRefused`` when the target does not
        answer as it should; such a plan stays, with its error.
        """
        job = await self._job(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        plan = await self._store.begin(job, await self._basis(job), actor, self._clock.now_ms())
        try:
            run = await self._run(job, plan, Lease(job.id, "plan", 0), PlanGate(), plan.id)
            tally = await Planner(self._store, run, plan).make()
            if not tally.balanced:
                raise ProvisorError(f"The plan's counts do not add up: {tally.as_dict()}.")
            counts = {**tally.as_dict(), "guard": await self._verdict(job, tally)}
            return await self._store.ready(plan, counts, self._clock.now_ms())
        except CycleBroken as broken:
            await self._store.failed(plan.id, str(broken.cause))
            raise PlanRefused(f"No plan could be made: {broken.cause.message}", hint=broken.cause.hint) from broken
        except ProvisorError as error:
            await self._store.failed(plan.id, str(error))
            raise

    async def plan(self, actor: Actor, job_id: str, plan_id: str) -> StoredPlan:
        """One plan. Raises ``PlanNotFound``."""
        job = await self._job(actor, Right.SYNCHRONIZATION_READ, job_id)
        return await self._found(job, plan_id)

    async def plans(self, actor: Actor, job_id: str, limit: int = 10) -> list[StoredPlan]:
        """A job's plans, newest first; the last ten are kept."""
        job = await self._job(actor, Right.SYNCHRONIZATION_READ, job_id)
        return await self._store.plans(job.id, limit)

    async def entries(
        self,
        actor: Actor,
        job_id: str,
        plan_id: str,
        *,
        after: str = "",
        limit: int = 100,
        action: str | None = None,
        left_out_only: bool = False,
    ) -> list[PlanEntry]:
        """A page of what would be done, by source id from ``after``."""
        plan = await self.plan(actor, job_id, plan_id)
        return await self._store.entries(plan.id, after=after, limit=limit, action=action, left_out_only=left_out_only)

    async def members(
        self, actor: Actor, job_id: str, plan_id: str, group_id: str, after: str = "", limit: int = 100
    ) -> list[PlannedMember]:
        """A page of the members that a group would get and lose."""
        job = await self._job(actor, Right.SYNCHRONIZATION_READ, job_id)
        plan = await self._found(job, plan_id)
        return await self._store.members(job, plan.id, group_id, after, limit)

    async def approve(self, actor: Actor, job_id: str, plan_id: str) -> StoredPlan:
        """Somebody has looked at it and agrees. Raises ``PlanNotReady``."""
        job = await self._job(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        plan = await self._found(job, plan_id)
        if not await self._store.approve(plan.id, job, actor, self._clock.now_ms()):
            raise PlanNotReady(f"This plan is {plan.state}; only one that is Ready can be approved.", hint=_next(plan))
        return await self._found(job, plan_id)

    async def apply(self, actor: Actor, job_id: str, plan_id: str) -> StoredPlan:
        """Do exactly that, and nothing else: what has changed meanwhile is left out, and named by its entry.

        In every state of the job, which stays as it is. What was cut off goes on. Raises ``PlanNotReady`` unless it was
        approved, ``PlanRefused`` when mappings, filters, scope or credentials changed or more would be deprovisioned
        than was approved, and when the target says something that concerns every object (then it can go on later).
        """
        job = await self._job(actor, Right.SYNCHRONIZATION_WRITE, job_id)
        plan = await self._found(job, plan_id)
        if plan.state not in ("Approved", "Applying"):
            raise PlanNotReady(f"This plan is {plan.state}; only one that was approved is applied.", hint=_next(plan))
        changed = plan.basis.changed(await self._basis(job))
        if changed:
            await self._refuse(plan, f"Since the plan was made, {' and '.join(changed)} changed.")
        leases, jobs = self._stores.leases, self._stores.jobs
        async with holding(leases, jobs, self._clock, job.id, "plan") as lease:
            plan = await self._store.applying(plan, job, actor, self._clock.now_ms())
            run = await self._run(job, plan, lease, OpenGate(), plan.cycle_id or "")
            applier = Applier(self._store, self._subjects, run, plan)
            approved = (plan.counts or {}).get("disable", 0) + (plan.counts or {}).get("delete", 0)
            broken: CycleBroken | None = None
            try:
                wanted = await applier.deprovisions()
                if wanted > approved:
                    text = f"{wanted} objects would be disabled or deleted now, and {approved} were approved."
                    await self._refuse(plan, text)
                await applier.apply()
            except CycleBroken as error:
                broken = error
            counts = (await jobs.counts(run.cycle)).as_dict()
            why = broken.cause.message if broken else None
            plan = await self._store.applied(plan, counts, self._clock.now_ms(), broken=why)
        if broken is not None:
            raise PlanRefused(
                f"The plan was cut off: {broken.cause.message}", hint="Mend the cause, and apply it again: it goes on."
            ) from broken
        return plan

    async def _refuse(self, plan: StoredPlan, why: str) -> None:
        await self._store.failed(plan.id, why, refused=True)
        raise PlanRefused(f"{why} Nothing of it is applied.", hint="Make a new plan, look at it, and approve that.")

    async def _run(self, job: Job, plan: StoredPlan, lease: Lease, gate: Gate, cycle_id: str) -> Run:
        now = self._clock.now_ms()
        cycle = Cycle(
            id=cycle_id or new_id(),
            job_id=job.id,
            kind="Plan",
            state="Running",
            phase="plan",
            cursor=None,
            watermark=0,
            schema_version=job.schema_version,
            considered=0,
            began_at=now,
            ended_at=None,
            counts=None,
            error=None,
        )
        return await self._engine(lease.holder).prepare(lease, cycle, job, gate)

    async def _basis(self, job: Job) -> Basis:
        credentials = await self._applications.credentials(SERVICE, job.id)
        settings = job.settings
        scope = [getattr(settings, name) for name in SCOPE_SETTINGS]
        return Basis(
            schema_version=job.schema_version,
            scope=_digest(scope),
            target=_digest((job.id, credentials.base_address, credentials.secret_token, settings.dialect)),
        )

    async def _verdict(self, job: Job, tally: Tally) -> dict[str, Any]:
        """What the guards would say to a cycle that did all of this."""
        extent = await self._stores.guards.extent(job.id, "", self._clock.now_ms())
        limit = limits(job.settings, extent.linked)
        deletions = tally.actions.get("disable", 0) + tally.actions.get("delete", 0)
        changes = tally.actions.get("update", 0)
        rule, most = judge_deletions(limit, wanted=deletions, done=extent.executed)
        changes_rule, changes_most = judge_changes(limit, wanted=changes)
        return {
            "deletions": {"wanted": deletions, "done": extent.executed, "most": most, "holds": rule is not None},
            "changes": {"wanted": changes, "most": changes_most, "holds": changes_rule is not None},
        }

    async def _found(self, job: Job, plan_id: str) -> StoredPlan:
        plan = await self._store.plan(plan_id)
        if plan is None or plan.job_id != job.id:
            raise PlanNotFound(
                f"{job.display_name} has no plan {plan_id}.", hint="The last ten plans of a job are kept."
            )
        return plan

    async def _job(self, actor: Actor, right: Right, job_id: str) -> Job:
        job = await self._applications.job(actor, job_id)
        actor.require(right, job.tenant_id)
        return job


def _digest(value: Sequence[object]) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:32]


def _next(plan: StoredPlan) -> str:
    return "Approve it first." if plan.state == "Ready" else "Make a new plan."
