"""Graph face, questions about memberships, and objects of which only the id is known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from provisor.directory.model import Group, User
from provisor.directory.names import canonical_guid
from provisor.web.graph.answers import document, entity
from provisor.web.graph.directory.objects import Objects, kind_of, linked, not_found
from provisor.web.graph.errors import BadRequest
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.routing import SELECT, Operation
from provisor.web.graph.services import GraphServices
from provisor.web.graph.types import DIRECTORY_OBJECT

_MOST_CHECKED = 20
_MOST_IDS = 1_000
Find = Callable[[Request], Awaitable[User | Group]]


class Actions:
    """``checkMemberGroups`` and its like, ``/directoryObjects``."""

    def __init__(self, services: GraphServices, objects: Objects) -> None:
        self._services = services
        self._objects = objects

    def operations(self) -> list[Operation]:
        """All of them."""
        any_object = "/directoryObjects/{object}"
        made = [
            Operation("POST", "/directoryObjects/getByIds", self.by_ids, "directoryObjects.read", SELECT),
            Operation("GET", any_object, self.read, "directoryObjects.read", SELECT),
        ]
        owners: tuple[tuple[str, Find, str], ...] = (
            ("/users/{user}", self._objects.user, "users.memberOf.read"),
            ("/me", self._objects.user, "me.groups.read"),
            ("/groups/{group}", self._objects.group, "groups.read"),
            (any_object, self._object, "directoryObjects.read"),
        )
        for base, find, permission in owners:
            # Directory roles and administrative units are no objects here: the groups are all there is.
            made += [
                Operation("POST", f"{base}/checkMemberGroups", self._check(find, "groupIds"), permission),
                Operation("POST", f"{base}/checkMemberObjects", self._check(find, "ids"), permission),
                Operation("POST", f"{base}/getMemberGroups", self._member_groups(find), permission),
                Operation("POST", f"{base}/getMemberObjects", self._member_groups(find), permission),
            ]
        return made

    async def read(self, request: Request) -> Answer:
        """One object of whatever type."""
        options = request.options(DIRECTORY_OBJECT)
        found = await self._object(request)
        return entity(request, "directoryObjects", linked(found, options.select), options)

    async def by_ids(self, request: Request) -> Answer:
        """Those of up to 1,000 ids that there are, of the types that are named."""
        body = request.json()
        _known(body, "ids", "types")
        ids = _texts(body, "ids", _MOST_IDS)
        types = {name.lower() for name in _texts(body, "types", 20, needed=False)}
        options = request.options(DIRECTORY_OBJECT)
        found = await self._objects.by_id(request, dict.fromkeys(ids))
        fitting = [one for one in found.values() if not types or {kind_of(one).name, "directoryobject"} & types]
        return document(
            {
                "@odata.context": f"{request.base}/$metadata#directoryObjects",
                "value": [linked(one, options.select) for one in fitting],
            }
        )

    async def _object(self, request: Request) -> User | Group:
        ref = request.params["object"]
        for one in (await self._objects.by_id(request, [ref])).values():
            return one
        raise not_found(ref)

    def _check(self, find: Find, name: str) -> Callable[[Request], Awaitable[Answer]]:
        async def check(request: Request) -> Answer:
            body = request.json()
            _known(body, name)
            wanted = {canonical_guid(id_) for id_ in _texts(body, name, _MOST_CHECKED)}
            above = await self._services.links.groups_above(request.actor, request.tenant_id, (await find(request)).id)
            return _strings(request, [id_ for id_ in above if id_ in wanted])

        return check

    def _member_groups(self, find: Find) -> Callable[[Request], Awaitable[Answer]]:
        async def member_groups(request: Request) -> Answer:
            body = request.json()
            _known(body, "securityEnabledOnly")
            only = body.get("securityEnabledOnly", False)
            if not isinstance(only, bool):
                raise BadRequest("securityEnabledOnly is true or false.")
            found = (await find(request)).id
            return _strings(
                request,
                await self._services.links.groups_above(request.actor, request.tenant_id, found, security_only=only),
            )

        return member_groups


def _strings(request: Request, values: list[str]) -> Answer:
    return document({"@odata.context": f"{request.base}/$metadata#Collection(Edm.String)", "value": values})


def _known(body: dict[str, Any], *names: str) -> None:
    if unknown := sorted(set(body) - set(names)):
        raise BadRequest(f"The parameter '{unknown[0][:100]}' is unknown; there are {', '.join(names)}.")


def _texts(body: dict[str, Any], name: str, most: int, *, needed: bool = True) -> list[str]:
    found = body.get(name)
    if found is None and not needed:
        return []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found) or len(found) > most:
        raise BadRequest(f"'{name}' is a list of at most {most} texts.")
    return found
