"""A company of 100,000 users with a long log, for ``portal.py``. Rows are written as the stores write them, at once."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisor.app.services import AppServices, open_services
from provisor.app.settings import read_settings
from provisor.ids import new_id
from provisor.provider.resources.index import Indexer
from provisor.scim.schemas import GROUP_URN, USER_URN, core
from provisor.security.actor import operator
from provisor.signin.people import PersonKey
from provisor.signin.sessions import COOKIES, Origin

KEY = "33" * 32
_CHUNK = 5_000
_NOW = 1_790_000_000_000


@dataclass
class Filled:
    """One side: the cookie of somebody who has signed in, and pages by name."""

    cookies: dict[str, str]
    pages: dict[str, str] = field(default_factory=dict)


async def fill_company(environment: Mapping[str, str], users: int, entries: int) -> Filled:
    """A company with users, a group of them all and groups of a hundred, a log, an outbox and keys."""
    async with open_services(read_settings(environment)) as services:
        me = operator()
        company = (await services.companies.create_company(me, "Bench", "ada@bench.example")).id
        key, _ = await services.companies.create_key(me, company, name="entra", expires="2090-01-01")
        for number in range(20):
            await services.companies.create_key(me, company, name=f"key {number}", expires="2090-01-01")
        ids = await _resources(services, company, key.id, users)
        await _write(services, _REQUEST, _requests(company, key.id, ids["users"], entries))
        await _write(services, _CHANGE, _changes(company, ids["users"], entries))
        await services.database.write(lambda tx: tx.execute(_HEAD, {"company_id": company, "seq": entries}))
        [person] = await services.companies.administrators(me, company)
        origin = Origin("127.0.0.1", "the benchmark")
        value = await services.sessions.create(PersonKey("company", company, person.id), origin)
        newest = (await services.requests.entries(me, company, limit=1))[0].id
    first, last = ids["users"][0], ids["users"][-1]
    half = f"user{users // 2:06}@bench.example"
    pages = {
        "company: overview": "/company",
        "company: users": "/company/users",
        "company: users, in the middle": f"/company/users?after={half}",
        "company: users found by a rare text": f"/company/users?q={users // 3:06}",
        "company: users found by what all have": "/company/users?q=bench",
        "company: nobody found": "/company/users?q=nobody",
        "company: a user": f"/company/users/{first}",
        "company: groups": "/company/groups",
        "company: a group found": "/company/groups?q=group-0099",
        "company: a group of everybody": f"/company/groups/{ids['groups'][0]}",
        "company: its last members": f"/company/groups/{ids['groups'][0]}?after={ids['users'][-40]}",
        "company: request log": "/company/requests",
        "company: request log, a rare status": "/company/requests?state=500",
        "company: request log, a text nobody sent": "/company/requests?q=nothing-like-it",
        "company: request log, one user": f"/company/requests?q={last}",
        "company: a request": f"/company/requests/{newest}",
        "company: changes": "/company/changes",
        "company: the first changes": "/company/changes?upto=50",
        "company: webhooks": "/company/webhooks",
        "company: settings": "/company/settings",
        "company: authentication": "/company/settings/authentication",
        "company: API keys": "/company/settings/authentication/api-keys",
        "company: add key": "/company/settings/authentication/api-keys/add",
        "company: OAuth clients": "/company/settings/authentication/oauth-clients",
        "company: service accounts": "/company/settings/authentication/service-accounts",
        "company: administrators": "/company/settings/administrators",
        "company: schemas": "/company/settings/schemas",
        "company: audit log": "/company/settings/audit",
        "company: messages": "/company/settings/messages",
        "front page": "/",
    }
    return Filled({COOKIES["company"]: value}, pages)


_RESOURCE = (
    "INSERT INTO resource"
    " (company_id, type, id, unique_key, display, document, version, created_at, modified_at, source)"
    " VALUES (:company_id, :type, :id, :unique_key, :display, :document, 1, :at, :at, :source)"
)
_ATTRIBUTE = (
    "INSERT INTO resource_attr (company_id, type, path, value, resource_id)"
    " VALUES (:company_id, :type, :path, :value, :id)"
)
_MEMBER = (
    "INSERT INTO resource_member (company_id, group_id, member_id, member_type)"
    " VALUES (:company_id, :group_id, :member_id, 'User')"
)
_REQUEST = (
    "INSERT INTO scim_request"
    " (company_id, id, at, credential, method, path, status, duration_us, request, answer, ignored, resource_id)"
    " VALUES (:company_id, :id, :at, :credential, :method, :path, :status, 900, :request, :answer, NULL, :resource_id)"
)
_CHANGE = (
    "INSERT INTO outbox (company_id, seq, resource_type, resource_id, change, at)"
    " VALUES (:company_id, :seq, 'User', :resource_id, 'updated', :at)"
)
_HEAD = (
    "INSERT INTO outbox_head (company_id, seq) VALUES (:company_id, :seq)"
    " ON CONFLICT (company_id) DO UPDATE SET seq = excluded.seq"
)


async def _resources(services: AppServices, company: str, source: str, users: int) -> dict[str, list[str]]:
    indexer = Indexer(core())
    ids: dict[str, list[str]] = {"users": [new_id() for _ in range(users)], "groups": []}
    rows: list[dict[str, Any]] = []
    attributes: list[dict[str, Any]] = []

    def add(kind: str, resource_id: str, document: dict[str, Any]) -> None:
        draft = indexer.draft(kind, document)
        base = {"company_id": company, "type": kind, "id": resource_id}
        rows.append(
            {**base, "unique_key": draft.unique_key, "display": draft.display, "document": draft.document}
            | {"at": _NOW, "source": source}
        )
        attributes.extend({**base, "path": path, "value": value} for path, value in draft.rows)

    for number, resource_id in enumerate(ids["users"]):
        name = f"user{number:06}@bench.example"
        emails = [{"value": name, "type": "work", "primary": True}]
        names = {"givenName": "User", "familyName": f"Number {number:06}"}
        add(
            "User",
            resource_id,
            {"schemas": [USER_URN], "id": resource_id, "userName": name, "externalId": f"x-{number:06}"}
            | {"displayName": f"User Number {number:06}", "name": names, "emails": emails, "active": number % 9 != 0},
        )
    members: list[dict[str, Any]] = []
    for number in range(users // 100 + 1):
        resource_id = new_id()
        ids["groups"].append(resource_id)
        name = "Everybody" if number == 0 else f"group-{number:04}"
        add("Group", resource_id, {"schemas": [GROUP_URN], "id": resource_id, "displayName": name})
        inside = ids["users"] if number == 0 else ids["users"][(number - 1) * 100 : number * 100]
        members += [{"company_id": company, "group_id": resource_id, "member_id": one} for one in inside]
    for sql, some in ((_RESOURCE, rows), (_ATTRIBUTE, attributes), (_MEMBER, members)):
        await _write(services, sql, iter(some))
    return ids


def _requests(company: str, credential: str, users: list[str], count: int) -> Iterator[dict[str, Any]]:
    now = time.time_ns() // 1_000_000
    body = json.dumps({"schemas": [], "Operations": [{"op": "Replace", "path": "title", "value": "Engineer " * 20}]})
    for number in range(count):
        user = users[number % len(users)]
        yield {
            "company_id": company,
            "id": new_id(),
            # The last of them just now, and all within half a day.
            "at": now - (count - number) * 40,
            "credential": credential,
            "method": "PATCH",
            "path": f"/scim/v2/Users/{user}",
            "status": 500 if number == 7 else 200,
            "request": body,
            "answer": body,
            "resource_id": user,
        }


def _changes(company: str, users: list[str], count: int) -> Iterator[dict[str, Any]]:
    for seq in range(1, count + 1):
        yield {"company_id": company, "seq": seq, "resource_id": users[seq % len(users)], "at": _NOW}


async def _write(services: AppServices, sql: str, rows: Iterator[dict[str, Any]]) -> None:
    """All of them, some thousands in a transaction."""
    done = 0
    while some := [row for _, row in zip(range(_CHUNK), rows, strict=False)]:
        write: Callable[[Any], Any] = lambda tx, some=some: tx.execute_many(sql, some)  # noqa: E731 - bound to its rows
        await services.database.write(write)
        done += len(some)
        if done % 100_000 < _CHUNK:
            print(f"{sql.split()[2]}: {done:,}", file=sys.stderr)
