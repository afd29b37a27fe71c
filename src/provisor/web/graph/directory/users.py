"""Graph face, ``/users`` and ``/me``: people, their managers, and what is behind their links (reference section 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisor.directory.attributes import USER as ATTRIBUTES
from provisor.directory.attributes import Fault, InvalidAttributes
from provisor.directory.model import User
from provisor.web.graph.answers import created, document, entity, no_content, updated
from provisor.web.graph.directory.links import LinkLists, reference
from provisor.web.graph.directory.lists import SearchList
from provisor.web.graph.directory.objects import Objects, linked, not_found
from provisor.web.graph.errors import BadRequest, ResourceNotFound
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens
from provisor.web.graph.routing import DIRECTORY_LIST, ENTITY, SELECT, Operation
from provisor.web.graph.services import GraphServices
from provisor.web.graph.types import BASIC_USER, DIRECTORY_OBJECT, USER, without_absent

_REQUIRED = ("accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile")
_PROFILE = ("password", "forceChangePasswordNextSignIn", "forceChangePasswordNextSignInWithMfa")
_FOLDED = {name.lower(): name for name in ATTRIBUTES.attributes}


class Users:
    """The handlers; each calls one service function."""

    def __init__(self, services: GraphServices, objects: Objects, tokens: Tokens) -> None:
        self._services = services
        self._objects = objects
        search = services.search
        self._list = SearchList("users", USER, search.users, search.count_users, objects.shown, tokens)

    def operations(self, links: LinkLists) -> list[Operation]:
        """Everything under ``/users`` and ``/me``."""
        one, me = "/users/{user}", "/me"
        made = [
            Operation("GET", "/users", self._list.answer, "users.read", DIRECTORY_LIST, summary="People.", kind="user"),
            Operation("POST", "/users", self.create, "users.write", summary="A new person.", kind="user"),
            Operation("GET", "/users/$count", self._list.number, "users.read", frozenset(("$filter", "$search"))),
            Operation("GET", one, self.read, "users.read", ENTITY, summary="One person, by id or name.", kind="user"),
            Operation(
                "PATCH", one, self.update, "users.write", summary="Change a person; null removes a value.", kind="user"
            ),
            Operation("DELETE", one, self.delete, "users.delete", summary="Move a person to the deleted items."),
            Operation("GET", f"{one}/manager", self.manager, "users.links.read", SELECT),
            Operation("GET", f"{one}/manager/$ref", self.manager_reference, "users.links.read"),
            Operation("PUT", f"{one}/manager/$ref", self.set_manager, "users.write"),
            Operation("DELETE", f"{one}/manager/$ref", self.remove_manager, "users.write"),
            Operation("GET", me, self.read, "me.read", ENTITY, summary="The person whose token it is.", kind="user"),
            Operation("GET", f"{me}/manager", self.manager, "me.read", SELECT),
        ]
        for base, read, groups in ((one, "users.links.read", "users.memberOf.read"), (me, "me.read", "me.groups.read")):
            made += links.operations(base, "directReports", self._objects.user, read)
            made += links.operations(base, "ownedObjects", self._objects.user, read)
            made += links.operations(base, "memberOf", self._objects.user, groups)
            made += links.operations(base, "transitiveMemberOf", self._objects.user, groups)
        return made

    async def read(self, request: Request) -> Answer:
        """One person."""
        kind = BASIC_USER if request.grant.basic_only else USER
        options = request.options(kind)
        user = await self._objects.user(request)
        return entity(request, "users", (await self._objects.shown(request, [user], options, kind))[0], options)

    async def create(self, request: Request) -> Answer:
        """201 with the person."""
        body = request.json()
        if missing := [name for name in _REQUIRED if body.get(name) is None]:
            raise InvalidAttributes([Fault(name, "is required of a user") for name in missing])
        password = self._password(body, body["userPrincipalName"])
        attributes = await self._attributes(request, body)
        user = await self._services.directory.create_user(request.actor, request.tenant_id, attributes)
        await self._give(request, user.id, password)
        shown = await self._objects.shown(request, [user], request.options(USER), USER)
        return created(request, "users", shown[0], f"/users/{user.id}")

    async def update(self, request: Request) -> Answer:
        """204."""
        body = request.json()
        user = await self._objects.user(request)
        password = self._password(body, user.user_principal_name)
        attributes = await self._attributes(request, body)
        if attributes:
            user = await self._services.directory.update_user(request.actor, request.tenant_id, user.id, attributes)
        await self._give(request, user.id, password)
        shown = await self._objects.shown(request, [user], request.options(USER), USER)
        return updated(request, "users", shown[0])

    async def delete(self, request: Request) -> Answer:
        """204: restorable for 30 days."""
        user = await self._objects.user(request)
        await self._services.directory.delete_user(request.actor, request.tenant_id, user.id)
        return no_content()

    async def manager(self, request: Request) -> Answer:
        """The manager, or 404."""
        options = request.options(DIRECTORY_OBJECT)
        manager = await self._manager(request)
        return entity(request, "directoryObjects", linked(manager, options.select), options)

    async def manager_reference(self, request: Request) -> Answer:
        """Where the manager is."""
        return document(reference(request, (await self._manager(request)).id))

    async def set_manager(self, request: Request) -> Answer:
        """204."""
        user = await self._objects.user(request)
        manager_id = await self._objects.reference(request, request.json())
        if manager_id not in await self._services.directory.users_by_id(request.actor, request.tenant_id, [manager_id]):
            raise not_found(manager_id)
        await self._services.directory.set_manager(request.actor, request.tenant_id, user.id, manager_id)
        return no_content()

    async def remove_manager(self, request: Request) -> Answer:
        """204, or 404 where there is none."""
        user = await self._objects.user(request)
        await self._manager(request)
        await self._services.directory.set_manager(request.actor, request.tenant_id, user.id, None)
        return no_content()

    async def _manager(self, request: Request) -> User:
        user = await self._objects.user(request)
        known = await self._services.directory.users_by_id(
            request.actor, request.tenant_id, [user.manager_id] if user.manager_id else []
        )
        if user.manager_id is None or user.manager_id not in known:
            raise ResourceNotFound(
                "Resource 'manager' does not exist or one of its queried reference-property objects are not present."
            )
        return known[user.manager_id]

    async def _attributes(self, request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
        held = without_absent(USER, body)
        named = {canonical(name): value for name, value in held.items() if name != "passwordProfile"}
        return await self._services.extensions.check(request.actor, request.tenant_id, "User", named)

    def _password(self, body: Mapping[str, Any], login: object) -> str | None:
        """The new password, where there is one. That it has to be changed is taken and not demanded: see the docs."""
        profile = body.get("passwordProfile")
        if profile is None:
            return None
        if not isinstance(profile, dict):
            raise BadRequest("passwordProfile is an object.")
        if unknown := [name for name in profile if name not in _PROFILE]:
            raise BadRequest(f"passwordProfile has no property '{unknown[0][:100]}'.")
        text = profile.get("password")
        flags = [profile.get(name) for name in _PROFILE[1:]]
        if not isinstance(text, (str, type(None))) or not all(isinstance(flag, (bool, type(None))) for flag in flags):
            raise BadRequest("A property of passwordProfile has a value of the wrong type.")
        if text is None:
            raise BadRequest("passwordProfile needs a password.")
        self._services.passwords.check(text, login if isinstance(login, str) else "")
        return text

    async def _give(self, request: Request, user_id: str, password: str | None) -> None:
        if password is not None:
            await self._services.passwords.give(request.actor, request.tenant_id, user_id, password)


def canonical(name: str) -> str:
    """The attribute of this name, written in any case; an unknown name is left for the service to refuse."""
    return _FOLDED.get(name.lower(), name)
