"""Step referenceResolution: managers and members, once both ends are in the target; removals like additions.

``reference/entra-provisioning-service.md`` section 15. What cannot be written yet is not remembered in a list of its
own: the directory knows it, and whoever arrives in the target makes the references to it due again (``store.record``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby

from msgspec.structs import replace

from provisor.connector.errors import TargetError
from provisor.connector.messages import AttributeChange
from provisor.provisioning import retry
from provisor.provisioning.doubts import UNKNOWN, doubted
from provisor.provisioning.entry import Status, Story
from provisor.provisioning.faults import Stopped, concerns_all
from provisor.provisioning.flights.store import Flight
from provisor.provisioning.learning.model import learn
from provisor.provisioning.model import VANISHED, Action, Link, Pending, PendingMember, Retry, Source, manager_in_target
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.run import BATCH, IN_A_ROW, ROW_MS, Run
from provisor.provisioning.store import Pair
from provisor.tasks import ahead

# Turns of the event loop after which the requests of tasks that were just made have left.
_TURNS = 3


async def managers(run: Run) -> bool:
    """Write the next batch of managers. False when none is due. Raises ``CycleBroken``, ``LeaseLost``."""
    slots = await run.store.claim(run.job.id, "reference", "User", now=run.clock.now_ms(), limit=BATCH)
    if not slots:
        return False
    batch = Batch()
    path = run.mappings["User"].reference("manager") if "User" in run.mappings else None
    users = await run.directory.users_by_id(run.actor, run.job.tenant_id, [slot.source_id for slot in slots])
    ids = [slot.source_id for slot in slots] + [u.manager_id for u in users.values() if u.manager_id is not None]
    links = await run.store.links(run.job.id, ids)

    async def write(slot: Pending) -> None:
        user, link = users.get(slot.source_id), links.get(slot.source_id)
        if path is None or user is None or link is None or link.state != "linked":
            batch.cleared.append(slot)
            return
        wanted = manager_in_target(links.get(user.manager_id or ""), link.acknowledged.get(path))
        source = Source(user.id, "User", exists=True, name=user.user_principal_name)
        await write_manager(run, batch, slot, source, link, path, wanted)

    if path is not None:
        flight = Flight(objects={slot.source_id: [path] for slot in slots if slot.source_id in links})
        await run.journal("User", {}, flight)
    await run.each(slots, write)
    await run.record(batch)
    return True


async def write_manager(
    run: Run, batch: Batch, slot: Pending, source: Source, link: Link, path: str, wanted: str | None
) -> None:
    """Set, change or remove one person's manager; ``wanted`` is the target's id, ``path`` the target attribute."""
    known = link.acknowledged.get(path)
    if wanted == known:
        batch.cleared.append(slot)
        return
    if known == UNKNOWN:
        known = None  # what is wanted is sent, whatever is there
    change = AttributeChange(path, known, wanted)
    try:
        await run.client.set_reference("User", link.target_id, path, known, wanted)
    except TargetError as error:
        if error.may_have_arrived:
            batch.links[source.id] = replace(link, acknowledged=doubted(link.acknowledged, [path]))
        if concerns_all(error):
            raise
        _log(run, batch, source, link.target_id, [change], error)
        if not await _gone(run, batch, source, link.target_id, error):
            batch.postponed.append((slot, _later(run, slot, error), error.code, error.message))
        return
    acknowledged = {name: value for name, value in link.acknowledged.items() if name != path}
    if wanted is not None:
        acknowledged[path] = wanted
    batch.links[source.id] = replace(link, acknowledged=acknowledged)
    batch.cleared.append(slot)
    batch.touched.append((source.id, "User"))
    _log(run, batch, source, link.target_id, [change], None)


async def members(run: Run) -> bool:
    """Write the next batches of memberships, one task a group. False when none is due. Raises as ``managers``.

    Each is read from the queue while the requests of the one before are under way, as in ``row.py``.
    """
    ends = run.clock.now_ms() + ROW_MS
    async with run.writing.ending():
        pairs = await _claim_pairs(run)
        worked = bool(pairs)
        for left in reversed(range(IN_A_ROW)):
            if not pairs:
                break
            if left == 0 or run.clock.now_ms() >= ends:
                await _write_pairs(run, pairs)
                break
            leaving = asyncio.Event()
            async with ahead(_claim_beside(run, pairs[-1].slot, leaving)) as following:
                await _write_pairs(run, pairs, leaving)
                pairs = await following
    return worked


async def _claim_beside(run: Run, after: PendingMember, leaving: asyncio.Event) -> list[Pair]:
    """The next ones, once the requests of those before are under way."""
    await leaving.wait()
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    return await _claim_pairs(run, after)


async def _claim_pairs(run: Run, after: PendingMember | None = None) -> list[Pair]:
    return await run.store.claim_pairs(
        run.job.id,
        run.job.tenant_id,
        now=run.clock.now_ms(),
        limit=run.memory.pairs,
        after=(after.group_id, after.member_id) if after is not None else None,
        nested=run.job.settings.nested_groups,
    )


async def _write_pairs(run: Run, pairs: Sequence[Pair], leaving: asyncio.Event | None = None) -> None:
    """Through with these; ``leaving`` is set when their requests are about to leave."""
    batch = Batch()
    mapped = "Group" in run.mappings and run.mappings["Group"].reference("members") is not None

    leavers = [pair.slot.member_id for pair in pairs if pair.acknowledged and not pair.wanted]
    kept = await run.gate.kept(run, leavers) if leavers else set()
    batch.guard.pairs.extend(pair.slot for pair in pairs if not pair.wanted and pair.slot.member_id in kept)

    async def write(group: list[Pair]) -> None:
        if kept:
            group = [pair for pair in group if pair.wanted or pair.slot.member_id not in kept]
        await _write_group(run, batch, group)

    if mapped:
        await run.journal("Group", {}, Flight(groups=sorted({pair.slot.group_id for pair in pairs if _moves(pair)})))
        run.writing.begin()
    if leaving is not None:
        leaving.set()
    if mapped:
        await run.each([list(group) for _, group in groupby(pairs, key=lambda pair: pair.slot.group_id)], write)
    else:
        batch.pairs_cleared.extend(pair.slot for pair in pairs)
    await run.record_beside(batch)


async def _write_group(run: Run, batch: Batch, pairs: Sequence[Pair]) -> None:
    join: list[Pair] = []
    leave: list[Pair] = []
    for pair in pairs:
        present = pair.group_target is not None and pair.member_target is not None
        if present and _joins(pair):
            join.append(pair)
        elif present and _leaves(pair):
            leave.append(pair)
        else:
            # In order as it is, or one end is not in the target: its arrival will bring the membership back here.
            if _leaves(pair):
                batch.left.append(pair.slot)
            batch.pairs_cleared.append(pair.slot)
    if join or leave:
        await change_members(run, batch, join, leave)


def _joins(pair: Pair) -> bool:
    return pair.wanted and (pair.doubtful or not pair.acknowledged) and pair.member_state == "linked"


def _leaves(pair: Pair) -> bool:
    return pair.acknowledged and not pair.wanted


def _moves(pair: Pair) -> bool:
    return pair.group_target is not None and pair.member_target is not None and (_joins(pair) or _leaves(pair))


async def change_members(run: Run, batch: Batch, join: Sequence[Pair], leave: Sequence[Pair]) -> None:
    """All at once; if the target refuses that, one by one, so that one bad member does not hold up the others."""
    first = (list(join) + list(leave))[0]
    source = Source(first.slot.group_id, "Group", exists=True, name=first.group_name)
    target_id = first.group_target or ""
    slots = [pair.slot for pair in (*join, *leave)]
    try:
        done = await run.client.change_members(target_id, _targets(join), _targets(leave))
    except (Stopped, asyncio.CancelledError):
        batch.doubted.extend(slots)
        raise
    except TargetError as error:
        # Of several requests, some may have been carried out.
        if error.may_have_arrived or len(slots) > 1:
            batch.doubted.extend(slots)
        if concerns_all(error):
            raise
        if len(join) + len(leave) > 1 and not error.retryable and error.status != 404:
            for pair in join:
                await change_members(run, batch, [pair], [])
            for pair in leave:
                await change_members(run, batch, [], [pair])
            return
        for pair, change in zip([*join, *leave], _changes(join, leave), strict=True):
            batch.pairs_postponed.append((pair.slot, _later(run, pair.slot, error)))
            if (lesson := learn("Group", "members", [change], error)) is not None:
                batch.learnt.add(lesson)
            _log(run, batch, source, target_id, [change], error, member=pair)
        await _gone(run, batch, source, target_id, error)
        return
    for pair in join:
        batch.joined.append(pair.slot)
    for pair in leave:
        batch.left.append(pair.slot)
    batch.pairs_cleared.extend(pair.slot for pair in [*join, *leave])
    batch.touched.append((source.id, "Group"))
    names = {pair.member_target: pair.member_name for pair in (*join, *leave)}
    now = run.clock.now_ms()
    for one in done:
        written = [(names[id_], None, id_) if joins else (names[id_], id_, None) for id_, joins in one.members]
        batch.log.append(run.writer.members(source, target_id, written, now=now, exchange=one.exchange))


async def _gone(run: Run, batch: Batch, source: Source, target_id: str, error: TargetError) -> bool:
    """404 can mean this object or the one that it refers to. If it is this one, the cycle judges whether that is so."""
    if error.status != 404 or await run.client.read(source.kind, target_id) is not None:
        return False
    batch.vanished.append((source.id, source.kind))
    batch.considered.append(source.id)
    batch.outcomes.append((source.id, source.kind, Action.WAITING, VANISHED))
    return True


def _later(run: Run, slot: Pending | PendingMember, error: TargetError) -> Retry:
    return retry.decide(
        transient=error.retryable,
        now=run.clock.now_ms(),
        attempts=slot.attempts,
        failed_first_at=slot.failed_first_at,
    )


def _targets(pairs: Sequence[Pair]) -> list[str]:
    return [pair.member_target for pair in pairs if pair.member_target is not None]


def _changes(join: Sequence[Pair], leave: Sequence[Pair]) -> list[AttributeChange]:
    return [AttributeChange("members", None, pair.member_target) for pair in join] + [
        AttributeChange("members", pair.member_target, None) for pair in leave
    ]


def _log(
    run: Run,
    batch: Batch,
    source: Source,
    target_id: str,
    changes: Sequence[AttributeChange],
    error: TargetError | None,
    member: Pair | None = None,
) -> None:
    status: Status = "failure" if error else "success"
    whom = f" ({member.member_name})" if member and member.member_name else ""
    batch.log.append(
        run.writer.row(
            source,
            action="update",
            status=status,
            now=run.clock.now_ms(),
            target_id=target_id,
            story=Story("Update", reference=f"{changes[0].path}{whom}"),
            changes=changes,
            error_code=error.code if error else None,
            reason=error.message if error else None,
            advice=error.hint if error else None,
            exchange=error.exchange if error else run.client.last_exchange,
        )
    )
