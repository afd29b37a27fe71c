"""``provisor certify`` finds what people found in production, and nothing at an endpoint that is well."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.e2e.broken_endpoints.broken import BROKEN
from tests.e2e.broken_endpoints.healthy import Healthy

from provisor.certify.report import Report
from provisor.certify.runner import Order, certify
from provisor.certify.stories import STORIES

# The story of pace waits for real seconds; the command's own tests tell it.
_QUICK = tuple(story.name for story in STORIES if story.name != "pace")


def certified(endpoint: Healthy, profile: str = "entra", only: Sequence[str] = _QUICK) -> Report:
    order = Order(endpoint.root, endpoint.token, profile, only)
    return asyncio.run(certify(order, endpoint, lambda _: None))


def broken(report: Report) -> list[str]:
    return [check.expectation.id for check in report.broken()]


@pytest.mark.parametrize("profile", ["entra", "entra-aadOptscim062020", "rfc", "okta"])
def test_a_healthy_endpoint_is_well(profile: str) -> None:
    endpoint = Healthy()
    report = certified(endpoint, profile)
    assert broken(report) == []
    assert report.passed
    assert [story.stopped for story in report.stories if story.stopped] == []
    # Nothing is left behind.
    assert (endpoint.users, endpoint.groups, report.left) == ({}, {}, [])


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_endpoint_is_found_by_the_rule_that_names_its_cause(kind: type[Healthy]) -> None:
    report = certified(kind(), kind.profile)
    assert kind.found_by in broken(report)
    assert not report.passed
