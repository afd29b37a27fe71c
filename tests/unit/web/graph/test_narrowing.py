"""What of a log's filter the store can look up: never less than the filter lets through."""

from __future__ import annotations

import pytest

from provisor.clock import parse_iso
from provisor.odata.filters import parse_filter
from provisor.web.graph.logs.narrowing import narrowed
from provisor.web.graph.logs.provisioning import _TEXTS, _WORDS
from provisor.web.graph.logs.types import PROVISIONING, is_exact

AT = parse_iso("2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("jobId eq 'a'", {"job_id": "a"}),
        ("jobId eq 'a' and (cycleId eq 'b' and changeId eq 'c')", {"job_id": "a", "cycle_id": "b", "change_id": "c"}),
        ("provisioningAction eq 'STAGEDDELETE'", {"action": "stagedDelete"}),
        # No entry has it: nothing is looked up by it, and the filter lets nothing through.
        ("provisioningAction eq 'explode'", {}),
        ("provisioningStatusInfo/status eq 'Failure'", {"status": "failure"}),
        ("sourceIdentity/id eq 'x' or jobId eq 'a'", {}),
        ("not (jobId eq 'a')", {}),
        ("jobId ne 'a'", {}),
        ("contains(jobId,'a')", {}),
        ("activityDateTime gt 2026-01-01T00:00:00Z", {"since": AT}),
        ("activityDateTime le 2026-01-01T00:00:00Z", {"until": AT + 1}),
        ("activityDateTime ge 2025-01-01 and activityDateTime ge 2026-01-01T00:00:00Z", {"since": AT}),
        ("activityDateTime eq 2026-01-01T00:00:00Z", {"since": AT, "until": AT + 1}),
        ("activityDateTime gt 2026-01-01T00:00:00Z or jobId eq 'a'", {}),
    ],
)
def test_only_what_must_hold_is_looked_up(text: str, found: dict[str, object]) -> None:
    node = parse_filter(text, PROVISIONING)
    assert narrowed(node, _TEXTS, ("activityDateTime",), _WORDS) == found


def test_enumerations_are_compared_without_case_and_texts_with() -> None:
    assert is_exact(("jobId",))
    assert is_exact(("sourceIdentity", "displayName"))
    assert not is_exact(("provisioningAction",))
    assert not is_exact(("provisioningStatusInfo", "status"))
    assert not is_exact(("provisioningSteps",))
