"""Step export of a group's new name, in a target that renames no group: a new group takes the place of the old one.

    (strangers inside? refused) ─▶ new group, journaled ─▶ all members into it ─▶ old group deleted ─▶ link

Everybody is in the new group before the old one goes. The new group's id is kept with the link from the moment it is
known, so a crash goes on where it was. Rights that the application has tied to the old group's id are lost, which is
why this is a setting that is off, and warns.
"""

from __future__ import annotations

from provisor.connector.errors import TargetError
from provisor.connector.messages import AttributeChange
from provisor.provisioning.flights.store import Flight
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.model import Action, Link
from provisor.provisioning.notes import Item, Notes
from provisor.provisioning.run import Run
from provisor.provisioning.shown_members import shown_members

NAME = "displayName"


class _NotReplacedError(Exception):
    """Why this group is not replaced; the first argument is the log's error code."""


class Replacing:
    """Replaces the renamed groups of one batch."""

    def __init__(self, run: Run, mappings: Mappings, notes: Notes) -> None:
        self._run = run
        self._mappings = mappings
        self._notes = notes

    def wanted(self, item: Item, refused: tuple[str, ...]) -> bool:
        """Is this a rename that is to be carried out so, or one that was cut off?"""
        if self._mappings.kind != "Group" or item.link is None:
            return False
        profile = self._run.client.capabilities
        able = profile.group_create and profile.group_delete and self._run.job.settings.group_rename == "Replace"
        return item.link.successor_id is not None or (able and NAME in refused)

    async def carry_out(self, item: Item, link: Link) -> None:
        """All of it, from where it was."""
        values = self._mappings.desired(item.source.get, soft_deleted=False, creating=True)
        try:
            if values.get(NAME) == link.acknowledged.get(NAME) and link.successor_id is not None:
                await self._run.client.delete("Group", link.successor_id)
                self._notes.link(item, link.target_id, link.acknowledged, successor_id=None)
                self._notes.settle(item, Action.UNCHANGED, "RedundantExport")
                return
            members = await self._own_members(item, link)
            successor = await self._successor(item, link, values)
            await self._run.client.change_members(successor, sorted(members), [])
            await self._run.client.delete("Group", link.target_id)
        except _NotReplacedError as reason:
            code, text = reason.args
            self._notes.fail(item, code, text, advice="Move those members by hand, or set group-rename=skip.")
            return
        except TargetError as error:
            self._notes.refused(item, error, target_id=link.target_id)
            return
        self._notes.link(item, successor, values, successor_id=None)
        self._notes.settle(item, Action.UPDATED)
        text = (
            f"{self._run.job.display_name} renames no group: {link.target_id} was replaced by {successor}, with its "
            f"{len(members)} members. Rights that were tied to the old id are lost."
        )
        change = AttributeChange(NAME, link.acknowledged.get(NAME), values.get(NAME))
        self._notes.log(item, "update", "success", target_id=successor, changes=[change], reason=text)

    async def _own_members(self, item: Item, link: Link) -> set[str]:
        """Who is in the group now: all of them written by us. Raises ``_NotReplacedError``."""
        ours = await self._run.store.acknowledged_members(self._run.job.id, item.source.id)
        shown = await shown_members(self._run.client, link.target_id)
        if shown is None and ours:
            raise _NotReplacedError(
                "NotPermitted",
                f"The target does not show who is in the group {link.target_id}, so nobody knows whether it holds "
                "members of its own: it is not replaced.",
            )
        strangers = (shown or set()) - ours
        if strangers:
            named = ", ".join(sorted(strangers)[:5])
            raise _NotReplacedError(
                "NotPermitted",
                f"The group {link.target_id} holds {len(strangers)} members that were not written from here ({named}): "
                "they would lose it, so it is not replaced by one with the new name.",
            )
        return shown or set()

    async def _successor(self, item: Item, link: Link, values: dict[str, object]) -> str:
        """The group with the new name, made now or before. Raises ``_NotReplacedError``, ``TargetError``."""
        client, name = self._run.client, str(values.get(NAME))
        if link.successor_id is not None:
            found = await client.read("Group", link.successor_id)
            if found is not None and found.get(NAME) == name:
                return link.successor_id
            await client.delete("Group", link.successor_id)
        there = await client.find("Group", NAME, name)
        if there and item.intent is None:
            raise _NotReplacedError(
                "EntryConflict", f'The target has a group "{name}" already ({there[0].id}): none is made beside it.'
            )
        if there:
            made = there[0].id
        else:
            await self._run.journal("Group", {item.source.id: [(NAME, name)]}, Flight())
            made = (await client.create("Group", values)).id
        await self._run.save_successor(item.source.id, made)
        self._notes.intent_done(item)
        return made
