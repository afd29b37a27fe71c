"""Graph face, ``/groups``: groups, their members and owners (reference section 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisor.directory.attributes import GROUP as ATTRIBUTES
from provisor.directory.attributes import Fault, InvalidAttributes
from provisor.directory.names import canonical_guid
from provisor.web.graph.answers import created, entity, no_content, updated
from provisor.web.graph.directory.links import LinkLists
from provisor.web.graph.directory.lists import SearchList
from provisor.web.graph.directory.objects import Objects, not_found
from provisor.web.graph.errors import BadRequest
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens
from provisor.web.graph.routing import DIRECTORY_LIST, ENTITY, Operation
from provisor.web.graph.services import GraphServices
from provisor.web.graph.types import GROUP, without_absent

_REQUIRED = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")
_MEMBERS, _OWNERS = "members@odata.bind", "owners@odata.bind"
_FOLDED = {name.lower(): name for name in ATTRIBUTES.attributes}
_ALREADY = "One or more added object references already exist for the following modified properties: '{}'."


class Groups:
    """The handlers; each calls one service function."""

    def __init__(self, services: GraphServices, objects: Objects, tokens: Tokens) -> None:
        self._services = services
        self._objects = objects
        search = services.search
        self._list = SearchList("groups", GROUP, search.groups, search.count_groups, objects.shown, tokens)

    def operations(self, links: LinkLists) -> list[Operation]:
        """Everything under ``/groups``."""
        one = "/groups/{group}"
        made = [
            Operation(
                "GET", "/groups", self._list.answer, "groups.read", DIRECTORY_LIST, summary="Groups.", kind="group"
            ),
            Operation("POST", "/groups", self.create, "groups.write", summary="A new group.", kind="group"),
            Operation("GET", "/groups/$count", self._list.number, "groups.read", frozenset(("$filter", "$search"))),
            Operation("GET", one, self.read, "groups.read", ENTITY, summary="One group.", kind="group"),
            Operation(
                "PATCH", one, self.update, "groups.write", summary="Change a group, or add members.", kind="group"
            ),
            Operation("DELETE", one, self.delete, "groups.write", summary="Move a group to the deleted items."),
            Operation("POST", f"{one}/members/$ref", self.add_member, "groups.members.write"),
            Operation("DELETE", f"{one}/members/{{object}}/$ref", self.remove_member, "groups.members.write"),
            Operation("POST", f"{one}/owners/$ref", self.add_owner, "groups.write"),
            Operation("DELETE", f"{one}/owners/{{object}}/$ref", self.remove_owner, "groups.write"),
        ]
        for link in ("members", "transitiveMembers", "owners", "memberOf", "transitiveMemberOf"):
            made += links.operations(one, link, self._objects.group, "groups.read")
        return made

    async def read(self, request: Request) -> Answer:
        """One group."""
        options = request.options(GROUP)
        group = await self._objects.group(request)
        return entity(request, "groups", (await self._objects.shown(request, [group], options, GROUP))[0], options)

    async def create(self, request: Request) -> Answer:
        """201 with the group. A person who makes a group without naming owners owns it."""
        body = request.json()
        if missing := [name for name in _REQUIRED if body.get(name) is None]:
            raise InvalidAttributes([Fault(name, "is required of a group") for name in missing])
        members = await self._objects.references(request, body.get(_MEMBERS, []))
        owners = await self._objects.references(request, body.get(_OWNERS, []))
        if not owners and request.caller.user_id is not None:
            owners = [request.caller.user_id]
        attributes = await self._attributes(request, body, (_MEMBERS, _OWNERS))
        group = await self._services.directory.create_group(
            request.actor, request.tenant_id, attributes, members=members, owners=owners
        )
        shown = await self._objects.shown(request, [group], request.options(GROUP), GROUP)
        return created(request, "groups", shown[0], f"/groups/{group.id}")

    async def update(self, request: Request) -> Answer:
        """204."""
        body = request.json()
        group = await self._objects.group(request)
        members = await self._objects.references(request, body.get(_MEMBERS, []))
        attributes = await self._attributes(request, body, (_MEMBERS,))
        after = await self._services.directory.update_group(
            request.actor, request.tenant_id, group.id, attributes, members=members
        )
        shown = await self._objects.shown(request, [after], request.options(GROUP), GROUP)
        return updated(request, "groups", shown[0])

    async def delete(self, request: Request) -> Answer:
        """204: restorable for 30 days."""
        group = await self._objects.group(request)
        await self._services.directory.delete_group(request.actor, request.tenant_id, group.id)
        return no_content()

    async def add_member(self, request: Request) -> Answer:
        """204; 400 when it is a member already."""
        group = await self._objects.group(request)
        member = await self._objects.reference(request, request.json())
        if not await self._services.directory.add_members(request.actor, request.tenant_id, group.id, [member]):
            raise BadRequest(_ALREADY.format("members"))
        return no_content()

    async def remove_member(self, request: Request) -> Answer:
        """204; 404 when it is no member."""
        group = await self._objects.group(request)
        member = canonical_guid(request.params["object"])
        if member is None or not await self._services.directory.remove_members(
            request.actor, request.tenant_id, group.id, [member]
        ):
            raise not_found(request.params["object"])
        return no_content()

    async def add_owner(self, request: Request) -> Answer:
        """204; 400 when it is an owner already."""
        group = await self._objects.group(request)
        owner = await self._objects.reference(request, request.json())
        if not await self._services.links.add_owners(request.actor, request.tenant_id, group.id, [owner]):
            raise BadRequest(_ALREADY.format("owners"))
        return no_content()

    async def remove_owner(self, request: Request) -> Answer:
        """204; 404 when it is no owner, 400 when it is the last."""
        group = await self._objects.group(request)
        owner = canonical_guid(request.params["object"])
        if owner is None or not await self._services.links.remove_owner(
            request.actor, request.tenant_id, group.id, owner
        ):
            raise not_found(request.params["object"])
        return no_content()

    async def _attributes(self, request: Request, body: Mapping[str, Any], bound: tuple[str, ...]) -> dict[str, Any]:
        held = without_absent(GROUP, body)
        named = {_FOLDED.get(name.lower(), name): value for name, value in held.items() if name not in bound}
        return await self._services.extensions.check(request.actor, request.tenant_id, "Group", named)
