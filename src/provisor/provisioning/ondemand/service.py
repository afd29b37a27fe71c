"""Provision on demand, its door: one user or one group as a whole, now, whatever the job's state.

    lease ─▶ import ─▶ scoping ─▶ matching, with the target object read ─▶ what differs is sent ─▶ references

It goes the very way of a cycle (``plan.py``, ``sending.py``, ``references.py``), but against what the target shows
instead of what it confirmed last. ``reference/entra-provisioning-service.md`` section 20.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from msgspec.structs import replace

from provisor.applications.model import Job
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.connector.errors import TargetError
from provisor.directory.service import Directory
from provisor.errors import Conflict
from provisor.ids import new_id
from provisor.provisioning import objects, references
from provisor.provisioning.engine import SERVICE, Engine, Stores
from provisor.provisioning.faults import CycleBroken
from provisor.provisioning.guarding.gate import OpenGate
from provisor.provisioning.leases.holding import holding
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.model import Cycle, Kind, Link, Pending
from provisor.provisioning.notes import Item
from provisor.provisioning.ondemand import members
from provisor.provisioning.ondemand.model import OnDemandResult
from provisor.provisioning.ondemand.store import SubjectStore
from provisor.provisioning.ondemand.story import Story
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.run import Run
from provisor.provisioning.seen import seen_state
from provisor.provisioning.sending import Sender
from provisor.provisioning.subjects import find_subject
from provisor.security.actor import Actor, Right


class NotProvisioned(Conflict):
    """This job does not provision objects of this type."""


class OnDemand:
    """Provisions one object now. Methods check the actor's rights in the job's tenant."""

    def __init__(
        self,
        stores: Stores,
        subjects: SubjectStore,
        directory: Directory,
        applications: Applications,
        clock: Clock,
        engine: Callable[[str], Engine],
    ) -> None:
        self._stores = stores
        self._subjects = subjects
        self._directory = directory
        self._applications = applications
        self._clock = clock
        self._engine = engine

    async def provision(
        self,
        actor: Actor,
        job_id: str,
        ref: str,
        *,
        kind: Kind | None = None,
        member_ids: Collection[str] | None = None,
    ) -> OnDemandResult:
        """Carry one user or group through all steps. ``ref``: its id, user principal name or display name.

        ``member_ids``: of a group, only these members' memberships; null: all of them, however many.
        What the target says comes back in the result. Raises ``NoSuchObject``, ``NotProvisioned``, ``JobBusy``, and
        ``InvalidInput`` where the job has no usable credentials.
        """
        job = await self._applications.job(actor, job_id)
        actor.require(Right.SYNCHRONIZATION_WRITE, job.tenant_id)
        subject = await find_subject(self._directory, self._subjects, SERVICE, job, ref, kind)
        leases, store = self._stores.leases, self._stores.jobs
        async with holding(leases, store, self._clock, job.id, "on-demand") as lease:
            cycle = self._cycle(job)
            run = await self._engine(lease.holder).prepare(lease, cycle, job, OpenGate())
            mappings = run.mappings.get(subject.kind)
            if mappings is None:
                raise NotProvisioned(
                    f"{job.display_name} does not provision {subject.kind.lower()}s.",
                    hint="The target has none, or their mapping is disabled.",
                )
            return await self._carry(run, subject.kind, subject.id, mappings, member_ids)

    def _cycle(self, job: Job) -> Cycle:
        """No cycle of the job's: what its log entries are found by."""
        now = self._clock.now_ms()
        return Cycle(
            new_id(), job.id, "Incremental", "Running", "users", None, 0, job.schema_version, 0, now, None, None, None
        )

    async def _carry(
        self, run: Run, kind: Kind, source_id: str, mappings: Mappings, member_ids: Collection[str] | None
    ) -> OnDemandResult:
        slot = await self._subjects.slot(run.job.id, source_id) or Pending(source_id, kind, 0, 0, None)
        [item] = await objects.load(run, kind, [slot], mappings)
        await objects.know_managers(run, kind, [item])
        story = Story(run, kind, item, mappings)
        try:
            await self._look(run, kind, item, mappings, story)
        except TargetError as error:
            return story.not_connected(error)
        batch = Batch()
        await Sender(run, kind, mappings, batch, None).carry([item])
        run.gate.close([item], batch)
        story.matched(item)
        story.done(batch, item)
        try:
            await _record(run, batch)
            link = (await run.store.links(run.job.id, [source_id])).get(source_id)
            if kind == "User":
                await self._manager(run, item, link, mappings, story)
            elif link is not None and link.state == "linked" and mappings.reference("members") is not None:
                await self._members(run, link, member_ids, story)
        except CycleBroken as broken:
            return story.not_connected(broken.cause)
        except TargetError as error:
            return story.not_connected(error)
        return story.result(link)

    async def _look(self, run: Run, kind: Kind, item: Item, mappings: Mappings, story: Story) -> None:
        """Read the target object of a link: the difference is taken against what is there. Raises ``TargetError``."""
        if item.link is None:
            return
        target = await run.client.read(kind, item.link.target_id)
        if target is None:
            story.gone(item.link)
            await _record(run, Batch(dropped=[item.source.id]))
            item.link = None
            return
        manager = mappings.reference("manager") if kind == "User" else None
        state, differences = seen_state(target, item.link.acknowledged, manager)
        item.link = replace(item.link, acknowledged=state)
        await _record(run, Batch(links={item.source.id: item.link}) if differences else Batch())
        story.seen(target, differences)

    async def _manager(self, run: Run, item: Item, link: Link | None, mappings: Mappings, story: Story) -> None:
        path = mappings.reference("manager")
        if path is None or link is None or link.state != "linked" or not item.entitlement.in_scope:
            return
        if item.source.manager_id is not None and item.manager is None:
            story.waits(f"The manager {item.source.manager_id} is not in the target yet; the reference waits.")
        batch = Batch()
        slot = Pending(item.source.id, "User", -1, 0, None)

        async def write(one: Link) -> None:
            await references.write_manager(run, batch, slot, item.source, one, path, item.manager)

        await run.each([link], write)
        batch.postponed.clear()
        batch.touched.clear()
        await run.record(batch)
        story.references(batch)

    async def _members(self, run: Run, group: Link, member_ids: Collection[str] | None, story: Story) -> None:
        work = await members.survey(run, self._subjects, group, member_ids)
        batch = await members.carry_out(run, work)
        story.members(work, batch)


async def _record(run: Run, batch: Batch) -> None:
    """Write down what was learnt. The books of a cycle are not concerned."""
    batch.outcomes.clear()
    batch.considered.clear()
    batch.touched.clear()
    await run.record(batch)
