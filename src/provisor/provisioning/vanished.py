"""Step matching, once more: what the target says it does not have (404), although it is linked.

One account that somebody removed there is matched once more and made anew. But when more than one in twenty is gone,
the target is not what it was: restored from a backup, or another company's key was entered. Then nothing is made anew,
no link is given up, and the job waits for a person.
"""

from __future__ import annotations

from provisor.provisioning.faults import JobHalted
from provisor.provisioning.model import VANISHED, Kind
from provisor.provisioning.objects import carry, load
from provisor.provisioning.quarantine import WINDOW
from provisor.provisioning.run import BATCH, Run

# Fewer than this are no sign of anything, however small the cycle.
LEAST = 5
# More than one in so many.
SHARE = 20


async def vanished(run: Run) -> bool:
    """Deal with the next batch. False when none is left. Raises ``JobHalted``, ``CycleBroken``, ``LeaseLost``."""
    kinds: tuple[Kind, ...] = ("User", "Group")
    for kind in kinds:
        slots = await run.store.claim(run.job.id, "vanished", kind, now=run.clock.now_ms(), limit=BATCH)
        if not slots:
            continue
        await _judge(run)
        mappings = run.mappings.get(kind)
        items = await load(run, kind, slots, mappings) if mappings is not None else []
        for item in items:
            item.lost, item.link = item.link, None
        await carry(run, kind, slots, items)
        return True
    return False


async def any_vanished(run: Run) -> bool:
    """Is there anything to deal with?"""
    kinds: tuple[Kind, ...] = ("User", "Group")
    now = run.clock.now_ms()
    return any([await run.store.claim(run.job.id, "vanished", kind, now=now, limit=1) for kind in kinds])


async def _judge(run: Run) -> None:
    """Over the last 24 hours, because cycles are small where changes leave at once. Once it was judged for a cycle, it
    holds: what is made anew is looked at a second time, and would thin the numbers out."""
    if run.memory.judged == run.cycle.id:
        return
    considered, gone = await run.store.vanishing(run.job.id, run.clock.now_ms() - WINDOW)
    if gone >= LEAST and gone * SHARE > considered:
        await run.store.put_back_vanished(run.lease, now=run.clock.now_ms(), until=run.until)
        raise JobHalted(
            VANISHED,
            f"The target no longer has {gone} of {considered} linked objects that were looked at in the last 24 hours. "
            "That many do not vanish one by one: it may have been restored, or be another company's. Nothing was "
            "created anew, and no link was given up.",
            lift="Enter the right Tenant URL and Secret Token, or have the target restored, and start the job. If the "
            "objects are really gone, restart it with the reset scope Full: everybody is matched anew.",
            exchange=await run.store.latest_exchange(run.job.id, VANISHED),
        )
    run.memory.judged = run.cycle.id
