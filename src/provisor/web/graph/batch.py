"""Graph face: ``$batch``, up to 20 requests in one (reference section 13).

A request runs once everything it depends on is done, beside the others; where one of those failed it is answered 424.
The outer answer is 200 however the parts end; a batch that is malformed is refused as a whole.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from provisor.web.graph.errors import BadRequest
from provisor.web.graph.http import Answer

MOST_REQUESTS = 20
_METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))
_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_VERSION = re.compile(r"/(v1\.0|beta)(?=/)")
_FAILED_DEPENDENCY = {
    "error": {"code": "FailedDependency", "message": "A request that this one depends on has failed."}
}


@dataclass(frozen=True, slots=True)
class Part:
    """One request. ``url`` is relative to the version's address; ``headers`` by lower-case name; ``body``: JSON, null
    without one, or bytes of what is not JSON."""

    id: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    needs: Sequence[str]


# Answers one part, without a stream; whatever goes wrong is an answer too.
Perform = Callable[[Part], Awaitable[Answer]]


async def run(body: Any, perform: Perform) -> dict[str, Any]:
    """The body of the whole answer. Raises ``BadRequest`` for a batch that is malformed."""
    parts = _parts(body)
    done: dict[str, dict[str, Any]] = {}
    waiting = list(parts)
    while waiting:
        ready = [part for part in waiting if all(need.lower() in done for need in part.needs)]
        if not ready:
            names = ", ".join(part.id for part in waiting)
            raise BadRequest(f"The requests {names} depend on each other in a circle.", code="BadRequest")
        answers = await asyncio.gather(*(_one(part, done, perform) for part in ready))
        done |= {part.id.lower(): answer for part, answer in zip(ready, answers, strict=True)}
        waiting = [part for part in waiting if part.id.lower() not in done]
    return {"responses": [done[part.id.lower()] for part in parts]}


async def _one(part: Part, done: Mapping[str, dict[str, Any]], perform: Perform) -> dict[str, Any]:
    if any(done[need.lower()]["status"] >= 400 for need in part.needs):
        return {
            "id": part.id,
            "status": 424,
            "headers": {"Content-Type": "application/json"},
            "body": _FAILED_DEPENDENCY,
        }
    answer = await perform(part)
    headers = {_title(name): value for name, value in answer.headers.items()}
    raw = answer.body
    made: dict[str, Any] = {"id": part.id, "status": answer.status, "headers": headers}
    if raw and answer.media.startswith("application/json"):
        headers["Content-Type"] = "application/json"
        made["body"] = msgspec.Raw(raw)
    elif raw:
        headers["Content-Type"] = answer.media
        made["body"] = base64.b64encode(raw).decode()
    return made


def _title(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("-"))


def _parts(body: Any) -> list[Part]:
    found = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(found, list) or not found:
        raise BadRequest('A batch is an object with a list of "requests".', code="BadRequest")
    if len(found) > MOST_REQUESTS:
        raise BadRequest(
            f"Number of batch request steps exceeds the maximum value of {MOST_REQUESTS}: there are {len(found)}.",
            code="MaximumValueExceeded",
        )
    parts = [_part(one, number) for number, one in enumerate(found, start=1)]
    ids = [part.id.lower() for part in parts]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise BadRequest(f"The id '{twice[0]}' is there twice.", code="BadRequest")
    for part in parts:
        for need in part.needs:
            if need.lower() not in ids:
                raise BadRequest(f"'{part.id}' depends on '{need[:100]}', which is no request here.", code="BadRequest")
    return parts


def _part(found: Any, number: int) -> Part:
    if not isinstance(found, dict):
        raise BadRequest(f"Request {number} is not an object.", code="BadRequest")
    id_, method, url = (_text(found, name, number) for name in ("id", "method", "url"))
    if method.upper() not in _METHODS:
        raise BadRequest(f"The method '{method[:20]}' of '{id_[:100]}' is unknown.", code="BadRequest")
    if _ABSOLUTE.match(url):
        # Microsoft's Python SDK sends whole addresses; whose they are does not matter.
        _, version, url = _VERSION.split(url, maxsplit=1) if _VERSION.search(url) else ("", "", "")
        if not version:
            raise BadRequest(f"The url of '{id_[:100]}' is relative, such as /users?$top=1.", code="BadRequest")
    headers = found.get("headers") or {}
    # The second spelling is that of Microsoft's Python SDK.
    needs = found.get("dependsOn") or found.get("depends_on") or []
    if not isinstance(headers, dict) or not isinstance(needs, list) or not all(isinstance(n, str) for n in needs):
        raise BadRequest(f"'headers' or 'dependsOn' of '{id_[:100]}' is malformed.", code="BadRequest")
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    return Part(id_, method.upper(), url, lowered, _body(found.get("body"), lowered, id_), needs)


def _text(found: dict[str, Any], name: str, number: int) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"Request {number} has no '{name}'.", code="BadRequest")
    return value


def _body(body: Any, headers: Mapping[str, str], id_: str) -> Any:
    if body is None:
        return None
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media:
        raise BadRequest(f"'{id_[:100]}' has a body, but no Content-Type among its headers.", code="BadRequest")
    if media == "application/json":
        return body
    return str(body).encode()
