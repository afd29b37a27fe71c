"""Client secrets, their nouns: Graph's ``passwordCredential``."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Password:
    """A client secret without its text. ``hint``: its first three characters. Times in ms UTC."""

    key_id: str
    display_name: str | None
    hint: str
    start_at: int
    end_at: int


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A client secret that was just made: its text, this once."""

    password: Password
    text: str = field(repr=False)
