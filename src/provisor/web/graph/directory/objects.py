"""Graph face, users and groups as they are answered, and what names them in a path or a reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from provisor.directory.documents import document
from provisor.directory.model import Group, User
from provisor.directory.names import canonical_guid
from provisor.odata.options import Expand, Options
from provisor.odata.types import EntityType
from provisor.web.graph.answers import Document, columns, projected
from provisor.web.graph.errors import BadRequest, ResourceNotFound
from provisor.web.graph.http import Request
from provisor.web.graph.paths import segments
from provisor.web.graph.services import GraphServices
from provisor.web.graph.types import GROUP, USER

# How many of a link's objects $expand gives.
MOST_EXPANDED = 20
MOST_BOUND = 20
# What is not among an object's attributes.
_COMPUTED = frozenset(("id", "createdDateTime", "deletedDateTime", "identities"))


def kind_of(found: User | Group) -> EntityType:
    """The type of an object."""
    return USER if isinstance(found, User) else GROUP


def whole(found: User | Group) -> Document:
    """Everything of an object that can be selected."""
    made = document(found)
    if isinstance(found, User):
        upn = found.user_principal_name
        issuer = upn.rpartition("@")[2]
        made["identities"] = [{"signInType": "userPrincipalName", "issuer": issuer, "issuerAssignedId": upn}]
    return made


def _row(found: User | Group, shown: Sequence[tuple[str, Any]], computed: Sequence[str]) -> Document:
    """The properties that are shown; those that are not simply attributes are computed only where asked for."""
    get = found.attributes.get
    made = {name: get(name, unset) for name, unset in shown}
    if computed:
        if len(computed) > 1 or computed[0] != "id":
            everything = whole(found)
            for name in computed:
                made[name] = everything.get(name)
        else:
            made["id"] = found.id
    return made


def linked(found: User | Group, select: Sequence[str] | None = None) -> Document:
    """An object behind a link, which says of what type it is. What is selected and its type has not is left away."""
    kind = kind_of(found)
    names = None if select is None else [name for name in select if name in kind.properties or name.startswith("ext")]
    return {"@odata.type": f"#microsoft.graph.{kind.name}", **projected(whole(found), names, kind)}


def not_found(wanted: str) -> ResourceNotFound:
    """Graph's error for an object that there is not."""
    return ResourceNotFound(
        f"Resource '{wanted[:200]}' does not exist or one of its queried reference-property objects are not present."
    )


class Objects:
    """Finds users and groups of the caller's tenant."""

    def __init__(self, services: GraphServices) -> None:
        self._services = services

    async def user(self, request: Request) -> User:
        """The user that the path names by id or user principal name; the caller where it names none."""
        ref = request.params.get("user")
        if ref is None:
            ref = request.caller.user_id or ""
        return await self.user_of(request, ref)

    async def user_of(self, request: Request, ref: str) -> User:
        """A live user by id or user principal name. Raises ``ResourceNotFound``."""
        directory, actor, tenant_id = self._services.directory, request.actor, request.tenant_id
        guid = canonical_guid(ref)
        if guid is not None:
            user = (await directory.users_by_id(actor, tenant_id, [guid])).get(guid)
        else:
            user = (await directory.users_by_upn(actor, tenant_id, [ref])).get(ref.lower())
        if user is None or user.deleted_at is not None:
            raise not_found(ref)
        return user

    async def group(self, request: Request) -> Group:
        """The live group that the path names. Raises ``ResourceNotFound``."""
        ref = request.params["group"]
        guid = canonical_guid(ref) or ""
        found = await self._services.directory.groups_by_id(request.actor, request.tenant_id, [guid])
        if guid not in found or found[guid].deleted_at is not None:
            raise not_found(ref)
        return found[guid]

    async def by_id(self, request: Request, ids: Iterable[str], *, deleted: bool = False) -> dict[str, User | Group]:
        """Live users and groups (with ``deleted``: the deleted ones) in the order of ``ids``; others are left out."""
        wanted = [guid for id_ in ids if (guid := canonical_guid(id_)) is not None]
        directory, actor, tenant_id = self._services.directory, request.actor, request.tenant_id
        found: dict[str, User | Group] = {**await directory.users_by_id(actor, tenant_id, wanted)}
        if len(found) < len(wanted):
            found |= await directory.groups_by_id(actor, tenant_id, [id_ for id_ in wanted if id_ not in found])
        return {id_: found[id_] for id_ in wanted if id_ in found and (found[id_].deleted_at is not None) is deleted}

    async def reference(self, request: Request, body: Mapping[str, Any]) -> str:
        """The id that ``@odata.id`` of a body names. Raises ``BadRequest``, ``ResourceNotFound``."""
        if unknown := sorted(set(body) - {"@odata.id"}):
            raise BadRequest(f"A reference has '@odata.id' only, not '{unknown[0][:100]}'.")
        return (await self.references(request, [body.get("@odata.id")]))[0]

    async def references(self, request: Request, addresses: Any) -> list[str]:
        """The ids that addresses name, whatever host they are of: clients keep the one of Microsoft."""
        if not isinstance(addresses, list) or len(addresses) > MOST_BOUND:
            raise BadRequest(f"References are a list of at most {MOST_BOUND} addresses.")
        return [await self._reference(request, address) for address in addresses]

    async def _reference(self, request: Request, address: Any) -> str:
        if not isinstance(address, str) or not address:
            raise BadRequest(
                "A reference is an address such as https://graph.microsoft.com/v1.0/directoryObjects/{id}."
            )
        try:
            path = segments(urlsplit(address).path)
        except ValueError as error:
            raise BadRequest(f"Invalid URL in a reference: '{address[:200]}'.") from error
        if len(path) < 2 or path[-2].text.lower() not in ("directoryobjects", "users", "groups"):
            raise BadRequest(f"Invalid URL in a reference: '{address[:200]}'.")
        ref = path[-1].text
        guid = canonical_guid(ref)
        if guid is None and path[-2].text.lower() == "users":
            return (await self.user_of(request, ref)).id
        if guid is None:
            raise not_found(ref)
        return guid

    async def shown(
        self, request: Request, found: Sequence[User] | Sequence[Group], options: Options, kind: EntityType
    ) -> list[Document]:
        """Objects of one type as they were asked for, with what is expanded."""
        shown = columns(kind, options.select)
        computed = [name for name, _ in shown if name in _COMPUTED]
        made = [_row(one, shown, computed) for one in found]
        for expand in options.expand:
            behind = await self._expanded(request, found, expand)
            for one, links in zip(made, behind, strict=True):
                one[expand.link] = links
        return made

    async def _expanded(
        self, request: Request, found: Sequence[User | Group], expand: Expand
    ) -> list[Document | None] | list[list[Document]]:
        if expand.link == "manager":
            managers = [one.manager_id if isinstance(one, User) else None for one in found]
            known = await self.by_id(request, dict.fromkeys(id_ for id_ in managers if id_))
            return [linked(known[id_], expand.select) if id_ in known else None for id_ in managers]
        lists = [await self.link_ids(request, one.id, expand.link, MOST_EXPANDED) for one in found]
        known = await self.by_id(request, dict.fromkeys(id_ for ids in lists for id_ in ids))
        return [[linked(known[id_], expand.select) for id_ in ids if id_ in known] for ids in lists]

    async def link_ids(self, request: Request, id_: str, link: str, limit: int, after: str = "") -> list[str]:
        """Ids of the next live objects behind a link, in their order."""
        actor, tenant_id = request.actor, request.tenant_id
        directory, links = self._services.directory, self._services.links
        match link:
            case "members":
                return [m.id for m in await directory.members_after(actor, tenant_id, id_, after, limit)]
            case "transitiveMembers":
                return [m.id for m in await links.members_below(actor, tenant_id, id_, after, limit)]
            case "memberOf":
                ids = (await directory.groups_of(actor, tenant_id, [id_])).get(id_, [])
            case "transitiveMemberOf":
                ids = await links.groups_above(actor, tenant_id, id_)
            case "directReports":
                ids = (await directory.reports_of(actor, tenant_id, [id_])).get(id_, [])
            case "owners":
                ids = await links.owners(actor, tenant_id, id_)
            case "ownedObjects":
                ids = await links.owned(actor, tenant_id, id_)
            case _:
                raise BadRequest(f"'{link}' cannot be expanded.", code="Request_UnsupportedQuery")
        return [one for one in ids if one > after][:limit]
