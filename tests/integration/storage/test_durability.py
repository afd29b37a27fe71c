"""Nothing that was acknowledged is lost, whoever dies and however many processes write."""

import signal
import subprocess
from collections.abc import Callable

from provisor.storage.database import Tx
from provisor.testing.database import Store

Burst = Callable[[Store, str, int], "subprocess.Popen[str]"]


async def stored(store: Store) -> set[str]:
    async def work(tx: Tx) -> set[str]:
        return {name for (name,) in await tx.fetch_all("SELECT name FROM setting")}

    database = store.database()
    await database.open()
    found = await database.read(work)
    await database.close()
    return found


async def test_kill_9_in_a_burst_of_acknowledged_writes_loses_none(store: Store, burst: Burst) -> None:
    acknowledged: set[str] = set()
    for round_number in range(3):
        process = burst(store, f"r{round_number}-", 0)
        assert process.stdout is not None
        for _ in range(200 + round_number * 77):
            acknowledged.add(process.stdout.readline().strip())
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        # A line that the kill cut short was not told to anyone.
        acknowledged.update(line.strip() for line in rest.splitlines(keepends=True) if line.endswith("\n"))
        assert process.returncode == -signal.SIGKILL
        assert acknowledged <= await stored(store)
    assert len(acknowledged) > 800


async def test_processes_that_write_at_once_lose_nothing(store: Store, burst: Burst) -> None:
    processes = [burst(store, f"p{number}-", 400) for number in range(3)]
    printed = {line for process in processes for line in process.communicate()[0].split()}
    assert [process.returncode for process in processes] == [0, 0, 0]
    expected = {f"p{number}-{row}" for number in range(3) for row in range(400)}
    assert printed == expected
    assert await stored(store) == expected
