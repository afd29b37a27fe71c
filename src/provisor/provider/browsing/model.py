"""App side, step 2, its nouns: users and groups as an administrator sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """A resource in a list. ``key``: where the list goes on after it. ``source``: the name of the credential that it
    came with, null when that is gone; ``source_id`` its id, null where it was not kept."""

    id: str
    key: str
    display: str | None
    document: Mapping[str, Any]
    created_at: int
    modified_at: int
    source_id: str | None
    source: str | None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.display or str(self.document.get("userName") or self.id)

    @property
    def active(self) -> bool:
        """Whether a user may use the product; who is not said to be inactive may."""
        return self.document.get("active") is not False

    @property
    def email(self) -> str:
        """A user's primary e-mail address, else the first one, else nothing."""
        found = [one for one in self.document.get("emails", ()) if one.get("value")]
        found.sort(key=lambda one: one.get("primary") is not True)
        return str(found[0]["value"]) if found else ""

    @property
    def external_id(self) -> str:
        """What the provisioner calls it, or nothing."""
        return str(self.document.get("externalId", ""))


@dataclass(frozen=True, slots=True)
class Lines:
    """A page. ``after``: where the next one begins, null at the end. ``total``: of all, or of what was found;
    ``capped``: there are more than that."""

    lines: Sequence[Line]
    after: str | None
    total: int
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Somebody or something that is referred to. ``name``: null when it is gone."""

    kind: str
    id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Members:
    """A page of a group's members, and how many it has. ``after``: where the next page begins, null at the end."""

    members: Sequence[Link]
    after: str | None
    total: int
