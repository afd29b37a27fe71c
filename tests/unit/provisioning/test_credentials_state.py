"""What a test of credentials says about them, and whether a job may start."""

from __future__ import annotations

import pytest

from provisor.connector.check import ConnectionResult
from provisor.provisioning.credentials import CredentialsState, bars_start, learnt, state_of


def result(cause: str) -> ConnectionResult:
    return ConnectionResult(cause == "connected", cause, "", "It says so.", None, None)


# (before, cause of the test) -> (state that is stored, or null for nothing; may the job not start)
@pytest.mark.parametrize(
    ("before", "cause", "stored", "barred"),
    [
        ("untested", "connected", "verified", False),
        ("untested", "unauthorized", "unverified", True),
        ("untested", "not_scim", "unverified", True),
        ("untested", "connection_refused", None, False),
        ("untested", "throttled", None, False),
        ("verified", "timeout", None, False),
        ("verified", "unauthorized", "refused", True),
        ("refused", "connected", "verified", False),
        ("refused", "forbidden", "refused", True),
        ("refused", "server_failed", "refused", False),
        ("unverified", "connection_refused", "unverified", True),
        ("unverified", "connected", "verified", False),
    ],
)
def test_what_is_learnt_and_what_bars_the_start(before: str, cause: str, stored: str | None, barred: bool) -> None:
    state = CredentialsState(before)
    story = learnt(result(cause), "v1", state, 7)
    assert (story["state"] if story else None) == stored
    assert bars_start(result(cause), state) is barred


def test_what_was_learnt_of_other_credentials_says_nothing() -> None:
    story = learnt(result("connected"), "v1", CredentialsState("untested"), 7)
    assert state_of(story, "v1").state == "verified"
    assert state_of(story, "v2").state == "untested"
    assert state_of(None, "v1").state == "untested"
    assert state_of({}, "v1").state == "untested"
