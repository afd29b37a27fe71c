"""How much is too much: the limits at every size, and what they say to a wave."""

from __future__ import annotations

import pytest

from provisor.applications.model import Guard, JobSettings, Notification
from provisor.provisioning.guarding.gate import budget_of
from provisor.provisioning.guarding.model import Wave, judge_changes, judge_deletions, limits
from provisor.provisioning.guarding.store import Extent


def extent(**given: int) -> Extent:
    sizes = {"linked": 0, "executed": 0, "ahead": 0, "changed": 0, "deleted": 0, **given}
    return Extent(**sizes, any_deferred=False)


@pytest.mark.parametrize(
    ("linked", "deletions", "rule", "changes"),
    [
        (0, 4, "percent", 4),  # never held below five
        (10, 4, "percent", 4),
        (49, 4, "percent", 12),
        (50, 5, "percent", 12),
        (1_000, 100, "percent", 250),
        (5_000, 500, "absolute", 1_250),
        (100_000, 500, "absolute", 25_000),
    ],
)
def test_the_limits_of_a_job_as_it_comes(linked: int, deletions: int, rule: str, changes: int) -> None:
    limit = limits(JobSettings(), linked)
    assert (limit.deletions, limit.deletions_rule, limit.changes, limit.threshold) == (deletions, rule, changes, None)


@pytest.mark.parametrize(
    ("wanted", "done", "rule"),
    [
        (100, 0, None),
        (101, 0, "percent"),
        (1, 100, "percent"),  # what left one by one within the window counts
        (0, 100, None),
    ],
)
def test_deletions_within_the_window(wanted: int, done: int, rule: str | None) -> None:
    assert judge_deletions(limits(JobSettings(), 1_000), wanted=wanted, done=done)[0] == rule


@pytest.mark.parametrize(("wanted", "rule"), [(250, None), (251, "changes")])
def test_changes_by_one_cycle(wanted: int, rule: str | None) -> None:
    assert judge_changes(limits(JobSettings(), 1_000), wanted=wanted)[0] == rule


def test_entras_threshold_is_apart_and_may_be_small() -> None:
    notification = Notification(delete_threshold_enabled=True, delete_threshold_value=3)
    limit = limits(JobSettings(notification=notification, guard=Guard(enabled=False)), 1_000)
    assert judge_deletions(limit, wanted=3, done=50) == (None, 3)
    assert judge_deletions(limit, wanted=4, done=0) == ("deleteThreshold", 3)
    both = limits(JobSettings(notification=notification), 1_000)
    assert judge_deletions(both, wanted=101, done=0)[0] == "percent"


@pytest.mark.parametrize(
    ("sizes", "deletions", "changes"),
    [
        ({"linked": 1_000, "ahead": 100}, False, False),  # whatever these come to, no limit breaks
        ({"linked": 1_000, "ahead": 101}, True, False),
        ({"linked": 1_000, "ahead": 50, "executed": 60}, True, False),
        ({"linked": 1_000, "ahead": 251}, True, True),
        ({"linked": 1_000, "ahead": 200, "changed": 60}, True, True),
        ({"linked": 0, "ahead": 0}, False, False),  # a first cycle only creates
    ],
)
def test_only_what_could_break_a_limit_is_counted_before_it_is_sent(
    sizes: dict[str, int], deletions: bool, changes: bool
) -> None:
    limit = limits(JobSettings(), sizes["linked"])
    budget = budget_of(limit, extent(**sizes))
    assert (budget.defers_deletions, budget.defers_changes) == (deletions, changes)


def test_a_wave_says_why_it_is_held() -> None:
    wave = Wave("w", "j", "c", "deletions", "percent", 90, 20, 1_000, 100, 0)
    assert wave.reason == (
        "90 of 1000 linked objects would be deleted or disabled, after 20 in the last 24 hours, and 100 within 24 "
        "hours are the most that go without asking."
    )
