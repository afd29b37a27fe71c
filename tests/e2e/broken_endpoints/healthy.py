"""A small endpoint without a fault, in memory, to be broken in one place at a time. It is a ``Transport``."""

from __future__ import annotations

import copy
import re
import uuid
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from provisor.connector.transport import Headers, Request, Response
from provisor.testing.target_documents import Document, Refusal, get, patched

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_MEMBERS = "urn:ietf:params:scim:schemas:core:2.0:group:members"
# Lower-cased name -> the name. What is not here is unknown, and ignored.
_NAMES = {
    name.lower(): name
    for name in (
        *("id", "schemas", "meta", "externalId", "userName", "displayName", "active", "title", "name", "nickName"),
        *("emails", "phoneNumbers", "addresses", "roles", "members", "preferredLanguage", "locale", "timezone"),
    )
}

Query = dict[str, str]


class Healthy:
    """The endpoint. Every step that an endpoint can get wrong is a method of its own."""

    token = "the-token"
    # Whose requests show the fault, and which rule names it.
    profile = "entra"
    found_by = ""
    root = "http://endpoint.test/scim"

    def __init__(self) -> None:
        self.users: dict[str, Document] = {}
        self.groups: dict[str, Document] = {}

    # Transport

    async def send(self, request: Request) -> Response:
        if not self.welcomes(request):
            return self.refused(401, "The token is not valid.")
        parts = urlsplit(request.url)
        path = [unquote(one) for one in parts.path.removeprefix(urlsplit(self.root).path).split("/") if one]
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            body = self.body(request)
            return await self.answer(request.method, path, query, body)
        except Refusal as refusal:
            return self.refused(refusal.status, refusal.detail, refusal.scim_type)

    async def close(self) -> None:
        """There is nothing to let go of."""

    def welcomes(self, request: Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self.token}"

    def body(self, request: Request) -> Any:
        if request.body is None:
            return None
        try:
            return msgspec.json.decode(request.body)
        except msgspec.DecodeError as error:
            raise Refusal(400, "The body is not JSON.", "invalidSyntax") from error

    def replied(self, document: Any, status: int = 200) -> Response:
        body = b"" if document is None else msgspec.json.encode(document)
        return Response(status, Headers({"Content-Type": "application/scim+json"}), body)

    def refused(self, status: int, detail: str, scim_type: str | None = None) -> Response:
        document = {"schemas": [_ERROR], "status": str(status), "detail": detail}
        return self.replied(document | ({"scimType": scim_type} if scim_type else {}), status)

    # Routing

    async def answer(self, method: str, path: list[str], query: Query, body: Any) -> Response:
        kind, rest = (path[0], path[1:]) if path else ("", [])
        if kind in ("Schemas", "ResourceTypes", "ServiceProviderConfig"):
            return self.replied(self.discovery(kind))
        store = {"Users": self.users, "Groups": self.groups}.get(kind)
        if store is None:
            raise Refusal(404, "There is nothing here.")
        if not rest:
            return await self.create(store, body) if method == "POST" else self.listed(store, query)
        id_ = self.identified(store, rest[0])
        if method == "GET":
            return self.replied(self.shown(store[id_], query))
        if method == "DELETE":
            return self.delete(store, id_)
        if method == "PATCH":
            return await self.patch(store, id_, body)
        if method == "PUT":
            self.refuse_duplicate(store, body, id_)
            store[id_] = {**self.kept(body), "id": id_}
            return self.replied(self.shown(store[id_], {}))
        raise Refusal(405, f"{method} is not allowed here.")

    def identified(self, store: dict[str, Document], id_: str) -> str:
        if id_ not in store:
            raise Refusal(404, f"Resource {id_} not found.")
        return id_

    def discovery(self, kind: str) -> Any:
        if kind == "ServiceProviderConfig":
            return {"patch": {"supported": True}, "filter": {"supported": True, "maxResults": 200}}
        if kind == "ResourceTypes":
            found = [{"id": name, "name": name, "endpoint": f"/{name}s"} for name in ("User", "Group")]
        else:
            text = {"type": "string", "multiValued": False}
            subs = [{"name": name, **text} for name in ("value", "type", "givenName", "familyName")]
            names = [{"name": name, **text, "subAttributes": subs} for name in _NAMES.values() if name != "members"]
            manager = [{"name": "manager", "type": "complex"}, {"name": "department", **text}]
            found = [
                {"id": CORE_USER, "name": "User", "attributes": names},
                {"id": ENTERPRISE, "name": "EnterpriseUser", "attributes": manager},
            ]
        return {"schemas": [_LIST], "totalResults": len(found), "Resources": found}

    # Reading

    def listed(self, store: dict[str, Document], query: Query) -> Response:
        found = [one for one in store.values() if self.visible(one)]
        if "filter" in query:
            found = self.filtered(found, query["filter"])
        start = max(1, int(query.get("startIndex", 1)))
        page = self.page(found, start, int(query.get("count", 100)))
        document = {"schemas": [_LIST], "totalResults": len(found), "startIndex": start, "itemsPerPage": len(page)}
        return self.replied(document | {"Resources": [self.shown(one, query) for one in page]})

    def visible(self, document: Document) -> bool:
        return True

    def page(self, found: list[Document], start: int, count: int) -> list[Document]:
        return found[start - 1 :][:count]

    def filtered(self, documents: list[Document], text: str) -> list[Document]:
        terms = _terms(text)
        return [one for one in documents if all(self.equal(one, path, wanted) for path, wanted in terms)]

    def equal(self, document: Document, path: str, wanted: str) -> bool:
        if path == "manager":
            path = f"{ENTERPRISE}:manager"
        head = path.partition("[")[0].partition(".")[0]
        if not path.startswith("urn:"):
            if head.lower() not in _NAMES:
                raise Refusal(400, f"There is no attribute {head}.", "invalidFilter")
            path = _NAMES[head.lower()] + path[len(head) :]
        value = get(document, path)
        values = value if isinstance(value, list) else [value]
        return any(self.same(one, wanted) for one in values)

    def same(self, present: Any, wanted: str) -> bool:
        return isinstance(present, str) and present.lower() == wanted.lower()

    def shown(self, document: Document, query: Query) -> Document:
        excluded = query.get("excludedAttributes", "").lower().split(",")
        only = [name for name in query.get("attributes", "").lower().split(",") if name]
        return {
            name: value
            for name, value in document.items()
            if name == "id" or (name.lower() not in excluded and (not only or name.lower() in only))
        }

    # Writing

    async def create(self, store: dict[str, Document], body: Any) -> Response:
        key = self.key(store)
        if not isinstance(body, dict) or not body.get(key):
            raise Refusal(400, f"{key} is required.", "invalidValue")
        self.refuse_duplicate(store, body, None)
        new = self.kept(body)
        id_ = self.new_id(new)
        store[id_] = {**new, "id": id_}
        return self.replied(self.shown(store[id_], {}), 201)

    def kept(self, body: Document) -> Document:
        return {name: value for name, value in body.items() if name.lower() in _NAMES or name.startswith("urn:")}

    def new_id(self, document: Document) -> str:
        return uuid.uuid4().hex

    def key(self, store: dict[str, Document]) -> str:
        return "userName" if store is self.users else "displayName"

    def refuse_duplicate(self, store: dict[str, Document], document: Document, own: str | None) -> None:
        key = self.key(store)
        name = str(document.get(key, ""))
        if any(id_ != own and self.same(other.get(key), name) for id_, other in store.items()):
            raise Refusal(409, f"{key} {name} is taken.", "uniqueness")

    async def patch(self, store: dict[str, Document], id_: str, body: Any) -> Response:
        if not isinstance(body, dict) or not isinstance(body.get("Operations"), list):
            raise Refusal(400, "This is no PatchOp.", "invalidSyntax")
        operations = [self.operation(one) for one in body["Operations"]]
        changed = await self.patched(store, id_, operations)
        self.refuse_duplicate(store, changed, id_)
        store[id_] = changed
        return self.replied(self.shown(changed, {})) if store is self.users else self.replied(None, 204)

    def operation(self, operation: Any) -> Any:
        """Spellings of ``members`` are one, and attributes that nobody knows are left out."""
        path = str(operation.get("path") or "")
        if path.lower() in ("members", _MEMBERS):
            return {**operation, "path": "members"}
        if path.startswith("manager"):
            path = f"{ENTERPRISE}:{path}"
        if path.startswith(f"{ENTERPRISE}:manager["):
            return {"op": operation["op"], "path": f"{ENTERPRISE}:manager", "value": None}
        return {**operation, "path": path} if path else operation

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        known = [one for one in operations if "certifyUnknown" not in str(one.get("path"))]
        changed = patched(store[id_], known, strict=False)
        for one in known:
            if one.get("path") == "members" and one["op"].lower() != "remove":
                self.check_members(one["value"])
        self.tidied(changed)
        return changed

    def check_members(self, members: list[Any]) -> None:
        for member in members:
            if member["value"] not in self.users and member["value"] not in self.groups:
                raise Refusal(400, f"There is no {member['value']}.", "invalidValue")

    def tidied(self, document: Document) -> None:
        """A new primary takes the place of the old one."""
        emails = document.get("emails") or []
        primaries = [one for one in emails if one.get("primary")]
        for one in primaries[:-1]:
            one["primary"] = False

    def delete(self, store: dict[str, Document], id_: str) -> Response:
        del store[id_]
        for group in self.groups.values():
            group["members"] = [one for one in group.get("members", []) if one["value"] != id_]
        for user in self.users.values():
            extension = user.get(ENTERPRISE) or {}
            if (extension.get("manager") or {}).get("value") == id_:
                del extension["manager"]
        return self.replied(None, 204)

    def snapshot(self, document: Document) -> Document:
        return copy.deepcopy(document)


_TERM = re.compile(r'(?P<path>[\w:.$-]+(?:\[[^\]]*\])?(?:\.\w+)?) eq (?P<literal>"(?:[^"\\]|\\.)*"|\S+)', re.IGNORECASE)
# The RFC's form of what Entra writes with the value behind the brackets.
_INNER = re.compile(r'(\w+)\[(type eq "\w+") and value eq ("(?:[^"\\]|\\.)*")\]')


def _terms(text: str) -> list[tuple[str, str]]:
    """``path eq "value"`` joined by ``and``; the bare form of a value too."""
    found = []
    for term in _INNER.sub(r"\1[\2].value eq \3", text).split(" and "):
        match = _TERM.fullmatch(term)
        if match is None:
            raise Refusal(400, f"The filter {text!r} is not understood.", "invalidFilter")
        literal = match["literal"]
        value = msgspec.json.decode(literal) if literal.startswith('"') else literal
        found.append((match["path"], str(value)))
    return found
