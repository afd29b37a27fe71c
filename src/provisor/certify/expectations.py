"""What an endpoint is expected to do. The rules are data: ``expectations.toml`` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

# must: the identity provider breaks without it, or somebody keeps, loses or doubles access.
# should: data drifts, or an administrator is misled. note: worth knowing.
Level = Literal["must", "should", "note"]

# What a broken rule can do to people; the report's first lines say whether it can.
Harm = Literal["leaver", "member", "duplicate", "connect", ""]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a rule comes from. ``kind``: an RFC, Microsoft's documentation, or an observed case with its link."""

    kind: Literal["rfc", "microsoft", "okta", "observed"]
    title: str
    url: str


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. ``id`` is ``story.rule``; ``why`` says what goes wrong for people when it is broken.

    ``profiles``: whose requests make ``level`` of it, everybody's when empty; for the others it is ``elsewhere``.
    """

    id: str
    level: Level
    title: str
    why: str
    sources: tuple[Source, ...]
    harm: Harm = ""
    profiles: tuple[str, ...] = ()
    elsewhere: Level = "note"

    def seen_by(self, profile: str) -> Expectation:
        """The rule with the level that it has for this profile."""
        if not self.profiles or profile in self.profiles:
            return self
        return msgspec.structs.replace(self, level=self.elsewhere)

    @property
    def story(self) -> str:
        return self.id.partition(".")[0]


@cache
def expectations() -> dict[str, Expectation]:
    """Every rule by its id, in the order of the file."""
    text = files("provisor.certify").joinpath("expectations.toml").read_text("utf-8")
    data = tomllib.loads(text)
    named = {name: msgspec.convert(row, Source) for name, row in data["sources"].items()}
    found: dict[str, Expectation] = {}
    for row in data["expectations"]:
        sources = tuple(named[name] for name in row.pop("sources"))
        one = msgspec.convert({**row, "sources": sources}, Expectation)
        if one.id in found:
            raise ValueError(f"expectations.toml has {one.id} twice.")
        found[one.id] = one
    return found
