"""Provision on demand of a group: its members, of any number, as the target shows them and as they should be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from provisor.provisioning.model import Link, PendingMember
from provisor.provisioning.ondemand.model import Drift
from provisor.provisioning.ondemand.store import PAGE, GroupPair, SubjectStore
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.references import change_members
from provisor.provisioning.run import Run
from provisor.provisioning.shown_members import shown_members
from provisor.provisioning.store import Pair

# Members that one account of a group's drift names.
NAMED = 50


@dataclass(slots=True)
class MemberWork:
    """What is to be done, and what was found."""

    join: list[Pair] = field(default_factory=list)
    leave: list[Pair] = field(default_factory=list)
    # What the target has done without us: confirmed memberships that it has not, and others that it has.
    lost: list[PendingMember] = field(default_factory=list)
    there: list[PendingMember] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    strangers: int = 0
    kept: int = 0


async def survey(
    run: Run, store: SubjectStore, group: Link, only: Collection[str] | None, *, read: bool = True
) -> MemberWork:
    """Compare directory, acknowledged memberships and the target. ``only``: these members, null all of them."""
    shown = await shown_members(run.client, group.target_id) if read else None
    work = MemberWork()
    ours: set[str] = set()
    after = ""
    while page := await store.group_pairs(run.job.id, run.job.tenant_id, group.source_id, after):
        after = page[-1].member_id
        ours.update(pair.target_id for pair in page if pair.target_id)
        for pair in page:
            if only is None or pair.member_id in only:
                _place(work, group, pair, shown)
        if len(page) < PAGE:
            break
    if shown is not None and only is None:
        await _others(run, store, work, group, shown - ours)
    return work


async def carry_out(run: Run, work: MemberWork) -> Batch:
    """Send it, a batch of memberships a commit; the last batch, whose log tells what came of it.

    Raises ``CycleBroken``, ``LeaseLost``.
    """
    batch = Batch(left=work.lost, joined=work.there)
    if work.lost or work.there:
        await run.record(batch)
    pairs = [(pair, True) for pair in work.join] + [(pair, False) for pair in work.leave]
    done = Batch()
    for at in range(0, len(pairs), run.memory.pairs):
        part = pairs[at : at + run.memory.pairs]
        batch = Batch()
        await run.each(
            [part],
            lambda chunk, into=batch: change_members(  # type: ignore[misc]
                run, into, [pair for pair, joins in chunk if joins], [pair for pair, joins in chunk if not joins]
            ),
        )
        batch.touched.clear()
        await run.record(batch)
        done.log.extend(batch.log)
        done.joined += batch.joined
        done.left += batch.left
    return done


def _place(work: MemberWork, group: Link, pair: GroupPair, shown: set[str] | None) -> None:
    has = pair.acknowledged if shown is None else pair.target_id in shown
    slot = PendingMember(group.source_id, pair.member_id, 0, None)
    if pair.wanted and (pair.target_id is None or (pair.state != "linked" and not has)):
        work.waiting.append(pair.member_id)
    if pair.target_id is None:
        return
    if shown is not None and pair.acknowledged and not has:
        work.lost.append(slot)
        _note(work, Drift(f"members {pair.name}", pair.target_id, None))
    if shown is not None and has and not pair.acknowledged and pair.wanted:
        work.there.append(slot)
    row = Pair(slot, pair.wanted, has, group.target_id, group.display_name, pair.target_id, pair.state, pair.name)
    if pair.wanted and not has and pair.state == "linked":
        work.join.append(row)
    elif has and not pair.wanted:
        work.leave.append(row)
    elif has:
        work.kept += 1


async def _others(run: Run, store: SubjectStore, work: MemberWork, group: Link, ids: set[str]) -> None:
    """Members that the target has without us: who is linked does not belong there, who is not is the target's own."""
    linked = await store.linked_targets(run.job.id, sorted(ids)) if ids else {}
    for target_id, (source_id, name) in sorted(linked.items()):
        slot = PendingMember(group.source_id, source_id, 0, None)
        work.leave.append(Pair(slot, False, True, group.target_id, group.display_name, target_id, "linked", name))
        _note(work, Drift(f"members {name}", None, target_id))
    work.strangers = len(ids) - len(linked)


def _note(work: MemberWork, drift: Drift) -> None:
    if len(work.drift) < NAMED:
        work.drift.append(drift)
