"""How workers share the cycles: each takes at most its part of those that run and wait, so that none has all of them
while another has nothing to do.

The queue gives whoever asks first all that waits there. Each worker's part is written into the queue's settings
(``worker_concurrency``), which every worker reads before it asks.
"""

from __future__ import annotations

from dbos import DBOS

# Nobody waits for a worker that is counted and does not come: after so long, whoever is there takes everything.
PATIENCE_MS = 2_000


def part(running: int, waiting: int, workers: int, waited_ms: int) -> int | None:
    """How many cycles one of so many workers may run at once; null for any number. All parts together hold them all."""
    if workers < 2 or waited_ms > PATIENCE_MS:
        return None
    return max(1, -(-(running + waiting) // workers))


async def share_out(queue_name: str, wanted: int | None) -> None:
    """Make it the part of every worker of the queue."""
    queue = await DBOS.retrieve_queue_async(queue_name)
    if queue is not None and await queue.get_worker_concurrency_async() != wanted:
        await queue.set_worker_concurrency_async(wanted)
