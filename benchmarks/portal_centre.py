"""A directory of 100,000 users with an app and a long provisioning log, for ``portal.py``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from portal_data import Filled

from provisor.app.services import AppServices, open_services
from provisor.app.settings import read_settings
from provisor.applications.model import DEFAULT_ACCESS
from provisor.connector.messages import AttributeChange
from provisor.directory.model import NewUser
from provisor.ids import new_id
from provisor.provisioning.entry import Story, Writer
from provisor.provisioning.log import store as log_store
from provisor.provisioning.log.blocks import Lines, entry_id
from provisor.provisioning.model import Source
from provisor.security.actor import operator
from provisor.signin.people import PersonKey
from provisor.signin.sessions import COOKIES, Origin
from provisor.storage.database import Tx
from provisor.storage.queries import Query, named_queries

_ASSIGN = named_queries("provisor.applications")["insert_assignment"]
_USERS_AT_ONCE, _ENTRIES_AT_ONCE, _LOGGED_AT_ONCE = 500, 2_000, 200
_RARE = "LicenseLimitExceeded"


async def fill_centre(environment: Mapping[str, str], users: int, entries: int) -> Filled:
    """A tenant with users, a group of a thousand, an app that the group is assigned to, and its log."""
    async with open_services(read_settings(environment)) as services:
        me = operator()
        tenant = (await services.directory.create_tenant(me, "Bench", "bench.example")).id
        ids = await _people(services, tenant, users)
        group = await services.directory.create_group(me, tenant, {"displayName": "Thousand", "securityEnabled": True})
        await services.directory.add_members(me, tenant, group.id, ids[:1000])
        app = await services.applications.add(me, tenant, "scim", "App", "https://app.bench.example/scim", "token")
        sp = app.service_principal.id
        await services.applications.assign(me, tenant, sp, group.id, "Group")
        other = await services.applications.add(me, tenant, "scim", "All", "https://all.bench.example/scim", "token")
        all_ = other.service_principal.id
        await _write(services, _ASSIGN, _assignments(tenant, all_, ids))
        writer = Writer(tenant, app.job_id, new_id(), sp, "App", "scim")
        newest = await _log(services, writer, tenant, app.job_id, ids, entries)
        await services.roles.grant(me, tenant, ids[0], "Global Administrator")
        origin = Origin("127.0.0.1", "the benchmark")
        cookie = await services.sessions.create(PersonKey("tenant", tenant, ids[0]), origin)
        half = (await services.listing.users(me, tenant, f"person {users // 2:06}")).after
    here = f"/portal/apps/{sp}/provisioning"
    pages = {
        "centre: overview": "/portal",
        "centre: users": "/portal/users",
        "centre: users found by a rare text": f"/portal/users?q={users // 3:06}",
        "centre: users found by what all have": "/portal/users?q=bench",
        "centre: nobody found": "/portal/users?q=nobody-at-all",
        "centre: users, further on": f"/portal/users?after={half}" if half else "/portal/users",
        "centre: a user": f"/portal/users/{ids[0]}",
        "centre: a user's form": f"/portal/users/{ids[0]}/edit",
        "centre: groups": "/portal/groups",
        "centre: a group of a thousand": f"/portal/groups/{group.id}",
        "centre: deleted objects": "/portal/deleted",
        "centre: applications": "/portal/apps",
        "centre: gallery": "/portal/gallery",
        "centre: an application": f"/portal/apps/{sp}",
        "centre: who is assigned": f"/portal/apps/{sp}/users",
        "centre: an application for everybody": f"/portal/apps/{all_}",
        "centre: everybody is assigned": f"/portal/apps/{all_}/users",
        "centre: everybody, further on": f"/portal/apps/{all_}/users?after={ids[users // 2]}/{DEFAULT_ACCESS}",
        "centre: one of everybody": f"/portal/apps/{all_}/users?q={users // 3:06}",
        "centre: none of everybody": f"/portal/apps/{all_}/users?q=nobody-at-all",
        "centre: groups among everybody": f"/portal/apps/{all_}/users?kind=groups",
        "centre: whom to assign": f"/portal/apps/{sp}/assign",
        "centre: synchronization": here,
        "centre: credentials and settings": f"{here}/settings",
        "centre: mapping of users": f"{here}/mappings/User",
        "centre: a mapping": f"{here}/mappings/User/row?target=displayName",
        "centre: scoping filter": f"{here}/mappings/User/scope",
        "centre: schema": f"{here}/schema",
        "centre: previews": f"{here}/preview",
        "centre: waiting": f"{here}/pending",
        "centre: held": f"{here}/held",
        "centre: provisioning log": "/portal/logs",
        "centre: provisioning log of one app": f"/portal/apps/{sp}/logs",
        "centre: provisioning log, failures": "/portal/logs?status=failure",
        "centre: provisioning log, a rare code": f"/portal/logs?code={_RARE}",
        "centre: provisioning log, a name": f"/portal/logs?q=person{users // 3}@",
        "centre: provisioning log, nobody's name": "/portal/logs?q=nobody-at-all",
        "centre: provisioning log, one object": f"/portal/logs?source={ids[-1]}",
        "centre: an entry": f"/portal/logs/{newest}",
        "centre: audit log": "/portal/audit",
    }
    return Filled({COOKIES["tenant"]: cookie}, pages)


async def _people(services: AppServices, tenant: str, count: int) -> list[str]:
    ids: list[str] = []
    for first in range(0, count, _USERS_AT_ONCE):
        numbers = range(first, min(first + _USERS_AT_ONCE, count))
        people = [NewUser(_person(number)) for number in numbers]
        ids += [user.id for user in await services.directory.create_users(operator(), tenant, people)]
    return ids


def _person(number: int) -> dict[str, Any]:
    return {
        "userPrincipalName": f"person{number}@bench.example",
        # The order of names is not the order of making.
        "displayName": f"Person {number * 7919 % 1_000_000:06}",
        "mail": f"person{number}@bench.example",
        "department": f"Department {number % 40}",
        "jobTitle": "Engineer",
    }


async def _log(services: AppServices, writer: Writer, tenant: str, job: str, ids: list[str], count: int) -> str:
    """Entries of half a day, the last of them just now; the id of the newest."""
    now = time.time_ns() // 1_000_000
    changes = [AttributeChange("title", None, "Engineer " * 10)]
    cycle, newest = new_id(), ""
    for begin in range(0, count, _LOGGED_AT_ONCE):
        if begin % 20_000 == 0:
            cycle = new_id()
        at = now - (count - begin) * 43_200_000 // count
        lines = Lines()
        for number in range(begin, min(begin + _LOGGED_AT_ONCE, count)):
            who = number * 7919 % len(ids)
            code = None if number % 100 else (_RARE if number % 100_000 == 0 else "InternalServerError")
            line = writer.row(
                Source(ids[who], "User", exists=True, name=f"person{who}@bench.example"),
                action="update" if number % 3 else "create",
                status="failure" if code else "success",
                now=at,
                story=Story("Add", {"department IsTrue": "True"}, [], "create"),
                changes=changes,
                error_code=code,
            )
            lines.append(line)

        async def write(tx: Tx, lines: Lines = lines, at: int = at, cycle: str = cycle) -> None:
            await log_store.save(tx, lines, writer.common, tenant_id=tenant, job_id=job, cycle_id=cycle, at=at)

        await services.database.write(write)
        newest = entry_id(lines.blocks[-1].id, lines.blocks[-1].entries - 1)
    return newest


def _assignments(tenant: str, sp: str, ids: list[str]) -> Iterator[dict[str, Any]]:
    for id_ in ids:
        who = {"principal_id": id_, "principal_type": "User", "app_role_id": DEFAULT_ACCESS, "created_at": 1}
        yield {"tenant_id": tenant, "id": new_id(), "service_principal_id": sp, **who}


async def _write(services: AppServices, sql: Query, rows: Iterator[dict[str, Any]]) -> None:
    """All of them, some thousands in a transaction."""
    while some := [row for _, row in zip(range(_ENTRIES_AT_ONCE), rows, strict=False)]:
        write: Callable[[Any], Any] = lambda tx, some=some: tx.execute_many(sql, some)  # noqa: E731 - bound to its rows
        await services.database.write(write)
