"""SCIM face, step 2: ``/Bulk`` (RFC 7644 section 3.7): many requests in one, each atomic and answered by itself.

An operation that refers to another's ``bulkId`` runs after it, wherever it stands. Where operations refer to each other
in a circle, one is created without these references first, and completed once everything is there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import msgspec

from provisor.ids import new_id
from provisor.scim.bulk import Bulk, BulkOperation, parse_bulk, references, resolved, without
from provisor.scim.dialect import dialect
from provisor.scim.errors import AlreadyThere, InvalidValue, PayloadTooLarge, ScimError
from provisor.scim.messages import bulk_response
from provisor.web.scim.http import Answer, Request

MOST_OPERATIONS = 1_000
MOST_BYTES = 4 * 1024 * 1024

# Answers a request whose path was split already; whatever goes wrong is an answer too.
Perform = Callable[[str, Request], Awaitable[Answer]]


class BulkEndpoint:
    """``POST /Bulk``. ``perform`` does one of its operations: it is given the endpoint's name and the request."""

    def __init__(self, perform: Perform) -> None:
        self._perform = perform

    async def post(self, request: Request) -> Answer:
        """Run the operations."""
        if len(request.body) > MOST_BYTES:
            raise PayloadTooLarge(
                f"The bulk request has {len(request.body)} bytes; the limit is {MOST_BYTES}.",
                hint="Send several requests.",
            )
        bulk = parse_bulk(request.json(), dialect(request.principal.dialect), most=MOST_OPERATIONS)
        run = _Run(bulk, request, self._perform)
        await run.all()
        return Answer(200, msgspec.json.encode(bulk_response(run.answers())))


@dataclass
class _Run:
    """One bulk request while it is worked off. Operations are known by their position."""

    bulk: Bulk
    request: Request
    perform: Perform
    errors: int = 0
    done: dict[int, dict[str, Any]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)  # bulkId -> the id of what was created
    planned: dict[str, str] = field(default_factory=dict)  # bulkId -> the id that it will have
    begun: set[int] = field(default_factory=set)
    unfinished: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.makers = {
            one.bulk_id: number
            for number, one in enumerate(self.bulk.operations)
            if one.method == "POST" and one.bulk_id is not None and one.error is None
        }
        self.planned = {bulk_id: new_id() for bulk_id in self.makers}

    async def all(self) -> None:
        for number in range(len(self.bulk.operations)):
            await self._with_what_it_needs(number)
        for number in self.unfinished:
            if not self.is_over:
                await self._complete(number)

    def answers(self) -> list[dict[str, Any]]:
        return [self.done[number] for number in sorted(self.done)]

    @property
    def is_over(self) -> bool:
        limit = self.bulk.fail_on_errors
        return limit is not None and self.errors >= limit

    async def _with_what_it_needs(self, number: int) -> None:
        """Depth first through the references, without recursion: a chain may be as long as the request."""
        stack = [number]
        while stack:
            at = stack[-1]
            if at in self.done or self.is_over:
                stack.pop()
                continue
            self.begun.add(at)
            needed = (self.makers.get(name) for name in sorted(references(self.bulk.operations[at])))
            waiting = [one for one in needed if one is not None and one not in self.begun]
            if waiting:
                stack.append(waiting[0])
                continue
            stack.pop()
            await self._do(at)

    async def _do(self, number: int) -> None:
        operation = self.bulk.operations[number]
        if operation.error is not None:
            self._note(number, _failed(operation.error))
            return
        data = operation.data
        named = references(operation)
        if strange := named - self.makers.keys():
            text = ", ".join(sorted(strange))
            self._note(number, _failed(InvalidValue(f"No POST of this request has the bulkId {text:.200}.")))
            return
        ahead = {name for name in named if self.makers[name] not in self.done}
        lost = {name for name in named - ahead if name not in self.ids}
        if lost:
            text = ", ".join(sorted(lost))
            self._note(number, _failed(AlreadyThere(f"The operation with the bulkId {text:.200} failed.")))
            return
        if ahead:
            data = without(data, ahead)
            self.unfinished.append(number)
        answer = await self._send(operation, resolved(data, self.ids))
        self._note(number, answer)
        if operation.method == "POST" and operation.bulk_id is not None and answer.status == HTTPStatus.CREATED:
            self.ids[operation.bulk_id] = self.planned[operation.bulk_id]

    async def _complete(self, number: int) -> None:
        """Give a resource of a circle the references that it was created without."""
        operation = self.bulk.operations[number]
        if operation.bulk_id not in self.ids:
            return
        lost = {name for name in references(operation) if name not in self.ids}
        path = f"{operation.path.rstrip('/')}/{self.ids[operation.bulk_id]}"
        put = replace(operation, method="PUT", path=path, version=None)
        answer = await self._send(put, resolved(without(operation.data, lost), self.ids))
        made = self.done[number]
        self.done.pop(number)
        if answer.status == HTTPStatus.OK:
            answer.status = HTTPStatus.CREATED
        self._note(number, answer)
        self.done[number].setdefault("location", made["location"])

    async def _send(self, operation: BulkOperation, data: Any) -> Answer:
        path, _, query = resolved_path(operation.path, self.ids).partition("?")
        name, *rest = [segment for segment in path.split("/") if segment]
        headers = {b"content-type": b"application/scim+json"}
        if operation.version is not None:
            headers[b"if-match"] = operation.version.encode("latin-1", "replace")
        new = self.planned.get(operation.bulk_id or "") if operation.method == "POST" else None
        parameters = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
        return await self.perform(
            name.lower(),
            replace(
                self.request,
                method=operation.method,
                rest=rest,
                query=parameters,
                headers=headers,
                body=b"",
                parsed=data,
                new_id=new,
            ),
        )

    def _note(self, number: int, answer: Answer) -> None:
        operation = self.bulk.operations[number]
        entry: dict[str, Any] = {"method": operation.method}
        if operation.bulk_id is not None:
            entry["bulkId"] = operation.bulk_id
        headers = {name.decode(): value.decode("latin-1") for name, value in answer.headers or ()}
        if "etag" in headers:
            entry["version"] = headers["etag"]
        if "location" in headers:
            entry["location"] = headers["location"]
        elif operation.method != "POST" and operation.path:
            entry["location"] = self.request.base + resolved_path(operation.path, self.ids)
        entry["status"] = str(int(answer.status))
        if answer.status >= HTTPStatus.BAD_REQUEST:
            self.errors += 1
            entry["response"] = msgspec.Raw(answer.body)
        self.done[number] = entry


def resolved_path(path: str, ids: dict[str, str]) -> str:
    """A path with the ids of the bulkIds in it."""
    return "/".join(resolved(segment, ids) for segment in path.split("/"))


def _failed(error: ScimError) -> Answer:
    return Answer(error.status, msgspec.json.encode(error.body()))
