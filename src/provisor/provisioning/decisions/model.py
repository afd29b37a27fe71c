"""Step matching: what a person has to decide, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from provisor.provisioning.model import Kind

Choice = Literal["link", "create", "ignore"]
CHOICES: tuple[Choice, ...] = ("link", "create", "ignore")


@dataclass(frozen=True, slots=True)
class Decision:
    """One object that could be several accounts: ``attribute`` and ``value`` found all of ``candidates``.

    ``choice``: null until somebody has decided; ``link`` with one candidate's id in ``target_id``, ``create`` a new
    account, or ``ignore``: it is left out until somebody decides otherwise.
    """

    source_id: str
    kind: Kind
    display_name: str
    reason: str
    attribute: str
    value: str
    candidates: Sequence[Mapping[str, Any]]  # {"id", "userName" or "displayName", "active", …}, as the target has them
    found_at: int
    choice: Choice | None = None
    target_id: str | None = None
    decided_by: str | None = None
    decided_at: int | None = None

    @property
    def candidate_ids(self) -> frozenset[str]:
        return frozenset(str(candidate["id"]) for candidate in self.candidates)
