"""Step matching: which account of the target is whose. Nobody's: create. One: link. Several: a person decides.

The matching attributes are asked in the order of their precedence, and the first that finds something is the last. An
initial cycle, the first contact with a target, looks for a person's other addresses too, where those find nobody. What
a person has decided comes before all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provisor.connector.answers import TargetObject
from provisor.connector.errors import TargetError
from provisor.provisioning.decisions.model import Decision
from provisor.provisioning.mapping import MappingFailed, Mappings
from provisor.provisioning.model import Kind, Match
from provisor.provisioning.notes import Item, Notes
from provisor.provisioning.roster import Roster
from provisor.provisioning.run import Run

# A create whose reply was lost is looked for again after this time: until then it may still land.
LATE_MS = 60_000
DUPLICATE = "DuplicateTargetEntries"
# What a person sees of a candidate, to tell it from the others: name -> where the target has it.
_SHOWN = {
    **{name: name for name in ("userName", "displayName", "active", "externalId", "title")},
    "department": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "created": "meta.created",
}
_MOST_EMAILS = 5


class Matcher:
    """Looks the objects of one batch up in the target."""

    def __init__(self, run: Run, kind: Kind, mappings: Mappings, notes: Notes, roster: Roster | None) -> None:
        self._run = run
        self._kind = kind
        self._mappings = mappings
        self._notes = notes
        self._roster = roster
        # Target id -> source id, of what this batch has linked and nobody can see yet.
        self._claimed: dict[str, str] = {}

    async def holder_of(self, item: Item, target: TargetObject) -> str:
        """Whose it is: the source id of its link, of who claimed it in this batch, or else the item's own."""
        holders = await self._run.holders(self._kind, [target.id])
        return holders.get(target.id) or self._claimed.setdefault(target.id, item.source.id)

    async def find_taken(self, item: Item) -> None:
        """Which of the values that SelectUniqueValue may choose from somebody in the target has already.

        Two objects of one batch may still choose the same: a 409 puts one off, and next time it is taken.
        """
        taken: set[tuple[str, str]] = set()
        done: set[str] = set()
        try:
            for attribute, value in self._mappings.candidates(item.source.get):
                if attribute in done:
                    continue
                if await self._run.client.find(self._kind, attribute, value):
                    taken.add((attribute, value))
                else:
                    done.add(attribute)
        except TargetError as error:
            self._notes.refused(item, error)
            return
        item.taken = taken

    async def match(self, items: Sequence[Item]) -> None:
        """Find them all; what is linked to somebody else already, or wanted by two of them, is refused."""
        await self._run.each([item for item in items if not self.is_nobody(item)], self.look_up)
        found = [target.id for item in items for target in item.found]
        holders = await self._run.holders(self._kind, found) if found else {}
        wanted: dict[tuple[str, str], Item] = {}
        for item in items:
            if item.settled:
                continue
            if len(item.found) == 1:
                target_id = item.found[0].id
                holder = holders.get(target_id) or self._claimed.setdefault(target_id, item.source.id)
                if holder != item.source.id:
                    await self.taken(item, target_id, holder)
            elif isinstance(item.plan, Match) and item.plan.may_create:
                self._refuse_twin(item, wanted)

    def is_nobody(self, item: Item) -> bool:
        """Does the list that was read when the cycle began say that the target has nobody who matches? Then nothing is
        asked, of nobody: of an initial cycle, that is nearly everybody."""
        roster = self._roster
        if roster is not None and item.nobody is not None:
            # The list is the same; but somebody may have been made since.
            return all(roster.knows(*key) for key in item.nobody)
        told = item.decision or item.intent or item.slot.attempts
        if roster is None or told or not item.source.exists:
            return False
        try:
            item.keys = self._mappings.keys(item.source.get)
        except MappingFailed:
            return False  # it is told where it is looked up
        asked = item.keys + (self._aliases(item) if self._looks_for_aliases else [])
        if all(roster.knows(*key) and not roster.find(*key) for key in asked):
            item.nobody = asked
            return True
        return False

    def _refuse_twin(self, item: Item, wanted: dict[tuple[str, str], Item]) -> None:
        """Two new objects of one batch with the same matching value would be one account in the next."""
        for attribute, value in item.keys:
            twin = wanted.setdefault((attribute, value.casefold()), item)
            if twin is not item:
                self._refuse(item, f"{attribute} {value!r}", twin.source.name, twin.source.id)
                return

    async def taken(self, item: Item, target_id: str, holder: str) -> None:
        """The account is another live object's: both are named, and nothing is changed."""
        if item.intent is not None:
            # What a lost create of its own would have made is not this one. So it never arrived: search once more.
            due = item.intent.sent_at + LATE_MS
            late = self._run.clock.now_ms() >= due
            if late:
                self._notes.intent_done(item)
            self._notes.wait(item, f"{target_id} is another's ({holder}).", due_at=None if late else due)
            return
        links = await self._run.store.links(self._run.job.id, [holder])
        name = links[holder].display_name if holder in links else holder
        self._refuse(item, f"the account {target_id}", name, holder)

    def _refuse(self, item: Item, what: str, holder: str, holder_id: str) -> None:
        own = f"{item.source.name} ({item.source.id})"
        self._notes.fail(
            item,
            "DuplicateSourceEntries",
            f"{own} and {holder} ({holder_id}) both match {what}: it is that of {holder}.",
            advice="Give the two different values of the matching attribute.",
        )

    async def look_up(self, item: Item, *, ask: bool = False) -> None:
        """The target's objects that match; ``ask``: the target itself, whatever its list showed."""
        try:
            item.keys = self._mappings.keys(item.source.get) if item.source.exists else item.keys
        except MappingFailed as error:
            self._notes.fail(item, "InternalError", str(error), advice="Mend the mapping, or the source value.")
            return
        try:
            if item.decision is not None and item.decision.choice is not None:
                await self._as_decided(item, item.decision)
            else:
                await self._search(item, ask=ask)
        except TargetError as error:
            self._notes.refused(item, error)

    async def _as_decided(self, item: Item, decision: Decision) -> None:
        if decision.choice == "ignore":
            self._notes.left_out(item, decision)
        elif decision.choice == "link" and decision.target_id is not None:
            target = await self._run.client.read(self._kind, decision.target_id)
            item.found = [target] if target is not None else []
            if target is None:
                await self._search(item, ask=True)
        elif item.intent is not None:
            # The new account may be there already: it is the one that was not there when it was decided.
            for attribute, value in item.keys:
                found = await self._run.client.find(self._kind, attribute, value)
                item.found = [target for target in found if target.id not in decision.candidate_ids]
                if item.found:
                    return

    async def _search(self, item: Item, *, ask: bool) -> None:
        roster = None if ask or item.intent is not None or item.slot.attempts else self._roster
        # An account that a lost create made has the keys of that time: the person may have been renamed since.
        journaled = item.intent.keys if item.intent else ()
        asked = dict.fromkeys([*journaled, *item.keys])
        for attribute, value in asked:
            item.found = await self._find(roster, attribute, value)
            if len(item.found) > 1:
                self._ambiguous(item, attribute, value)
            if item.found:
                return
        if self._looks_for_aliases and item.source.exists:
            await self._search_aliases(item, roster, [key for key in self._aliases(item) if key not in asked])

    @property
    def _looks_for_aliases(self) -> bool:
        # A dialect that imitates another's requests sends those alone.
        run = self._run
        ours = run.client.dialect.lists_before_matching and run.job.settings.match_aliases
        # A plan looks at everybody, as an initial cycle does.
        return run.cycle.kind in ("Initial", "Plan") and ours

    async def _find(self, roster: Roster | None, attribute: str, value: str) -> list[TargetObject]:
        if roster is not None and roster.knows(attribute, value):
            return roster.find(attribute, value)
        found = await self._run.client.find(self._kind, attribute, value)
        if found:
            self._run.memory.search_works = True
        return found

    def _aliases(self, item: Item) -> list[tuple[str, str]]:
        """A person's other addresses, for the matching attributes that hold addresses."""
        attributes = [attribute for attribute, value in item.keys if "@" in value]
        if self._kind != "User" or not attributes:
            return []
        return [(attribute, address) for address in addresses(item) for attribute in attributes]

    async def _search_aliases(self, item: Item, roster: Roster | None, keys: Sequence[tuple[str, str]]) -> None:
        """An address that is another person's name by now does not lead to that person's account."""
        if not keys:
            return
        owners = await self._run.directory.users_by_upn(
            self._run.actor, self._run.job.tenant_id, {value for _, value in keys}
        )
        candidates: dict[str, TargetObject] = {}
        by = ("", "")
        for attribute, value in keys:
            owner = owners.get(value.lower())
            if owner is not None and owner.id != item.source.id:
                continue
            for target in await self._find(roster, attribute, value):
                candidates.setdefault(target.id, target)
                by = by if by[0] else (attribute, value)
        holders = await self._run.holders(self._kind, sorted(candidates))
        free = [target for id_, target in candidates.items() if holders.get(id_, item.source.id) == item.source.id]
        item.found = [target for target in free if not await self._is_anothers(item, target)]
        if len(item.found) > 1:
            self._ambiguous(item, *by)

    async def _is_anothers(self, item: Item, target: TargetObject) -> bool:
        """Does the account carry the present name of another person of the directory?"""
        shown = [str(target.get(attribute) or "") for attribute, _ in item.keys]
        names = {value for value in shown if "@" in value}
        owners = await self._run.directory.users_by_upn(self._run.actor, self._run.job.tenant_id, names)
        return any(owner.id != item.source.id for owner in owners.values())

    def _ambiguous(self, item: Item, attribute: str, value: str) -> None:
        decision = Decision(
            source_id=item.source.id,
            kind=self._kind,
            display_name=item.source.name,
            reason=DUPLICATE,
            attribute=attribute,
            value=value,
            candidates=[_candidate(target) for target in item.found],
            found_at=self._run.clock.now_ms(),
        )
        self._notes.undecided(item, decision)


def addresses(item: Item) -> list[str]:
    """A person's other addresses in lower case, the nearest to the person first; each once."""
    found: list[str] = []
    for name in ("mail", "originalUserPrincipalName", "proxyAddresses", "otherMails"):
        value = item.source.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and "@" in one:
                kind, colon, rest = one.partition(":")
                if colon and kind.lower() != "smtp":
                    continue  # sip:, x500: are no addresses of accounts
                found.append((rest if colon else one).lower())
    return list(dict.fromkeys(found))


def _candidate(target: TargetObject) -> dict[str, Any]:
    shown = {name: value for name, path in _SHOWN.items() if (value := target.get(path)) is not None}
    emails = target.raw.get("emails")
    if isinstance(emails, list):
        shown["emails"] = [one["value"] for one in emails if isinstance(one, dict) and one.get("value")][:_MOST_EMAILS]
    return {"id": target.id, **shown}
