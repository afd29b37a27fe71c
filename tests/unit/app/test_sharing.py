"""The workers' parts hold every cycle, and nobody waits for a worker that does not come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provisor.app.sharing import PATIENCE_MS, part

some = st.integers(0, 1_000)


@given(some, some, st.integers(2, 64))
def test_all_parts_together_hold_every_cycle_and_no_part_is_more_than_one_too_large(
    running: int, waiting: int, workers: int
) -> None:
    each = part(running, waiting, workers, 0)
    assert each is not None
    assert each * workers >= running + waiting
    assert each == 1 or (each - 1) * workers < running + waiting


@given(some, some)
def test_a_single_worker_takes_everything(running: int, waiting: int) -> None:
    assert part(running, waiting, 1, 0) is None


@given(some, some, st.integers(1, 64))
def test_when_one_has_waited_too_long_whoever_is_there_takes_everything(
    running: int, waiting: int, workers: int
) -> None:
    assert part(running, waiting, workers, PATIENCE_MS + 1) is None
