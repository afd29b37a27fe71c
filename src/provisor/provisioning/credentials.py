"""Before the first cycle: credentials are tried before they are saved, and a job does not start on those that failed.

untested     nobody has tried them: the start does
verified     the target accepted them
unverified   they were saved although their test failed
refused      the target accepted them once, and refuses them now
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisor.connector.check import ConnectionResult
from provisor.errors import Conflict

# A target that does not answer says nothing about credentials.
_NO_ANSWER = frozenset({"connection_refused", "timeout", "connection_lost", "throttled", "server_failed"})
_STATES = ("verified", "unverified", "refused")


class CredentialsRefused(Conflict):
    """The credentials failed their test."""

    def __init__(self, result: ConnectionResult, what: str, hint: str) -> None:
        super().__init__(f"{what} {result.message}", hint=f"{result.hint or 'Mend the cause.'} {hint}")
        self.result = result


@dataclass(frozen=True, slots=True)
class CredentialsState:
    """What is known of a job's credentials. ``state`` is one of the four above; the rest is of their last test."""

    state: str
    cause: str | None = None
    message: str | None = None
    hint: str | None = None
    at: int | None = None


def state_of(story: Mapping[str, Any] | None, version: str) -> CredentialsState:
    """From what is stored. What was learnt of others, before the present ones were saved, says nothing about these."""
    if story is None or story.get("version") != version or story.get("state") not in _STATES:
        return CredentialsState("untested")
    return CredentialsState(story["state"], story.get("cause"), story.get("message"), story.get("hint"), story["at"])


def learnt(result: ConnectionResult, version: str, before: CredentialsState, now: int) -> dict[str, Any] | None:
    """What to store after a test; ``None`` when it says nothing about the credentials."""
    if not result.ok and not refused(result) and before.state in ("untested", "verified"):
        return None
    state = "verified" if result.ok else "refused" if before.state in ("verified", "refused") else "unverified"
    return {
        "version": version,
        "state": state,
        "cause": result.cause,
        "message": result.message,
        "hint": result.hint,
        "at": now,
    }


def refused(result: ConnectionResult) -> bool:
    """Did the target answer, and not accept them?"""
    return not result.ok and result.cause not in _NO_ANSWER


def bars_start(result: ConnectionResult, before: CredentialsState) -> bool:
    """May a job not start after this test? Silence bars only those that were saved as unverified."""
    return refused(result) or (not result.ok and before.state == "unverified")
