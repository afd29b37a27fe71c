"""What goes on beside a block ends with it, whatever it does with being cancelled."""

from __future__ import annotations

import asyncio

import pytest

from provisor.tasks import beside, end


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisor.tasks.PATIENCE_SECONDS", 0.01)


async def test_a_task_that_loses_a_cancellation_is_ended_all_the_same() -> None:
    lost = 0

    async def goes_on() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                lost += 1
                if lost == 3:
                    raise

    async with beside(goes_on()):
        await asyncio.sleep(0)
    assert lost == 3


async def test_what_is_beside_a_block_runs_while_it_lasts_and_not_after() -> None:
    steps = 0

    async def step() -> None:
        nonlocal steps
        while True:
            steps += 1
            await asyncio.sleep(0)

    async with beside(step(), step()):
        await asyncio.sleep(0.01)
    seen = steps
    assert seen > 2
    await asyncio.sleep(0.01)
    assert steps == seen


async def test_what_failed_beside_a_block_is_raised_at_its_end() -> None:
    async def fail() -> None:
        raise LookupError("no database")

    with pytest.raises(LookupError, match="no database"):
        async with beside(fail()):
            await asyncio.sleep(0)


async def test_a_task_that_is_over_is_no_trouble() -> None:
    task = asyncio.create_task(asyncio.sleep(0))
    await task
    await end(task)
    await end()
