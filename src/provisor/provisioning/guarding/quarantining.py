"""Step guard, Entra's own: while its threshold holds something, the job is in quarantine for ``TooManyDeletes``.

``reference/entra-provisioning-service.md`` sections 17 and 18. Our own limits hold what is too much and let the rest go
on; who has switched Entra's guard on gets what its documentation says, the slowed cycles included.
"""

from __future__ import annotations

from typing import Any

from provisor.provisioning import quarantine
from provisor.provisioning.run import Run

REASON = "TooManyDeletes"


async def kept_quarantine(run: Run) -> dict[str, Any] | None:
    """At a cycle's end, before its success lifts the quarantine: the one to enter, or to stay in, if the threshold
    holds something."""
    waves = [wave for wave in await run.guards.waves(run.job.id) if wave.rule == "deleteThreshold"]
    if not waves:
        return None
    now = run.clock.now_ms()
    state = await run.store.state(run.job.id, now)
    return quarantine.enter(
        state.quarantine,
        now=now,
        reason=REASON,
        code=REASON,
        message=f"{waves[-1].reason} Approve or reject them; allowing them is also a restart with ForceDeletes.",
        exchange=None,
        lift="The last decision about what is held lifts it.",
    )
