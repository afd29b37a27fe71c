"""Step export of what has no link yet: create it, or link the account that is there and send what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from provisor.connector.answers import TargetObject
from provisor.connector.errors import INCOMPATIBLE_FILTERING, Conflict409, TargetError
from provisor.connector.messages import AttributeChange
from provisor.provisioning.doubts import doubted
from provisor.provisioning.entry import wire
from provisor.provisioning.faults import JobHalted
from provisor.provisioning.mapping import Mappings, adoption
from provisor.provisioning.matching import Matcher
from provisor.provisioning.model import Action, Kind, Match
from provisor.provisioning.notes import Item, Notes
from provisor.provisioning.plan import Rule, confirmed
from provisor.provisioning.roster import Roster
from provisor.provisioning.run import Run

# A target may take a moment to find what it has just made.
_LOOKS, _PAUSE = 4, 1.0

# (item, creating) -> target attribute path -> value
Values = Callable[[Item, bool], Mapping[str, Any]]


class Linker:
    """Makes the links of one batch."""

    def __init__(
        self,
        run: Run,
        kind: Kind,
        mappings: Mappings,
        notes: Notes,
        matcher: Matcher,
        rule: Rule,
        values: Values,
        roster: Roster | None,
    ) -> None:
        self._run = run
        self._kind = kind
        self._mappings = mappings
        self._notes = notes
        self._matcher = matcher
        self._rule = rule
        self._values = values
        self._roster = roster

    async def link(self, item: Item, match: Match) -> None:
        """By what was found: ours from a create whose answer was lost, somebody's, or nothing."""
        if item.found and item.intent is not None:
            await self._adopt_ours(item, match, item.found[0])
        elif item.found:
            await self._adopt(item, match, item.found[0])
        else:
            await self._create(item, match)

    async def prove(self, creates: Sequence[Item]) -> None:
        """Before a target is sent many creates: does its search find what is there? One that answers an empty list for
        everything would have everybody made twice. Asked for somebody linked, or for the first that is made.

        Raises ``JobHalted`` when it does not; what was created until then is linked.
        """
        run = self._run
        dialect = run.client.dialect
        if run.memory.search_works or run.watch is None or not dialect.lists_before_matching or not creates:
            return
        credentials = await run.applications.credentials_version(run.actor, run.job.id)
        state = await run.store.state(run.job.id, run.clock.now_ms())
        if state.search_proved != f"{self._kind} {credentials}":
            known = await self._known(creates)
            if known is None:
                return
            await self._check_found(*known)
            await run.store.prove_search(run.job.id, f"{self._kind} {credentials}")
        run.memory.search_works = True

    async def _known(self, creates: Sequence[Item]) -> tuple[str, tuple[str, str]] | None:
        """A target object that is certainly there, and what it is found by."""
        first = self._mappings.mapping.matching[0].target
        link = await self._run.store.some_link(self._run.job.id, self._kind)
        if link is not None and isinstance(link.acknowledged.get(first), str):
            return link.target_id, (first, link.acknowledged[first])
        canary = creates[0]
        await self._run.each([canary], lambda item: self.link(item, item.plan))  # type: ignore[arg-type]
        made = self._notes.noted(canary)
        return (made.target_id, canary.keys[0]) if made is not None and canary.keys else None

    async def _check_found(self, target_id: str, key: tuple[str, str]) -> None:
        async def look(found: list[str]) -> None:
            found[:] = [target.id for target in await self._run.client.find(self._kind, *key)]

        found: list[str] = []
        for _ in range(_LOOKS):
            await self._run.each([found], look)
            if self._run.interrupted or target_id in found:
                return
            await self._run.clock.sleep(_PAUSE)
        exchange = self._run.client.last_exchange
        self._run.halted = JobHalted(
            INCOMPATIBLE_FILTERING,
            f'The target has the {self._kind.lower()} {target_id}, but its search for {key[0]} "{key[1]}" does not '
            "find it. Whom it does not find would be made twice, so nobody else is created.",
            lift="Have the target's search mended, or match by an attribute that it finds; then start the job.",
            exchange=wire(exchange) if exchange is not None else None,
        )

    async def _create(self, item: Item, match: Match) -> None:
        path = self._mappings.reference("manager") if item.manager is not None else None
        acknowledged = dict(match.values)
        values = match.values
        if path is not None and self._run.client.dialect.creates_with_references:
            acknowledged[path] = item.manager
            values = {**match.values, path: {"value": item.manager}}
        item.asked = True
        try:
            created = await self._run.client.create(self._kind, values)
        except TargetError as error:
            if isinstance(error, Conflict409) or error.may_have_arrived:
                await self._after_doubt(item, match, error)
            else:
                self._notes.intent_done(item)
                self._notes.refused(item, error)
            return
        self._notes.intent_done(item)
        self._created(item, acknowledged, created.id)
        if self._roster is not None:
            self._roster.add(item.keys)

    def _created(self, item: Item, acknowledged: Mapping[str, Any], target_id: str) -> None:
        self._notes.link(item, target_id, acknowledged)
        self._notes.settle(item, Action.CREATED)
        changes = [AttributeChange(path, None, value) for path, value in acknowledged.items()]
        self._notes.log(item, "create", "success", target_id=target_id, changes=changes, reason=_why_again(item))

    async def _after_doubt(self, item: Item, match: Match, error: TargetError) -> None:
        """409, or a reply that was lost: the account may be there. Look, and link; never create a second one."""
        await self._matcher.look_up(item, ask=True)
        if item.settled:
            self._notes.intent_done(item)
            return
        if item.found:
            target = item.found[0]
            holder = await self._matcher.holder_of(item, target)
            self._notes.intent_done(item)
            if holder != item.source.id:
                await self._matcher.taken(item, target.id, holder)
            elif isinstance(error, Conflict409):
                await self._adopt(item, match, target)
            else:
                await self._adopt_ours(item, match, target)
        elif isinstance(error, Conflict409):
            self._notes.intent_done(item)
            self._notes.refused(item, error)
        else:
            self._notes.wait(item, error.message)

    async def _adopt_ours(self, item: Item, match: Match, target: TargetObject) -> None:
        """The create did arrive; if the target shows all of it, that is a creation like any other."""
        _, changes = adoption(match.values, target.values, self._rule.always, self._rule.flows)
        self._notes.intent_done(item)
        if changes:
            await self._adopt(item, match, target)
        else:
            self._created(item, {**match.values, **self._manager_shown(item, target)}, target.id)

    def _manager_shown(self, item: Item, target: TargetObject) -> dict[str, Any]:
        """The manager, if the target shows the wanted one: it went along with the create."""
        path = self._mappings.reference("manager")
        if path is None or item.manager is None:
            return {}
        shown = target.get(path)
        value = shown.get("value") if isinstance(shown, Mapping) else shown
        return {path: item.manager} if value == item.manager else {}

    def adopts(self, item: Item, target: TargetObject) -> tuple[dict[str, Any], tuple[AttributeChange, ...]]:
        """Of an account that is to be linked: what it has already, and what is to be sent."""
        # As an update, for it is one: what flows during creation only, defaults among them, does not flow here.
        values = self._values(item, False)
        always = self._rule.always - self._rule.fixed
        return adoption(values, target.values, always, self._rule.flows)

    async def _adopt(self, item: Item, match: Match, target: TargetObject) -> None:
        """An account exists already: link it, then send what it lacks. The link stays even if that is refused."""
        agreed, changes = self.adopts(item, target)
        self._notes.intent_done(item)
        self._notes.link(item, target.id, agreed)
        if not changes or not match.may_update:
            self._notes.settle(item, Action.UNCHANGED, "RedundantExport")
            text = "It was matched with an account that exists, and nothing needs to be changed."
            text = f"{_why_again(item) or ''} {text}".strip()
            self._notes.log(item, "other", "skipped", code="RedundantExport", reason=text, target_id=target.id)
            return
        try:
            present = [path for path, value in target.values.items() if value is not None]
            await self._run.client.update(self._kind, target.id, changes, present=present)
        except TargetError as error:
            if error.may_have_arrived:
                self._notes.link(item, target.id, doubted(agreed, [change.path for change in changes]))
            if isinstance(error, Conflict409):
                # Linked it is, under the name that it has; as an update, the new one waits for whoever gives it up.
                has = {change.path: change.old for change in changes if change.path in self._rule.matching}
                self._notes.link(item, target.id, {**agreed, **{path: old for path, old in has.items() if old}})
                self._notes.wait(item, error.message)
                return
            self._notes.refused(item, error, target_id=target.id, changes=changes)
            return
        self._notes.link(item, target.id, confirmed(agreed, changes))
        self._notes.settle(item, Action.UPDATED)
        self._notes.log(item, "update", "success", target_id=target.id, changes=changes, reason=_why_again(item))


def _why_again(item: Item) -> str | None:
    """Of an object that had an account before: why it is matched once more."""
    if item.lost is None:
        return None
    return f"The target no longer had {item.lost.target_id} (404), so it was matched once more."
