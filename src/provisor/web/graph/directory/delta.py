"""Graph face, ``/users/delta`` and ``/groups/delta``: what there is, afterwards what changed (reference section 12).

The first round begins at the feed's end of that moment and pages through what there is; every later round reads the
feed from where the last one ended. So nothing is missed, though something may come twice: the last one counts. An item
shows what the object is now, not what it was when it changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from provisor.directory.attributes import GROUP as GROUP_ATTRIBUTES
from provisor.directory.attributes import USER as USER_ATTRIBUTES
from provisor.directory.model import Group, MemberType, User
from provisor.directory.names import canonical_guid
from provisor.directory.searching.model import Position, Query
from provisor.directory.tracking.model import FeedPruned, Touched
from provisor.directory.tracking.service import Links
from provisor.odata.errors import Unsupported
from provisor.odata.tree import Compare, In, Node, Or
from provisor.odata.types import EntityType
from provisor.web.graph.answers import Document, document
from provisor.web.graph.directory.objects import whole
from provisor.web.graph.errors import Gone
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens, context
from provisor.web.graph.routing import Operation
from provisor.web.graph.services import GraphServices
from provisor.web.graph.types import GROUP, USER

OPTIONS = frozenset(("$select", "$filter", "$deltatoken", "$skiptoken"))
MOST_IDS = 50
_OBJECTS = 100
_MEMBERS = 1_000
# Pages of the feed that are read for one answer when they tell of other things.
_EMPTY_PAGES = 10


class _State(msgspec.Struct, frozen=True, array_like=True):
    """Where a round stands. ``seq``: of the feed. ``after``: null in a round of changes, else the object after which
    the first round goes on. ``group`` and ``member``: inside which group, and after which member of it."""

    seq: int
    select: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None
    after: str | None = None
    group: str | None = None
    member: str = ""


class _Page(msgspec.Struct, frozen=True):
    """Items, and where to go on; ``is_last``: of this round."""

    items: list[Document]
    following: _State
    is_last: bool


class Delta:
    """One type's delta function."""

    def __init__(self, services: GraphServices, kind: MemberType, tokens: Tokens) -> None:
        self._services = services
        self._kind = kind
        self._tokens = tokens
        self._type: EntityType = USER if kind == "User" else GROUP
        self._name = f"{self._type.name}s"
        self._links = ("manager",) if kind == "User" else ("members", "owners")
        attributes = USER_ATTRIBUTES if kind == "User" else GROUP_ATTRIBUTES
        # What somebody can clear, and so has to be told as null.
        self._clearable = [name for name, one in attributes.attributes.items() if not one.computed]

    def operations(self) -> list[Operation]:
        """``/users/delta`` or ``/groups/delta``, also written with parentheses."""
        permission = "users.links.read" if self._kind == "User" else "groups.read"
        return [Operation("GET", f"/{self._name}/delta", self.answer, permission, OPTIONS, summary="What changed.")]

    async def answer(self, request: Request) -> Answer:
        """One page, with a link to the next or, at the end of a round, to the changes that will come."""
        options = request.options(self._type)
        token = options.skip_token or options.delta_token
        if token and token.lower() != "latest":
            state = self._tokens.open(token, _State, self._bound(request))
        else:
            state = await self._begin(request, options.select, options.filter, latest=bool(token))
        try:
            page = await (self._changes(request, state) if state.after is None else self._first_round(request, state))
        except FeedPruned as error:
            text = f"&$select={','.join(state.select)}" if state.select else ""
            where = f"{request.base}/{self._name}/delta?$deltatoken={text}"
            message = "Resync required: begin again at the address in the Location header."
            raise Gone(message, headers={"location": where}) from error
        sealed = self._tokens.seal(page.following, self._bound(request))
        name, option = ("deltaLink", "$deltatoken") if page.is_last else ("nextLink", "$skiptoken")
        return document(
            {
                "@odata.context": context(request, self._name, state.select),
                f"@odata.{name}": f"{request.base}/{self._name}/delta?{option}={sealed}",
                "value": page.items,
            }
        )

    async def _begin(
        self, request: Request, select: Sequence[str] | None, node: Node | None, *, latest: bool
    ) -> _State:
        head = await self._services.tracking.head(request.actor, request.tenant_id)
        ids = None if node is None else tuple(_ids(node))
        return _State(head, None if select is None else tuple(select), ids, None if latest else "")

    # The first round: what there is

    async def _first_round(self, request: Request, state: _State) -> _Page:
        items: list[Document] = []
        budget = _MEMBERS
        if state.group is not None:
            more, last, budget = await self._members_of(request, state.group, state.member, budget)
            items.append({"id": state.group, "members@delta": more})
            if last is not None:
                return _Page(items, msgspec.structs.replace(state, member=last), is_last=False)
            state = msgspec.structs.replace(state, after=state.group, group=None, member="")
            if budget == 0:
                return _Page(items, state, is_last=False)
        objects, position = await self._objects(request, state)
        for found in objects:
            item = self._item(found, state.select, cleared=False)
            items.append(item)
            if isinstance(found, User):
                self._tell_manager(item, found, (), state)
                continue
            if self._tracks(state, "owners"):
                owners = await self._services.links.owners(request.actor, request.tenant_id, found.id)
                self._tell(item, "owners", [_link("User", id_) for id_ in owners])
            if self._tracks(state, "members"):
                members, last, budget = await self._members_of(request, found.id, "", budget)
                self._tell(item, "members", members)
                if last is not None:
                    inside = msgspec.structs.replace(state, after=found.id, group=found.id, member=last)
                    return _Page(items, inside, is_last=False)
                if budget == 0:
                    return _Page(items, msgspec.structs.replace(state, after=found.id), is_last=False)
        if position is not None:
            return _Page(items, msgspec.structs.replace(state, after=position.id), is_last=False)
        return _Page(items, msgspec.structs.replace(state, after=None), is_last=True)

    async def _objects(self, request: Request, state: _State) -> tuple[Sequence[User | Group], Position | None]:
        """The next live objects by id."""
        after = state.after or ""
        actor, tenant_id = request.actor, request.tenant_id
        if state.ids is not None:
            known = await self._services.tracking.objects(actor, tenant_id, self._kind, state.ids)
            return [known[id_] for id_ in sorted(known) if id_ > after and known[id_].deleted_at is None], None
        search = self._services.search
        position = Position(after) if after else None
        query = Query(sort="id")
        if self._kind == "User":
            people = await search.users(actor, tenant_id, query, position, _OBJECTS)
            return people.objects, people.next
        groups = await search.groups(actor, tenant_id, query, position, _OBJECTS)
        return groups.objects, groups.next

    async def _members_of(
        self, request: Request, group_id: str, after: str, budget: int
    ) -> tuple[list[Document], str | None, int]:
        """The next members, after whom there are more (or null), and how many may still be told on this page."""
        found = await self._services.directory.members_after(request.actor, request.tenant_id, group_id, after, budget)
        last = found[-1].id if len(found) == budget else None
        return [_link(member.type, member.id) for member in found], last, budget - len(found)

    # Later rounds: what changed

    async def _changes(self, request: Request, state: _State) -> _Page:
        tracking, actor, tenant_id = self._services.tracking, request.actor, request.tenant_id
        seq, touched, more = state.seq, dict[str, Touched](), True
        for _ in range(_EMPTY_PAGES):
            found = await tracking.changes(actor, tenant_id, seq)
            seq, more = found.seq, found.more
            objects = found.users if self._kind == "User" else found.groups
            touched = {id_: one for id_, one in objects.items() if state.ids is None or id_ in state.ids}
            if touched or not more:
                break
        known = await tracking.objects(actor, tenant_id, self._kind, touched)
        items = [
            item
            for id_, one in touched.items()
            if (item := await self._changed(request, state, id_, one, known.get(id_))) is not None
        ]
        return _Page(items, msgspec.structs.replace(state, seq=seq), is_last=not more)

    async def _changed(
        self, request: Request, state: _State, id_: str, touched: Touched, found: User | Group | None
    ) -> Document | None:
        """The object as it is now; null when nothing that this reader follows was touched."""
        if found is None:
            return {"id": id_, "@removed": {"reason": "deleted"}}
        if found.deleted_at is not None:
            return {"id": id_, "@removed": {"reason": "changed"}}
        item: Document = self._item(found, state.select, cleared=True) if touched.itself else {"id": id_}
        if isinstance(found, User):
            self._tell_manager(item, found, touched.managers, state)
            return item
        tracking, actor, tenant_id = self._services.tracking, request.actor, request.tenant_id
        if touched.members and self._tracks(state, "members"):
            now = await tracking.members(actor, tenant_id, id_, touched.members)
            self._tell(item, "members", _differences(touched.members, now))
        if touched.owners and self._tracks(state, "owners"):
            now = await tracking.owners(actor, tenant_id, id_, touched.owners)
            self._tell(item, "owners", _differences(touched.owners, now))
        return item if touched.itself or len(item) > 1 else None

    # Items

    def _item(self, found: User | Group, select: Sequence[str] | None, *, cleared: bool) -> Document:
        """``id`` and what is set of what was asked for; with ``cleared`` also what is not, as null."""
        document = whole(found)
        document.pop("identities", None)
        names = [*document, *self._clearable] if select is None else select
        item: Document = {"id": found.id}
        for name in names:
            if name not in self._type.links and (cleared or document.get(name) is not None):
                item[name] = document.get(name)
        return item

    def _tracks(self, state: _State, link: str) -> bool:
        """Members are followed unless other things were selected; the rest only where it is selected."""
        return link == "members" if state.select is None else link in state.select

    def _tell(self, item: Document, link: str, links: list[Document]) -> None:
        if links:
            item[f"{link}@delta"] = links

    def _tell_manager(self, item: Document, user: User, gone: Iterable[str], state: _State) -> None:
        if state.select is None or "manager" not in state.select:
            return
        links = [_link("User", id_, removed=True) for id_ in gone if id_ != user.manager_id]
        if user.manager_id is not None:
            links.append(_link("User", user.manager_id))
        self._tell(item, "manager", links)

    def _bound(self, request: Request) -> str:
        return f"graph delta {request.tenant_id} {self._name}"


def _differences(touched: Iterable[str], now: Links) -> list[Document]:
    return [_link(now.present.get(id_) or now.known.get(id_), id_, removed=id_ not in now.present) for id_ in touched]


def _link(kind: MemberType | None, id_: str, *, removed: bool = False) -> Document:
    made: dict[str, Any] = {} if kind is None else {"@odata.type": f"#microsoft.graph.{kind.lower()}"}
    made["id"] = id_
    if removed:
        made["@removed"] = {"reason": "deleted"}
    return made


def _ids(node: Node) -> list[str]:
    """The ids of ``id eq 'x' or id eq 'y'``. Raises ``Unsupported`` for any other filter."""
    nodes = node.nodes if isinstance(node, Or) else (node,)
    found: list[str] = []
    for one in nodes:
        match one:
            case Compare("eq", ("id",), str(value)):
                found.append(value)
            case In(("id",), values) if all(isinstance(value, str) for value in values):
                found += [str(value) for value in values]
            case _:
                raise Unsupported("Delta takes a filter by id only: id eq 'x' or id eq 'y'.")
    if len(found) > MOST_IDS:
        raise Unsupported(f"Delta takes at most {MOST_IDS} ids in its filter, not {len(found)}.")
    return [guid for value in found if (guid := canonical_guid(value)) is not None]
