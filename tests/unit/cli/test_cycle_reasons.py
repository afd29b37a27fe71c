"""What a command tells about objects that failed, wait or were skipped."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from provisor.cli.cycles import reasons
from provisor.cli.working import MOST_TOLD


def entry(name: str) -> dict[str, Any]:
    information = {"errorCode": "RedundantExport", "reason": "Nothing to do."}
    return {
        "provisioningStatusInfo": {"status": "skipped", "errorInformation": information},
        "provisioningSteps": [],
        "sourceIdentity": {"displayName": name},
    }


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (6, "and 2 more"),
        # The log was read up to its limit: nobody knows how many there are, so no number is claimed.
        (MOST_TOLD, f"and at least {MOST_TOLD - 4} more"),
    ],
)
def test_a_number_that_is_only_a_part_is_not_told_as_the_whole(entries: int, told: str) -> None:
    console = Console(width=200)
    with console.capture() as captured:
        for line in reasons([entry(f"p{n}") for n in range(entries)]):
            console.print(line)
    assert told in captured.get()
