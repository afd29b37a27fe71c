"""Plans, step matching: what the target has already, read from its list where that costs less than to ask for each.

A cycle keeps a list of at most 20,000 objects in memory; a plan puts any number aside in a table, so that its memory
does not grow with the target. Nothing is decided on the list alone: whoever applies the plan asks the target again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from provisor.connector.answers import Page, TargetObject
from provisor.connector.errors import TargetError
from provisor.connector.exchange import Exchange
from provisor.provisioning.faults import CycleBroken, concerns_all
from provisor.provisioning.mapping import MappingFailed, Mappings
from provisor.provisioning.matching import addresses
from provisor.provisioning.model import Kind
from provisor.provisioning.notes import Item
from provisor.provisioning.planning.store import PlanStore
from provisor.provisioning.roster import PAGE_COST, Roster, folded
from provisor.provisioning.run import Run

# So many pages are read without a second thought.
CHEAP_PAGES = 10


class TargetFinder:
    """Gives each batch the target's objects that could match its members; null where each has to be asked for."""

    def __init__(self, run: Run, store: PlanStore, plan_id: str, kind: Kind, mappings: Mappings) -> None:
        self._run = run
        self._store = store
        self._plan_id = plan_id
        self._kind = kind
        self._mappings = mappings
        self._attributes = [row.target for row in mappings.mapping.matching]
        self._first: Page | None = None
        self._exchange: Exchange | None = None
        # null: not decided; false: the list is of no use, so each is asked for
        self._listed: bool | None = None
        self._asked = 0

    async def roster_for(self, items: Sequence[Item]) -> Roster | None:
        """For the new ones among these. Raises ``CycleBroken`` for what concerns every request."""
        new = [item for item in items if item.link is None and item.source.active and item.entitlement.in_scope]
        if not new or self._listed is False:
            return None
        if self._listed is None and not await self._list_is_cheaper(len(new)):
            self._asked += len(new)
            return None
        return await self._matching(new)

    async def _list_is_cheaper(self, new: int) -> bool:
        size = self._run.client.capabilities.page_size
        if not self._run.client.dialect.lists_before_matching:
            self._listed = False
            return False
        try:
            if self._first is None:
                self._first = await self._run.client.list_page(self._kind, 1, size)
            total = self._first.total
            if total is None:
                self._listed = False
                return False
            pages = -(-total // size)
            if pages > CHEAP_PAGES and pages * PAGE_COST > self._asked + new:
                return False
            self._listed = await self._read_all(self._first, total, size)
        except TargetError as error:
            if concerns_all(error):
                raise CycleBroken(error) from error
            self._listed = False
        return self._listed

    async def _read_all(self, page: Page, total: int, size: int) -> bool:
        """Whether the list gives all that it counts, each with its matching attributes."""
        seen = 0
        while page.objects:
            seen += len(page.objects)
            self._exchange = page.objects[0].exchange
            if not await self._keep(page.objects):
                return False
            if seen >= total:
                break
            page = await self._run.client.list_page(self._kind, seen + 1, size)
        return seen >= total

    async def _keep(self, found: Sequence[TargetObject]) -> bool:
        rows: list[tuple[str, str, str, str]] = []
        for one in found:
            document = msgspec.json.encode(one.raw).decode()
            for attribute in self._attributes:
                value = one.get(attribute)
                if value in (None, ""):
                    return False
                rows.append((attribute, folded(value), one.id, document))
        await self._store.save_targets(self._plan_id, self._kind, rows)
        return True

    async def _matching(self, new: Sequence[Item]) -> Roster:
        wanted: dict[str, set[str]] = {}
        for item in new:
            try:
                keys = self._mappings.keys(item.source.get)
            except MappingFailed:  # told by the plan itself
                continue
            for attribute, value in keys:
                # Who is not found under the present address may be there under another one.
                others = addresses(item) if self._kind == "User" and "@" in value else []
                wanted.setdefault(attribute, set()).update(folded(one) for one in (value, *others))
        found: dict[str, TargetObject] = {}
        for attribute, values in wanted.items():
            rows = await self._store.targets_by(self._plan_id, self._kind, attribute, sorted(values))
            for _, document in rows:
                raw = msgspec.json.decode(document)
                if self._exchange is not None:
                    found[str(raw["id"])] = TargetObject(str(raw["id"]), raw, self._exchange)
        return Roster(list(found.values()), self._attributes)
