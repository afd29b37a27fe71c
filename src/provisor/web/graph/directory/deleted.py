"""Graph face, ``/directory/deletedItems``: what was deleted in the last 30 days."""

from __future__ import annotations

from provisor.directory.model import Group, User
from provisor.web.graph.answers import entity, no_content
from provisor.web.graph.directory.lists import SearchList
from provisor.web.graph.directory.objects import Objects, kind_of, linked, not_found
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens
from provisor.web.graph.routing import DIRECTORY_LIST, SELECT, Operation
from provisor.web.graph.services import GraphServices
from provisor.web.graph.types import DIRECTORY_OBJECT, GROUP, USER


class DeletedItems:
    """The handlers; each calls one service function."""

    def __init__(self, services: GraphServices, objects: Objects, tokens: Tokens) -> None:
        self._services = services
        self._objects = objects
        search = services.search
        self._users = SearchList("users", USER, search.users, search.count_users, objects.shown, tokens)
        self._groups = SearchList("groups", GROUP, search.groups, search.count_groups, objects.shown, tokens)

    def operations(self) -> list[Operation]:
        """Lists by type, and one item."""
        base = "/directory/deletedItems"
        read, write = "deletedItems.read", "deletedItems.write"
        return [
            Operation("GET", f"{base}/microsoft.graph.user", self.users, read, DIRECTORY_LIST),
            Operation("GET", f"{base}/microsoft.graph.group", self.groups, read, DIRECTORY_LIST),
            Operation("GET", f"{base}/{{item}}", self.read, read, SELECT),
            Operation("POST", f"{base}/{{item}}/restore", self.restore, write, summary="As it was before."),
            Operation("DELETE", f"{base}/{{item}}", self.purge, write, summary="Delete for good."),
        ]

    async def users(self, request: Request) -> Answer:
        """Deleted people."""
        return await self._users.answer(request, deleted=True)

    async def groups(self, request: Request) -> Answer:
        """Deleted groups."""
        return await self._groups.answer(request, deleted=True)

    async def read(self, request: Request) -> Answer:
        """One deleted object."""
        options = request.options(DIRECTORY_OBJECT)
        found = await self._item(request)
        select = options.select or (*kind_of(found).default, "deletedDateTime")
        return entity(request, "directoryObjects", linked(found, tuple(dict.fromkeys(select))), options)

    async def restore(self, request: Request) -> Answer:
        """200 with the object."""
        request.json_or_empty()
        found = await self._item(request)
        directory, actor, tenant_id = self._services.directory, request.actor, request.tenant_id
        restore = directory.restore_user if isinstance(found, User) else directory.restore_group
        return entity(request, "directoryObjects", linked(await restore(actor, tenant_id, found.id)))

    async def purge(self, request: Request) -> Answer:
        """204."""
        found = await self._item(request)
        directory, actor, tenant_id = self._services.directory, request.actor, request.tenant_id
        purge = directory.purge_user if isinstance(found, User) else directory.purge_group
        await purge(actor, tenant_id, found.id)
        return no_content()

    async def _item(self, request: Request) -> User | Group:
        ref = request.params["item"]
        for one in (await self._objects.by_id(request, [ref], deleted=True)).values():
            return one
        raise not_found(ref)
