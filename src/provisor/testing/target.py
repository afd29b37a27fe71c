"""For tests: a SCIM 2.0 service in memory that can be told to misbehave. It is a ``Transport``; ``target_http`` serves
it over HTTP.

It understands the RFC's requests and, unless ``strict``, Entra's. Members and the manager are kept as they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from provisor.clock import Clock
from provisor.connector.transport import ConnectionLost, Request, Response, TimedOut
from provisor.testing.clock import SettableClock
from provisor.testing.target_documents import ENTERPRISE, Document, Refusal, get, matches, patched
from provisor.testing.target_faults import Condition, Fault, Recorded
from provisor.testing.transport import error_reply, json_reply

_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


class SimulatedTarget:
    """Users and groups in memory. ``requests`` holds every request that arrived, refused ones included.

    ``refuses_duplicates``: 409 for a userName that is taken, in any case. ``renames_groups`` false: a PATCH of a
    group's displayName is refused. ``strict``: only what the RFCs allow. ``token``: null welcomes every credential.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        base_address: str = "https://target.test/scim/v2",
        refuses_duplicates: bool = True,
        renames_groups: bool = True,
        strict: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.token = token
        self.base_address = base_address
        self.refuses_duplicates = refuses_duplicates
        self.renames_groups = renames_groups
        self.strict = strict
        self.requests: list[Recorded] = []
        self.users: dict[str, Document] = {}
        self.groups: dict[str, Document] = {}
        self._clock = clock or SettableClock(skipping=True)
        self._faults: list[tuple[Fault, Condition, int | None]] = []
        self._in_flight: list[Recorded] = []
        self._made = 0

    # --- what a test says --------------------------------------------------------------------------------------------

    def fault(self, fault: Fault, *, when: Condition = lambda _: True, times: int | None = 1) -> None:
        """Let the next ``times`` requests (null: all) that fulfil ``when`` meet ``fault``. Earlier faults go first."""
        self._faults.append((fault, when, times))

    def heal(self) -> None:
        """No faults from here on."""
        self._faults.clear()

    def land(self) -> None:
        """Carry out the requests that were held back by ``lands_later``."""
        for request in self._in_flight:
            self._carry_out(request)
        self._in_flight.clear()

    # --- what a test looks at ----------------------------------------------------------------------------------------

    def users_by_name(self) -> dict[str, Document]:
        """userName -> document. Fails where two users have one name: that is a duplicate."""
        found = {user["userName"]: user for user in self.users.values()}
        if len(found) != len(self.users):
            raise AssertionError("Two users have the same userName.")
        return found

    def account_of(self, name: str) -> str | None:
        """The id of the user with this userName, if there is one."""
        return next((id_ for id_, user in self.users.items() if user["userName"] == name), None)

    def groups_by_name(self) -> dict[str, Document]:
        """displayName -> document. Fails where two groups have one name."""
        found = {group["displayName"]: group for group in self.groups.values()}
        if len(found) != len(self.groups):
            raise AssertionError("Two groups have the same displayName.")
        return found

    def memberships(self) -> dict[str, set[str]]:
        """Group's displayName -> its members' userNames (displayNames of groups inside it; ids of strangers)."""
        return {
            group["displayName"]: {self._name(member["value"]) for member in group.get("members", [])}
            for group in self.groups.values()
        }

    def managers(self) -> dict[str, str]:
        """userName -> the manager's userName, of those who have one."""
        return {
            user["userName"]: self._name(manager)
            for user in self.users.values()
            if (manager := get(user, f"{ENTERPRISE}:manager"))
        }

    def sent(self, method: str, path: str = "") -> list[Recorded]:
        """The requests with this method whose path begins with ``path``."""
        return [request for request in self.requests if request.method == method and request.path.startswith(path)]

    # --- Transport ---------------------------------------------------------------------------------------------------

    async def send(self, request: Request) -> Response:
        response = await self.receive(request.method, request.url, request.headers, request.body)
        if isinstance(response, Response):
            return response
        if response == "reset":
            raise ConnectionLost("target.test:443 closed the connection.", may_have_arrived=True)
        await self._clock.sleep(request.timeout)
        raise TimedOut("target.test:443 gave no reply in time.", may_have_arrived=True)

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def receive(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response | str:
        """The reply to a request, or ``silence`` or ``reset``."""
        request = self._understood(method, url, body)
        fault = self._next_fault(request)
        response, reply = await self._meet(fault, request, headers)
        self.requests.append(replace(request, status=response.status if reply is response else None))
        return reply

    async def _meet(
        self, fault: Fault | None, request: Recorded, headers: Mapping[str, str]
    ) -> tuple[Response, Response | str]:
        if fault is None:
            response = self._answer(request, headers)
            return response, response
        await self._clock.sleep(fault.delay)
        response = error_reply(fault.status, fault.detail, headers=fault.headers)
        if fault.reply == "document":
            response = json_reply(fault.document)
        if fault.applied == "later":
            self._in_flight.append(request)
        elif fault.applied == "yes":
            applied = self._answer(request, headers)
            response = applied if fault.reply == "answer" else response
        return response, response if fault.reply in ("answer", "error", "document") else fault.reply

    def _next_fault(self, request: Recorded) -> Fault | None:
        for at, (fault, when, times) in enumerate(self._faults):
            if when(request):
                if times is not None:
                    self._faults[at : at + 1] = [(fault, when, times - 1)] if times > 1 else []
                return fault
        return None

    def _understood(self, method: str, url: str, body: bytes | None) -> Recorded:
        parts = urlsplit(url)
        path = parts.path.removeprefix(urlsplit(self.base_address).path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return Recorded(method, unquote(path), query, msgspec.json.decode(body) if body else None, None)

    # --- the service -------------------------------------------------------------------------------------------------

    def _answer(self, request: Recorded, headers: Mapping[str, str]) -> Response:
        given = {name.lower(): value for name, value in headers.items()}
        if self.token is not None and given.get("authorization") != f"Bearer {self.token}":
            return error_reply(401, "The token is not valid.")
        return self._carry_out(request)

    def _carry_out(self, request: Recorded) -> Response:
        try:
            _, collection, *rest = request.path.split("/")
            store = {"Users": self.users, "Groups": self.groups}.get(collection)
            if store is None or len(rest) > 1:
                raise Refusal(404, f"There is nothing at {request.path}.")
            if not rest:
                return self._create(store, request) if request.method == "POST" else self._list(store, request)
            if rest[0] not in store:
                raise Refusal(404, f"Resource {rest[0]} not found.")
            return self._one(store, rest[0], request)
        except Refusal as refusal:
            return error_reply(refusal.status, refusal.detail, refusal.scim_type)

    def _list(self, store: dict[str, Document], request: Recorded) -> Response:
        if request.method != "GET":
            raise Refusal(405, f"{request.method} is not allowed here.")
        text = request.query.get("filter")
        found = [document for document in store.values() if text is None or matches(document, text)]
        start = max(1, int(request.query.get("startIndex", 1)))
        page = found[start - 1 :][: int(request.query.get("count", 100))]
        shown = [_shown(document, request.query) for document in page]
        return json_reply(
            {
                "schemas": [_LIST],
                "totalResults": len(found),
                "startIndex": start,
                "itemsPerPage": len(page),
                "Resources": shown,
            }
        )

    def _create(self, store: dict[str, Document], request: Recorded) -> Response:
        document = request.body
        key = "userName" if store is self.users else "displayName"
        if not isinstance(document, dict) or not isinstance(document.get(key), str) or not document[key]:
            raise Refusal(400, f"{key} is required.", "invalidValue")
        self._refuse_duplicate(store, document, None)
        self._made += 1
        id_ = f"{'u' if store is self.users else 'g'}{self._made}"
        store[id_] = {**document, "id": id_}
        headers = {"Location": f"{self.base_address}{request.path}/{id_}"}
        return json_reply(_shown(store[id_], {}), 201, headers)

    def _one(self, store: dict[str, Document], id_: str, request: Recorded) -> Response:
        if request.method == "GET":
            return json_reply(_shown(store[id_], request.query))
        if request.method == "DELETE":
            del store[id_]
            self._forget(id_)
            return json_reply(None, 204)
        if request.method != "PATCH":
            raise Refusal(405, f"{request.method} is not allowed here.")
        changed = patched(store[id_], request.body["Operations"], strict=self.strict)
        if store is self.groups and not self.renames_groups and changed["displayName"] != store[id_]["displayName"]:
            raise Refusal(400, "Groups cannot be renamed.", "mutability")
        self._refuse_duplicate(store, changed, id_)
        store[id_] = changed
        return json_reply(_shown(changed, {})) if store is self.users else json_reply(None, 204)

    def _refuse_duplicate(self, store: dict[str, Document], document: Document, own_id: str | None) -> None:
        if store is not self.users or not self.refuses_duplicates:
            return
        name = document["userName"].lower()
        if any(id_ != own_id and other["userName"].lower() == name for id_, other in store.items()):
            raise Refusal(409, f"userName {document['userName']} already exists.", "uniqueness")

    def _forget(self, id_: str) -> None:
        for group in self.groups.values():
            if "members" in group:
                group["members"] = [member for member in group["members"] if member["value"] != id_]

    def _name(self, id_: str) -> str:
        if id_ in self.users:
            return str(self.users[id_]["userName"])
        return str(self.groups[id_]["displayName"]) if id_ in self.groups else id_


def _shown(document: Document, query: Mapping[str, str]) -> Document:
    excluded = {name.strip().lower() for name in query.get("excludedAttributes", "").split(",")}
    only = {name.strip().lower() for name in query.get("attributes", "").split(",") if name.strip()}
    return {
        name: value
        for name, value in document.items()
        if name in ("id", "schemas") or (name.lower() not in excluded and (not only or name.lower() in only))
    }
