"""What an initial cycle remembers of whom it has made: enough to ask the target, and no more for many than for few."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from provisor.provisioning.roster import Roster

NAMES = st.text(st.characters(codec="ascii"), max_size=8)


@given(st.lists(NAMES, max_size=20), NAMES)
def test_of_whom_it_has_made_the_list_says_nothing(made: list[str], other: str) -> None:
    roster = Roster([], ["userName"])
    assert roster.knows("userName", other)
    for value in made:
        roster.add([("userName", value)])
    assert not any(roster.knows("userName", form) for value in made for form in (value, value.swapcase()))


def test_many_take_no_more_memory_than_few_and_the_target_is_seldom_asked_for_nothing() -> None:
    roster = Roster([], ["userName"])
    tracemalloc.start()
    try:
        roster.add([("userName", "first@example.org")])
        few = tracemalloc.get_traced_memory()[0]
        for n in range(200_000):
            roster.add([("userName", f"person{n}@example.org")])
        many = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert many - few < 10_000
    unknown = sum(not roster.knows("userName", f"other{n}@example.org") for n in range(20_000))
    assert unknown < 20_000 * 0.01
