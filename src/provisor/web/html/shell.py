"""Pages: what stands around a page in each realm. The navigation is data; what one may not see is not there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from provisor.security.actor import Actor, Right


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the navigation. ``icon``: a macro's name in ``icons.html``. ``right``: who has it not does not see it.

    ``inside``: lines below this one, shown while the reader is in its part.
    """

    title: str
    path: str
    icon: str
    right: Right | None = None
    inside: tuple[Item, ...] = ()

    def current(self, path: str) -> bool:
        """Whether ``path`` is this line's page or one below it."""
        return path == self.path or path.startswith(self.path + "/")

    def seen_by(self, actor: Actor) -> bool:
        """Whether it is offered to ``actor``."""
        return self.right is None or self.right in actor.rights


@dataclass(frozen=True, slots=True)
class Shell:
    """One realm's frame. ``home``: its first page, whose line is current only on that very page."""

    kind: Literal["tenant", "company", "none"]
    title: str
    home: str
    items: tuple[Item, ...] = field(default=())

    @property
    def sign_in(self) -> str:
        """Where one signs in."""
        return f"{self.home}/sign-in"

    @property
    def sign_out(self) -> str:
        """Where one signs out, by POST."""
        return f"{self.home}/sign-out"

    def lines(self, actor: Actor, path: str) -> list[tuple[Item, bool]]:
        """What ``actor`` is offered, each with whether the reader is there."""
        return [
            (item, path == item.path if item.path == self.home else item.current(path))
            for item in self.items
            if item.seen_by(actor)
        ]


PLAIN = Shell("none", "Provisor", "/")
