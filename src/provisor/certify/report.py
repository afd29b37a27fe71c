"""What came of a certification: the stories as they went, and the answers to the questions that matter most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from provisor.certify.expectations import Level
from provisor.certify.telling import Check, Told

# Harm -> the question that the report begins with.
QUESTIONS = {
    "connect": "Can an identity provider connect?",
    "leaver": "Can somebody keep access who should have lost it?",
    "member": "Can somebody lose a group or its rights?",
    "duplicate": "Can somebody get two accounts, or somebody else's?",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of ``QUESTIONS``. ``harmed``: yes; null: it could not be looked at."""

    harm: str
    question: str
    harmed: bool | None
    rules: tuple[str, ...]  # ids of the broken expectations that say so


@dataclass(slots=True)
class Report:
    """A whole run. ``left``: addresses of what could not be cleaned up. ``began_at``: milliseconds since 1970 UTC."""

    url: str
    profile: str
    began_at: int
    seconds: float = 0.0
    stories: list[Told] = field(default_factory=list)
    abilities: dict[str, bool] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    requests: int = 0

    @property
    def checks(self) -> Iterator[Check]:
        for story in self.stories:
            yield from story.checks

    def broken(self, level: Level | None = None) -> list[Check]:
        """The broken expectations, each once, of one level or of all."""
        found: dict[str, Check] = {}
        for check in self.checks:
            if check.verdict == "broken" and level in (None, check.expectation.level):
                found.setdefault(check.expectation.id, check)
        return list(found.values())

    @property
    def passed(self) -> bool:
        """No must is broken, and every story came to its end."""
        return not self.broken("must") and not any(story.stopped for story in self.stories)

    @property
    def answers(self) -> list[Answer]:
        """To each question: is there a broken must that does this harm?"""
        found = []
        for harm, question in QUESTIONS.items():
            looked = [check for check in self.checks if check.expectation.harm == harm]
            rules = {
                check.expectation.id: None
                for check in looked
                if check.verdict == "broken" and check.expectation.level == "must"
            }
            seen = any(check.verdict != "left out" for check in looked)
            found.append(Answer(harm, question, bool(rules) if seen else None, tuple(rules)))
        return found


def verdict_of(answer: Answer) -> str:
    """Yes or no, as the question is put; ``not looked at`` where no story came that far."""
    if answer.harmed is None:
        return "not looked at"
    yes = not answer.harmed if answer.harm == "connect" else answer.harmed
    return "yes" if yes else "no"
