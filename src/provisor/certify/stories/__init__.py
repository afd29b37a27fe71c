"""The stories, in the order they are told: can it connect, does it match, can it remove people, then the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from provisor.certify.stories import (
    changes,
    conflicts,
    connect,
    discovery,
    joiners,
    leavers,
    managers,
    matching,
    members,
    paging,
    renames,
    troubles,
)
from provisor.certify.telling import Telling

Need = Literal["groups", "soft_delete", "manager"]


@dataclass(frozen=True, slots=True)
class Story:
    """One story. ``needs``: capabilities without which it has nothing to tell."""

    name: str
    title: str
    tell: Callable[[Telling], Awaitable[None]]
    needs: tuple[Need, ...] = ()


STORIES = (
    Story("connect", "The connection test", connect.connect),
    Story("discovery", "Schema discovery", discovery.discovery),
    Story("match", "Finding accounts that exist", matching.match),
    Story("join", "The first cycle, in two passes", joiners.join),
    Story("leaver", "Unassigned, and assigned again", leavers.leaver),
    Story("recycle", "The recycle bin, 30 days, and back", leavers.recycle),
    Story("rehire", "Hired again under the same name", leavers.rehire),
    Story("members", "A group filled, emptied and filled again", members.members, ("groups",)),
    Story("change", "Attributes change", changes.change),
    Story("manager", "A manager set, changed and removed", managers.manager, ("manager",)),
    Story("rename", "New names", renames.rename),
    Story("conflict", "Conflicts and wrong requests", conflicts.conflict),
    Story("lost-reply", "A reply is lost", troubles.lost_reply),
    Story("vanished", "An account is deleted behind the directory's back", troubles.vanished),
    Story("paging", "Page by page", paging.paging),
    Story("pace", "How fast it may go", troubles.pace),
)
