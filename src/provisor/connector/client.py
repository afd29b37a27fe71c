"""Step export: the SCIM client. Domain words in, requests in the job's dialect out; every failure is a ``TargetError``.

It decides nothing about identities: what to create, link or change is the engine's business. It waits where the
target asks it to (``pacing.py``), and it never follows, guesses or repeats anything else.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
import structlog

from provisor.clock import Clock
from provisor.connector import answers, check, errors, messages
from provisor.connector.address import parse_tenant_url
from provisor.connector.answers import Page, TargetObject
from provisor.connector.capabilities import CapabilityProfile
from provisor.connector.check import ConnectionResult
from provisor.connector.dialect import Dialect
from provisor.connector.errors import BadAnswer, NotFound404, Refused, TargetError
from provisor.connector.exchange import BLACK, Exchange, Secret
from provisor.connector.messages import ENDPOINTS, AttributeChange, Kind, Operation
from provisor.connector.meters import TargetMeter
from provisor.connector.pacing import GiveUp, Pacer, Wait, decide
from provisor.connector.paths import parse_path
from provisor.connector.transport import Request, Response, Transport, TransportError

# Members in one PATCH where nobody names a limit: about 60 KB, which no server finds too large.
_MEMBERS_PER_PATCH = 1000
# Somebody waits in front of the screen: a target that asks for longer pauses is reported instead, in seconds.
_TEST_BUDGET = 5.0
# Answers by which a target says that it has too much to do: how soon they come says nothing of the others.
_PLEAS = (429, 503)

log = structlog.get_logger(__name__)

_encode = msgspec.json.Encoder().encode
_last: ContextVar[Exchange | None] = ContextVar("provisor_last_exchange", default=None)


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """Members, by the target's id, that joined (true) or left (false) a group with one exchange."""

    members: Sequence[tuple[str, bool]]
    exchange: Exchange | None


class ScimClient:
    """One target, spoken to with one credential. Safe for many tasks at once."""

    def __init__(
        self,
        transport: Transport,
        *,
        base_address: str,
        token: str | None,
        dialect: Dialect,
        capabilities: CapabilityProfile,
        clock: Clock,
        timeout: float = 30.0,
        pacing: Pacer | None = None,
        before_send: Callable[[], Awaitable[None]] | None = None,
        before_wait: Callable[[], None] | None = None,
    ) -> None:
        """``timeout``: seconds for one request with its reply. ``pacing``: share it with all who call this target.

        ``before_send`` is awaited right before every request, also when it is sent again after a pause: what it raises
        comes out, and nothing is sent (a lost lease). ``before_wait`` is called when an answer has come that asks for a
        pause: nothing is under way until ``before_send``. Raises ``InvalidInput`` for a Tenant URL that is none.
        """
        address = parse_tenant_url(base_address)
        self.root = address.root
        self.flags = address.flags
        self.capabilities = capabilities
        self.dialect = dialect
        self._transport = transport
        self._clock = clock
        self._timeout = timeout
        self._before_send = before_send
        self._before_wait = before_wait
        self._pacer = pacing or Pacer(
            clock, concurrency=capabilities.concurrency, requests_per_second=capabilities.requests_per_second
        )
        self._secret = Secret(token)
        self._meter = TargetMeter(self.root)
        self._reading = {"Accept": dialect.accept, "User-Agent": dialect.user_agent}
        if token:
            self._reading["Authorization"] = f"Bearer {token}"
        self._writing = {**self._reading, "Content-Type": dialect.content_type}
        self._shown_reading = _shown(self._reading)
        self._shown_writing = _shown(self._writing)

    @property
    def last_exchange(self) -> Exchange | None:
        """The last request of the running task and its reply, of whichever client; null before the first."""
        return _last.get()

    # --- reading -----------------------------------------------------------------------------------------------------

    async def test(self, user_attribute: str = "userName", group_attribute: str = "displayName") -> ConnectionResult:
        """Test Connection: search for a user and a group that do not exist. Never raises ``TargetError``."""
        probes: list[tuple[Kind, str]] = [("User", user_attribute)]
        if self.capabilities.groups:
            probes.append(("Group", group_attribute))
        for kind, attribute in probes:
            try:
                found = await self._find(kind, attribute, str(uuid.uuid4()), budget=_TEST_BUDGET)
            except TargetError as error:
                return check.diagnose(error, kind, users_answered=kind == "Group")
            if found:
                return check.found_somebody(kind, attribute, self.last_exchange)
        return check.connected(self.last_exchange)

    async def find(self, kind: Kind, attribute: str, value: Any) -> list[TargetObject]:
        """Every object whose ``attribute`` equals ``value``. Raises ``TargetError``.

        ``BadAnswer`` also when the reply holds objects with another value: linking one would hit the wrong person.
        """
        return await self._find(kind, attribute, value)

    async def list_page(self, kind: Kind, start_index: int, count: int) -> Page:
        """Up to ``count`` objects from ``start_index`` (from 1); the target may give fewer. Raises ``TargetError``."""
        without = "excludedAttributes=members&" if kind == "Group" and self.capabilities.members_excludable else ""
        query = f"{without}startIndex={start_index}&count={count}"
        what = f"List of {kind.lower()}s"
        exchange = await self._send("GET", f"{ENDPOINTS[kind]}?{query}", what, missing_is_wrong_path=True)
        return answers.page(exchange, what)

    async def read(self, kind: Kind, target_id: str, *, members: bool = False) -> TargetObject | None:
        """The object, or null if the target does not have it (404). Raises ``TargetError``.

        ``members``: those of a group too, however many there are.
        """
        leave_out = kind == "Group" and not members and self.capabilities.members_excludable
        without = "?excludedAttributes=members" if leave_out else ""
        try:
            exchange = await self._send("GET", f"{_address(kind, target_id)}{without}", f"Read of a {kind.lower()}")
        except NotFound404:
            return None
        return answers.resource(exchange, f"Read of a {kind.lower()}")

    async def schemas(self) -> list[Any]:
        """What the target says of its attributes: the resources of ``/Schemas`` (RFC 7644 section 4). Raises
        ``TargetError``."""
        what = "Discovery of the schemas"
        exchange = await self._send("GET", "/Schemas", what, missing_is_wrong_path=True)
        return answers.schemas(exchange, what)

    # --- writing -----------------------------------------------------------------------------------------------------

    async def create(self, kind: Kind, values: Mapping[str, Any]) -> TargetObject:
        """Make an object. ``values``: target attribute path -> value. Raises ``TargetError``, ``InvalidInput``."""
        body = _encode(messages.create_body(kind, values, self.dialect))
        what = f"Create of a {kind.lower()}"
        exchange = await self._send("POST", ENDPOINTS[kind], what, body, missing_is_wrong_path=True)
        return answers.created(exchange, what)

    async def update(
        self, kind: Kind, target_id: str, changes: Sequence[AttributeChange], *, present: Collection[str] | None = None
    ) -> TargetObject | None:
        """Change attributes in one PATCH: the object as it is then, or null where the target does not show it.

        ``present``: the paths at which the target has values (the acknowledged state), so that a new address or
        number is told from a change of one. Raises ``NotFound404`` when it is gone, else ``TargetError``.
        """
        if self.dialect.replaces_users and kind == "User" and any(change.path != "active" for change in changes):
            return await self._replace(target_id, changes)
        operations = messages.update_operations(changes, self.dialect, present)
        return await self._patch(kind, target_id, operations) if operations else None

    async def set_reference(
        self, kind: Kind, target_id: str, path: str, old_target_id: str | None, new_target_id: str | None
    ) -> None:
        """Set, change or (null) remove a reference such as the manager. Raises ``TargetError``.

        In a dialect that asks first, a target that has it already is sent nothing.
        """
        parse_path(path)
        if new_target_id is not None and await self._has(kind, target_id, path, new_target_id):
            return
        operation = messages.reference_operation(path, old_target_id, new_target_id, self.dialect)
        await self._patch(kind, target_id, [operation])

    async def change_members(self, group_id: str, add: Sequence[str], remove: Sequence[str]) -> list[MembersChanged]:
        """Add and remove members, by the target's ids, in as many PATCHes as the target needs; which has done what.

        Members are not read; a dialect may ask of one of them whether it is there already. Both are safe to repeat:
        after a failure, part of the changes may have been made. Raises ``TargetError``; of several failures the first.
        """
        changes = [(id_, False) for id_ in remove] + [(id_, True) for id_ in add]
        limits = (self.dialect.members_per_patch, self.capabilities.members_per_patch or 0)
        size = min((limit for limit in limits if limit), default=_MEMBERS_PER_PATCH)
        chunks = [changes[at : at + size] for at in range(0, len(changes), size)]
        at_once = self.dialect.member_patches_at_once
        done: list[MembersChanged] = []
        for at in range(0, len(chunks), at_once):
            window = chunks[at : at + at_once]
            if len(window) == 1:
                done.append(await self._change_members(group_id, window[0]))
                continue
            results = await asyncio.gather(
                *(self._change_members(group_id, chunk) for chunk in window), return_exceptions=True
            )
            failures = [result for result in results if isinstance(result, BaseException)]
            if failures:
                raise failures[0]
            done += [result for result in results if not isinstance(result, BaseException)]
        return done

    async def delete(self, kind: Kind, target_id: str) -> bool:
        """Remove an object for good; false when it was already gone (404). Raises ``TargetError``."""
        try:
            await self._send("DELETE", _address(kind, target_id), f"Delete of a {kind.lower()}")
        except NotFound404:
            return False
        return True

    async def _find(self, kind: Kind, attribute: str, value: Any, *, budget: float | None = None) -> list[TargetObject]:
        without_members = self.capabilities.members_excludable
        query = messages.find_query(kind, attribute, value, self.dialect, without_members=without_members)
        what = f"Search for a {kind.lower()}"
        exchange = await self._send(
            "GET", f"{ENDPOINTS[kind]}?{query}", what, missing_is_wrong_path=True, budget=budget
        )
        found = answers.page(exchange, what).objects
        if attribute not in self.capabilities.normalised_attributes:
            answers.require_matches(found, attribute, value, exchange)
        return found

    # --- requests ----------------------------------------------------------------------------------------------------

    async def _has(self, kind: Kind, target_id: str, path: str, referred_id: str) -> bool:
        """Whether the target says that the object has this reference; false where the dialect does not ask.

        A target that refuses the question, or answers it with what is no list, has not said so. Raises ``TargetError``
        when it did not get to answer: a pause that is too long, a failure of the server, a lost connection.
        """
        if not self.dialect.asks_before_reference:
            return False
        what = f"Question for a reference of a {kind.lower()}"
        query = messages.reference_query(target_id, path, referred_id, self.dialect)
        try:
            exchange = await self._send("GET", f"{ENDPOINTS[kind]}?{query}", what)
            found = answers.page(exchange, what).objects
        except BadAnswer:
            return False
        except TargetError as error:
            if error.retryable or not 400 <= (error.status or 0) < 500:
                raise
            return False
        return [one.id for one in found] == [target_id]

    async def _change_members(self, group_id: str, changes: Sequence[tuple[str, bool]]) -> MembersChanged:
        needed = [
            (id_, joins) for id_, joins in changes if not (joins and await self._has("Group", group_id, "members", id_))
        ]
        if needed:
            await self._patch_members(group_id, needed)
        # Where nothing was needed, the answer to the question shows it. Each is asked and sent in a task of its own.
        return MembersChanged(changes, self.last_exchange)

    async def _patch_members(self, group_id: str, changes: Sequence[tuple[str, bool]]) -> None:
        add = [id_ for id_, joins in changes if joins]
        remove = [id_ for id_, joins in changes if not joins]
        try:
            await self._patch("Group", group_id, messages.member_operations(add, remove, self.dialect))
        except Refused as error:
            # By the RFC a selector that selects nobody is an error: that member had left before. A PATCH is all or
            # nothing, so the others go again, one by one.
            if error.scim_type.lower() != "notarget" or not remove:
                raise
            if len(changes) > 1:
                for change in changes:
                    await self._patch_members(group_id, [change])

    async def _replace(self, target_id: str, changes: Sequence[AttributeChange]) -> TargetObject | None:
        what = "Update of a user"
        address = _address("User", target_id)
        present = answers.resource(await self._send("GET", address, what), what)
        body = _encode(messages.replaced(present.raw, changes))
        return answers.changed(await self._send("PUT", address, what, body), what)

    async def _patch(self, kind: Kind, target_id: str, operations: Sequence[Operation]) -> TargetObject | None:
        what = f"Update of a {kind.lower()}"
        address = _address(kind, target_id)
        if self.dialect.read_before_patch:
            await self._send("GET", f"{address}{'?excludedAttributes=members' if kind == 'Group' else ''}", what)
        exchange = await self._send("PATCH", address, what, _encode(messages.patch_body(operations)))
        return answers.changed(exchange, what)

    async def _send(
        self,
        method: str,
        address: str,
        what: str,
        body: bytes | None = None,
        *,
        missing_is_wrong_path: bool = False,
        budget: float | None = None,
    ) -> Exchange:
        """Send at the target's pace; the exchange of a reply with status 2xx. Raises ``TargetError``."""
        headers = self._reading if body is None else self._writing
        request = Request(method, self.root + address, headers, body, self._timeout)
        async with self._pacer.place():
            exchange, asked = await self._paced(request, what, self._pacer.budget if budget is None else budget)
        status = exchange.response.status if exchange.response else 0
        if 200 <= status < 300:
            return exchange
        if status == 404 and missing_is_wrong_path:
            raise errors.wrong_path(exchange, what)
        raise errors.from_status(exchange, what, retry_after_seconds=asked)

    async def _paced(self, request: Request, what: str, budget: float) -> tuple[Exchange, float | None]:
        """Send, and wait as often as the target asks; with the wait that was too long for the budget, else null."""
        waited = 0.0
        for tries in itertools.count(1):
            await self._pacer.turn()
            if self._before_send is not None:
                await self._before_send()
            exchange = await self._exchange(request, what)
            response = exchange.response
            if response is None or response.status < 429:
                self._pacer.served()
                return exchange, None
            decision = decide(
                response.status,
                response.headers.get("Retry-After"),
                now_ms=self._clock.now_ms(),
                tries=tries,
                waited=waited,
                budget=budget,
            )
            if isinstance(decision, Wait):
                if self._before_wait is not None:
                    self._before_wait()
                self._pacer.pause(decision.seconds)
                self._meter.paused(decision.seconds)
                waited += decision.seconds
            else:
                return exchange, decision.seconds if isinstance(decision, GiveUp) else None
        raise AssertionError  # count() has no end

    async def _exchange(self, request: Request, what: str) -> Exchange:
        began, under_way = self._clock.now_ms(), self._pacer.under_way
        try:
            response = await self._transport.send(request)
        except TransportError as error:
            if error.may_have_arrived:
                self._pacer.answered(began, under_way)
            exchange = self._record(request, None, began)
            raise errors.from_transport(error, exchange, what) from error
        if response.status not in _PLEAS:
            self._pacer.answered(began, under_way)
        return self._record(request, response, began)

    def _record(self, request: Request, response: Response | None, began: int) -> Exchange:
        shown = self._shown_reading if request.body is None else self._shown_writing
        took = self._clock.now_ms() - began
        exchange = Exchange(request.method, request.url, shown, request.body, response, took, self._secret)
        _last.set(exchange)
        self._meter.answered(request.method, exchange.status, took)
        log.debug(
            "target_request",
            method=request.method,
            url=request.url,
            status=exchange.status,
            milliseconds=took,
        )
        return exchange


def _address(kind: Kind, target_id: str) -> str:
    return f"{ENDPOINTS[kind]}/{quote(target_id, safe='')}"


def _shown(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: f"Bearer {BLACK}" if name == "Authorization" else value for name, value in headers.items()}
