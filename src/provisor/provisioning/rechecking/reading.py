"""Step matching, after a restart: the target object of each link is read, from the target's list where there is one.

The difference of the plan is then taken against what is there, as on demand. An ordinary cycle does without.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from provisor.connector.errors import TargetError
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.model import Kind
from provisor.provisioning.notes import Item, Notes
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.roster import Roster
from provisor.provisioning.run import Run
from provisor.provisioning.seen import seen_state
from provisor.provisioning.shown_members import shown_members

# Cycles that look at everybody.
KINDS = frozenset({"Initial", "Plan"})


async def recheck(
    run: Run,
    kind: Kind,
    mappings: Mappings,
    notes: Notes,
    batch: Batch,
    items: Sequence[Item],
    roster: Roster | None,
) -> None:
    """Take what the target shows for the acknowledged state of those that a restart has asked for."""
    linked = [item for item in items if item.link is not None and item.link.state == "linked" and not item.settled]
    if run.cycle.kind not in KINDS or not linked:
        return
    asked = await run.rechecks.asked_of(run.job.id, [item.source.id for item in linked])
    manager = mappings.reference("manager") if kind == "User" else None
    members = kind == "Group" and mappings.reference("members") is not None

    async def read(item: Item) -> None:
        link = item.link
        if link is None:
            return
        try:
            target = roster.get(link.target_id) if roster is not None else None
            target = target or await run.client.read(kind, link.target_id)
            if target is None:
                notes.vanished(item, None, run.client.last_exchange)
                return
            if members and (shown := await shown_members(run.client, link.target_id)) is not None:
                batch.rechecked.members[link.source_id] = sorted(shown)
        except TargetError as error:
            notes.refused(item, error)
            return
        state, differences = seen_state(target, link.acknowledged, manager)
        if differences:
            item.link = replace(link, acknowledged=state)
            notes.link(item, link.target_id, state, link.state)
        batch.rechecked.done.append(link.source_id)

    await run.each([item for item in linked if item.source.id in asked], read)
