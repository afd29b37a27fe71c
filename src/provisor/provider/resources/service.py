"""App side, step 2: what a SCIM client can do with a company's users and groups.

Every call takes the ``Principal`` that the request comes from: its actor is checked here, its company is the only one
that is seen, and its dialect decides what is tolerated. Raises ``ScimError`` (its subclass says why).
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from provisor.clock import Clock
from provisor.ids import new_id
from provisor.provider.model import Principal
from provisor.provider.resources import document
from provisor.provider.resources.anchors import Anchors
from provisor.provider.resources.index import Indexer
from provisor.provider.resources.model import Counts, Edited, Kind, MemberStep, Page, Served, Stored
from provisor.provider.resources.search import ALL, SORT_COLUMNS, Plan, plan, sort_key
from provisor.provider.resources.store import ResourceStore, missing
from provisor.scim.dialect import dialect
from provisor.scim.errors import InvalidPath
from provisor.scim.members import MemberChange, MemberRef
from provisor.scim.messages import SearchRequest, etag, etag_matches
from provisor.scim.patch import compile_patcher
from provisor.scim.predicates import compile_element_predicate
from provisor.scim.resolution import Compare, resolve_text
from provisor.scim.schemas import ENTERPRISE_USER_URN, SchemaSet, core
from provisor.scim.validate import compile_validator
from provisor.security.actor import Actor, Right

DEFAULT_COUNT = 100
MOST_COUNT = 1_000
# How many resources a search without an index looks through before it gives up with ``tooMany``.
SCAN_CAP = 20_000
# A group's answer to a PATCH names its members up to this number.
ANSWERED_MEMBERS = 200

_ID = re.compile(r"[0-9a-f-]{36}")

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Resources:
    """Users, groups and memberships of companies."""

    def __init__(self, store: ResourceStore, clock: Clock, *, scan_cap: int = SCAN_CAP) -> None:
        self._store = store
        self._clock = clock
        self._scan_cap = scan_cap
        self._schemas = core()
        self._indexer = Indexer(self._schemas)
        self._anchors = Anchors()

    def schemas(self, caller: Principal) -> SchemaSet:
        """The schemas of the caller's company."""
        caller.actor.require(Right.SCIM_READ, caller.company_id)
        return self._schemas

    async def create(self, caller: Principal, kind: Kind, body: Any) -> Served:
        """Create a resource from the body of a POST."""
        caller.actor.require(Right.SCIM_WRITE, caller.company_id)
        checked = compile_validator(self._schemas, kind, dialect(caller.dialect)).create(body)
        resource_id = new_id()
        resource = {"schemas": checked.resource["schemas"], "id": resource_id, **checked.resource}
        return await self._store.create(
            caller.company_id,
            kind,
            resource_id,
            self._indexer.draft(kind, resource),
            [member.value for member in checked.members or ()],
            self._clock.now_ms(),
        )

    async def read(
        self, caller: Principal, kind: Kind, resource_id: str, *, derived: frozenset[str] = frozenset()
    ) -> Served:
        """One resource, with ``groups`` or ``members`` when ``derived`` names them."""
        caller.actor.require(Right.SCIM_READ, caller.company_id)
        _require_id(kind, resource_id)
        found = await self._store.read(
            caller.company_id, kind, resource_id, groups="groups" in derived, members="members" in derived
        )
        if found is None:
            raise missing(kind, resource_id)
        return found

    async def replace(
        self, caller: Principal, kind: Kind, resource_id: str, body: Any, *, if_match: str | None = None
    ) -> Served:
        """Replace a resource by the body of a PUT: what it does not name is gone, members included."""
        caller.actor.require(Right.SCIM_WRITE, caller.company_id)
        validator = compile_validator(self._schemas, kind, dialect(caller.dialect))

        def edit(stored: Stored) -> Edited:
            before = _decode(stored.document)
            checked = validator.replace(before, body)
            after = {"schemas": checked.resource["schemas"], "id": resource_id, **checked.resource}
            steps = _exactly(checked.members or ()) if kind == "Group" else ()
            return Edited(self._drafts(kind, before, after), steps)

        return await self._change(caller, kind, resource_id, edit, if_match)

    async def patch(
        self,
        caller: Principal,
        kind: Kind,
        resource_id: str,
        body: Any,
        *,
        if_match: str | None = None,
        all_members: bool = False,
    ) -> Served:
        """Apply the operations of a PATCH, all or none.

        The answer's ``members`` is null for a group of more than ``ANSWERED_MEMBERS``, unless ``all_members`` asks.
        """
        caller.actor.require(Right.SCIM_WRITE, caller.company_id)
        patcher = compile_patcher(self._schemas, kind, dialect(caller.dialect))

        def edit(stored: Stored) -> Edited:
            before = _decode(stored.document)
            patched = patcher.apply(before, body)
            drafts = self._drafts(kind, before, patched.resource) if patched.changed else None
            return Edited(drafts, [step for change in patched.member_changes for step in _steps(change)])

        return await self._change(caller, kind, resource_id, edit, if_match, limited=not all_members)

    async def delete(self, caller: Principal, kind: Kind, resource_id: str, *, if_match: str | None = None) -> None:
        """Delete a resource: it leaves all groups, and a user is nobody's manager any more."""
        caller.actor.require(Right.SCIM_WRITE, caller.company_id)
        _require_id(kind, resource_id)
        await self._store.delete(
            caller.company_id,
            kind,
            resource_id,
            at=self._clock.now_ms(),
            holders=("manager", self._without_manager) if kind == "User" else None,
            accepts=_accepts(if_match),
        )

    async def search(
        self, caller: Principal, kind: Kind, request: SearchRequest, *, derived: frozenset[str] = frozenset()
    ) -> Page:
        """A page of the resources that a filter finds; ``derived`` as in ``read``."""
        caller.actor.require(Right.SCIM_READ, caller.company_id)
        start = request.start_index
        count = min(DEFAULT_COUNT if request.count is None else request.count, MOST_COUNT)
        found_plan = self._plan(caller, kind, request.filter)
        order = self._order(kind, request)
        if found_plan is ALL and order == "id":
            return await self._list(caller.company_id, kind, start, count, derived)
        if found_plan.test is None and order is not None:
            found = await self._store.find(
                caller.company_id, kind, found_plan, order=order, skip=start - 1, count=count
            )
            return Page(found.total, start, await self._derived(caller.company_id, kind, found.resources, derived))
        return await self._sift(caller, kind, request, found_plan, start, count, derived)

    async def counts(self, actor: Actor, company_id: str) -> Counts:
        """How many users, groups and memberships a company has."""
        actor.require(Right.COMPANY_READ, company_id)
        return await self._store.counts(company_id)

    # How ------------------------------------------------------------------------------------------------------------

    async def _change(
        self,
        caller: Principal,
        kind: Kind,
        resource_id: str,
        edit: Callable[[Stored], Edited],
        if_match: str | None,
        *,
        limited: bool = False,
    ) -> Served:
        _require_id(kind, resource_id)
        limits = {"most_members": ANSWERED_MEMBERS} if limited else {}
        return await self._store.change(
            caller.company_id,
            kind,
            resource_id,
            edit=edit,
            at=self._clock.now_ms(),
            accepts=_accepts(if_match),
            **limits,
        )

    def _drafts(self, kind: Kind, before: dict[str, Any], after: dict[str, Any]) -> Any:
        if before == after:
            return None
        return self._indexer.draft(kind, before), self._indexer.draft(kind, after)

    def _without_manager(self, stored: Stored) -> Edited:
        before = _decode(stored.document)
        extension = {name: value for name, value in before[ENTERPRISE_USER_URN].items() if name != "manager"}
        after = {**before, ENTERPRISE_USER_URN: extension}
        if not extension:
            del after[ENTERPRISE_USER_URN]
            after["schemas"] = [urn for urn in before["schemas"] if urn != ENTERPRISE_USER_URN]
        return Edited(self._drafts("User", before, after))

    def _plan(self, caller: Principal, kind: Kind, text: str | None) -> Plan:
        if text is None:
            return ALL
        bound = resolve_text(text, self._schemas, kind, dialect(caller.dialect))
        return plan(bound, kind, self._store.engine)

    def _order(self, kind: Kind, request: SearchRequest) -> str | None:
        """The columns to sort by; null when the order needs a look inside the documents."""
        if request.sort_by is None:
            return "id"
        ref = self._schemas.find(kind, request.sort_by)
        column = SORT_COLUMNS[kind].get(ref.key) if ref is not None else None
        if column is None:
            return None
        direction = "DESC" if request.descending else "ASC"
        return f"{column} {direction}" if column == "id" else f"{column} {direction}, id"

    async def _list(self, company_id: str, kind: Kind, start: int, count: int, derived: frozenset[str]) -> Page:
        now = self._clock.now_ms()
        skip = start - 1
        begin, after = (self._anchors.nearest(company_id, kind, skip, now) if skip else None) or (0, "")
        found = await self._store.page(company_id, kind, skip=skip, count=count, begin=begin, after=after)
        if found.resources:
            position = skip + len(found.resources)
            self._anchors.remember(company_id, kind, position, found.resources[-1].id, now)
        return Page(found.total, start, await self._derived(company_id, kind, found.resources, derived))

    async def _derived(
        self, company_id: str, kind: Kind, found: Sequence[Stored], derived: frozenset[str]
    ) -> Sequence[Served]:
        return await self._store.derive(company_id, kind, found, derived)

    async def _sift(
        self,
        caller: Principal,
        kind: Kind,
        request: SearchRequest,
        found_plan: Plan,
        start: int,
        count: int,
        derived: frozenset[str],
    ) -> Page:
        key = None
        if request.sort_by is not None:
            ref = self._schemas.find(kind, request.sort_by)
            if ref is None:
                raise InvalidPath(f"{kind} has no attribute {request.sort_by!r} to sort by.")
            key = sort_key(ref)
        last = start - 1 + count
        sifted = _Sifted(found_plan, key, request.descending, last)
        await self._store.sift(caller.company_id, kind, found_plan, sifted.take, cap=self._scan_cap)
        page = sifted.first()[start - 1 : last]
        return Page(sifted.total, start, await self._derived(caller.company_id, kind, page, derived))


class _Sifted:
    """What passed a plan's test: how many, and the first ``last`` of them in the order that was asked for."""

    def __init__(self, found_plan: Plan, key: Callable[[Any], Any] | None, descending: bool, last: int) -> None:
        self._test = found_plan.test
        self._whole = bool(found_plan.derived)
        self._key = key
        self._descending = descending
        self._last = last
        self._kept: list[tuple[Any, Stored]] = []
        self.total = 0

    def take(self, served: Served) -> None:
        resource = document.as_dict(served, "") if self._whole or self._key else _decode(served.stored.document)
        if self._test is not None and not self._test(resource):
            return
        self.total += 1
        if self._key is not None:
            self._kept.append((self._key(resource), served.stored))
        elif self.total <= self._last:
            self._kept.append((None, served.stored))

    def first(self) -> list[Stored]:
        if self._key is None:
            return [stored for _, stored in self._kept]
        choose = heapq.nlargest if self._descending else heapq.nsmallest
        return [stored for _, stored in choose(self._last, self._kept, key=lambda pair: pair[0])]


def _require_id(kind: Kind, resource_id: str) -> None:
    """What cannot be an id of ours is not there; not every database could even be asked for it."""
    if not _ID.fullmatch(resource_id):
        raise missing(kind, resource_id)


def _accepts(if_match: str | None) -> Callable[[int], bool] | None:
    if if_match is None:
        return None
    return lambda version: etag_matches(if_match, etag(version))


def _exactly(members: Sequence[MemberRef]) -> tuple[MemberStep, ...]:
    ids = tuple(member.value for member in members)
    keep = MemberStep("keep", ids)
    return (MemberStep("add", ids), keep) if ids else (keep,)


def _steps(change: MemberChange) -> tuple[MemberStep, ...]:
    if change.kind in ("replace", "clear"):
        return _exactly(change.members)
    if change.kind == "add":
        return (MemberStep("add", tuple(member.value for member in change.members)),)
    condition = change.filter
    if condition is None:
        return (MemberStep("remove", tuple(member.value for member in change.members)),)
    if isinstance(condition, Compare) and condition.op == "eq" and condition.ref.leaf.name == "value":
        return (MemberStep("remove", (str(condition.value),)),)
    return (MemberStep("sift", test=compile_element_predicate(condition)),)
