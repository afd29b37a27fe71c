"""Explanations, their door: why one object, or one of its values, is (not) in the target. For any object, at any time.

Nothing is written, on either side: the target is asked for the object, and nothing else is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provisor.applications.model import Job
from provisor.applications.service import Applications
from provisor.clock import Clock, iso
from provisor.connector.answers import TargetObject
from provisor.connector.errors import TargetError
from provisor.directory.service import Directory
from provisor.errors import InvalidInput
from provisor.ids import new_id
from provisor.provisioning import objects
from provisor.provisioning.engine import SERVICE, Engine, Stores
from provisor.provisioning.explaining.answer import Facts, answer, kept_back, next_action, would_change
from provisor.provisioning.explaining.grounds import clauses_of, grounds_of
from provisor.provisioning.explaining.mappings import mapping_lines
from provisor.provisioning.explaining.model import Event, Explanation, MatchLine, ReferenceLine
from provisor.provisioning.leases.store import Lease
from provisor.provisioning.log.model import Entry, LogFilter
from provisor.provisioning.mapping import MappingFailed, Mappings
from provisor.provisioning.model import Cycle, Kind, Pending, Source
from provisor.provisioning.notes import Item
from provisor.provisioning.ondemand import members as group_members
from provisor.provisioning.ondemand.store import SlotStory, SubjectStore
from provisor.provisioning.planning.model import PlanEntry
from provisor.provisioning.planning.planner import PlanGate, entries_of
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.run import Run
from provisor.provisioning.seen import seen_state
from provisor.provisioning.sending import Sender
from provisor.provisioning.subjects import find_subject
from provisor.security.actor import Actor, Right

EVENTS = 5
REFERENCES = 20


class Explanations:
    """Methods check the actor's rights in the job's tenant."""

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

    async def explain(
        self, actor: Actor, job_id: str, ref: str, *, kind: Kind | None = None, attribute: str | None = None
    ) -> Explanation:
        """Everything about one object. ``attribute``: of the mappings only that target attribute's, step by step.

        Raises ``NoSuchObject``, and ``InvalidInput`` where nothing is mapped to the attribute or the job has no usable
        credentials. A target that does not answer is told in ``target_error``; the rest is explained all the same.
        """
        job = await self._applications.job(actor, job_id)
        actor.require(Right.SYNCHRONIZATION_READ, job.tenant_id)
        actor.require(Right.PROVISIONING_LOG_READ, job.tenant_id)
        subject = await find_subject(self._directory, self._subjects, SERVICE, job, ref, kind)
        run = await self._engine("explain").prepare(Lease(job.id, "explain", 0), self._cycle(job), job, PlanGate())
        mappings = run.mappings.get(subject.kind)
        if mappings is None:
            raise InvalidInput(
                f"{job.display_name} does not provision {subject.kind.lower()}s.",
                hint="The target has none, or their mapping is disabled: so none is there through this job.",
            )
        if attribute is not None and not any(
            row.target.lower() == attribute.lower() for row in mappings.mapping.attribute_mappings
        ):
            raise InvalidInput(
                f"No mapping writes {attribute}: this job never sets it.",
                hint=f"It writes: {', '.join(row.target for row in mappings.mapping.attribute_mappings)}.",
            )
        return await self._explain(run, subject.kind, subject.id, mappings, attribute)

    async def _explain(
        self, run: Run, kind: Kind, source_id: str, mappings: Mappings, attribute: str | None
    ) -> Explanation:
        job = run.job
        [item] = await objects.load(run, kind, [Pending(source_id, kind, 0, 0, None)], mappings, take_over=False)
        await objects.know_managers(run, kind, [item])
        slot = await self._subjects.slot_story(job.id, source_id)
        held = (await run.guards.held_of(job.id, [source_id])).get(source_id)
        state = await run.store.state(job.id, self._clock.now_ms())
        events = await self._events(job, source_id)
        look = await self._look(run, kind, item, mappings)
        passed, clauses, _ = clauses_of(item, mappings)
        facts = Facts(
            app=job.display_name,
            job_state=state.code,
            source=item.source,
            in_scope=item.entitlement.in_scope,
            sync_all=job.settings.sync_all,
            grounds=await grounds_of(run, kind, source_id),
            filter_passed=passed,
            clauses=clauses,
            link_state=item.link.state if item.link else None,
            target_id=item.link.target_id if item.link else (look.target.id if look.target else None),
            target_found=look.found,
            slot=slot,
            held=held,
            planned=look.planned,
            last_error=next((one.reason for one in events if one.status == "failure"), None),
            drifted=look.drifted,
        )
        # Of who is not there yet: what a creation would send.
        soft_deleted = item.link is not None and not (item.source.active and item.entitlement.in_scope)
        references, counts = await self._references(run, kind, item, mappings)
        return Explanation(
            app_name=job.display_name,
            job_state=state.code,
            source_id=source_id,
            kind=kind,
            name=item.source.name or source_id,
            source_state=_source_state(item.source),
            answer=answer(facts),
            would_change=would_change(facts),
            next_action=next_action(look.planned, held),
            in_scope=item.entitlement.in_scope,
            grounds=facts.grounds,
            filter_passed=passed,
            clauses=clauses,
            link_state=facts.link_state,
            target_id=facts.target_id,
            target_found=look.found,
            queue=_queue(slot),
            held=None if held is None else f"{held.state}: {held.action}",
            matching=look.matching,
            mappings=mapping_lines(
                mappings,
                item,
                look.target,
                soft_deleted=soft_deleted,
                attribute=attribute,
                kept_back=kept_back(look.planned, held),
            ),
            references=references,
            members=counts,
            events=events,
            target_error=look.error,
        )

    async def _look(self, run: Run, kind: Kind, item: Item, mappings: Mappings) -> _Look:
        """Read the object in the target, ask for it by each matching attribute, and foresee the next cycle."""
        look = _Look()
        try:
            if item.link is not None:
                look.target = await run.client.read(kind, item.link.target_id)
                look.found = look.target is not None
                if look.target is not None:
                    manager = mappings.reference("manager") if kind == "User" else None
                    _, differences = seen_state(look.target, item.link.acknowledged, manager)
                    look.drifted = [one.path for one in differences]
            look.matching = await _matching(run, kind, item, mappings, look)
            look.planned = await _foreseen(run, kind, item, mappings)
        except TargetError as error:
            look.error = error.message
        if run.broken is not None:
            look.error = run.broken.message
        return look

    async def _references(
        self, run: Run, kind: Kind, item: Item, mappings: Mappings
    ) -> tuple[list[ReferenceLine], dict[str, int]]:
        lines: list[ReferenceLine] = []
        if kind == "User":
            lines += await self._manager(run, item, mappings)
        elif item.link is not None and mappings.reference("members") is not None:
            work = await group_members.survey(run, self._subjects, item.link, None, read=False)
            users = await run.directory.users_by_id(run.actor, run.job.tenant_id, work.waiting[:REFERENCES])
            for id_ in work.waiting[:REFERENCES]:
                name = users[id_].display_name if id_ in users else id_
                lines.append(ReferenceLine("members", id_, name, "waits: the member is not in the target"))
            counts = {"confirmed": work.kept, "toAdd": len(work.join), "toRemove": len(work.leave)}
            return lines, {**counts, "waiting": len(work.waiting)}
        for group_id, member_id, due in await self._subjects.pairs_waiting(run.job.id, item.source.id, REFERENCES):
            other = member_id if group_id == item.source.id else group_id
            lines.append(ReferenceLine("members", other, other, f"waits, to be looked at from {iso(min(due, _LAST))}"))
        return lines, {}

    async def _manager(self, run: Run, item: Item, mappings: Mappings) -> list[ReferenceLine]:
        path, manager_id = mappings.reference("manager"), item.source.manager_id
        if path is None or manager_id is None:
            return []
        found = (await run.directory.users_by_id(run.actor, run.job.tenant_id, [manager_id])).get(manager_id)
        name = found.display_name if found else manager_id
        known = item.link.acknowledged.get(path) if item.link else None
        if item.manager is None:
            state = "waits: the manager is not in the target (not in scope, or not created yet)"
        elif known == item.manager:
            state = "written, and confirmed"
        else:
            state = "to be written by the next cycle"
        return [ReferenceLine(path, manager_id, name, state)]

    async def _events(self, job: Job, source_id: str) -> list[Event]:
        entries = await self._stores.jobs.log(job.id, LogFilter(source_id=source_id), EVENTS)
        return [_event(entry) for entry in entries]

    def _cycle(self, job: Job) -> Cycle:
        now = self._clock.now_ms()
        return Cycle(
            id=new_id(),
            job_id=job.id,
            kind="Incremental",
            state="Running",
            phase="users",
            cursor=None,
            watermark=0,
            schema_version=job.schema_version,
            considered=0,
            began_at=now,
            ended_at=None,
            counts=None,
            error=None,
        )


class _Look:
    """What the target was asked, and said."""

    def __init__(self) -> None:
        self.target: TargetObject | None = None
        self.found: bool | None = None
        self.matching: Sequence[MatchLine] = ()
        self.planned: PlanEntry | None = None
        self.drifted: list[str] = []
        self.error: str | None = None


# The end of the year 9999: what waits for a person.
_LAST = 253_402_300_799_000


async def _matching(run: Run, kind: Kind, item: Item, mappings: Mappings, look: _Look) -> list[MatchLine]:
    """Every matching attribute in its order, and all of them, so that a wrong value is seen."""
    try:
        keys = dict(mappings.keys(item.source.get))
    except MappingFailed as error:
        return [MatchLine(row.target, None, None, str(error)) for row in mappings.mapping.matching]
    lines: list[MatchLine] = []
    for row in mappings.mapping.matching:
        value = keys.get(row.target)
        if value is None:
            lines.append(MatchLine(row.target, None, None, "the source has no value for it"))
            continue
        found = await run.client.find(kind, row.target, value)
        ids = [one.id for one in found]
        note = None
        if item.link is not None:
            note = "not asked by a cycle: the object is linked"
        elif len(found) == 1:
            look.target, look.found = look.target or found[0], True
        lines.append(MatchLine(row.target, value, ids, note))
    if item.link is None and look.found is None:
        look.found = False
    return lines


async def _foreseen(run: Run, kind: Kind, item: Item, mappings: Mappings) -> PlanEntry | None:
    batch = Batch()
    sender = Sender(run, kind, mappings, batch, None)
    await sender.prepare([item])
    manager = mappings.reference("manager") if kind == "User" else None
    return next(iter(entries_of([item], sender, batch, manager)), None)


def _event(entry: Entry) -> Event:
    status = entry["provisioningStatusInfo"]
    information = status["errorInformation"] or {}
    return Event(
        at=entry["activityDateTime"],
        action=entry["provisioningAction"],
        status=status["status"],
        code=information.get("errorCode"),
        reason=information.get("reason"),
        exchange=entry.get("exchange"),
    )


def _source_state(source: Source) -> str:
    if not source.exists:
        return "deleted for good"
    if source.deleted:
        return "in the recycle bin"
    return "active" if source.active else "disabled"


def _queue(slot: SlotStory | None) -> str | None:
    if slot is None:
        return None
    if slot.error_code == "Held":
        return "waits for a person: a guard holds it"
    if slot.attempts:
        return f"in escrow after {slot.attempts} failures ({slot.error_code}): next attempt at {iso(slot.due_at)}"
    return "to be looked at by the next cycle" if slot.stage == "object" else f"waits ({slot.stage})"
