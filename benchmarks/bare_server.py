"""The server that ``provider.py`` compares with: SCIM's shapes over a database, and nothing else.

No validation, no schemas, no versions, no feed, one key, three shapes of PATCH. ``BARE_DATABASE``: a file for
SQLite, or ``postgresql://…``. It prints its port and serves until it is told to stop.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import psycopg_pool
import uvicorn

from provisor.ids import new_id

TABLES = [
    "CREATE TABLE thing (kind text, id text, name text, ext text, doc text, PRIMARY KEY (kind, id))",
    "CREATE UNIQUE INDEX thing_name ON thing (kind, name)",
    "CREATE INDEX thing_ext ON thing (kind, ext)",
    "CREATE TABLE member (gid text, uid text, PRIMARY KEY (gid, uid))",
    "CREATE INDEX member_uid ON member (uid)",
]
FILTER = re.compile(r'(\w+) eq "([^"]*)"')
IN_PATH = re.compile(r'(\w+)\[(\w+) eq "([^"]*)"\](?:\.(\w+))?')
TOKEN = b"Bearer secret"
COMMIT_AFTER_S = 0.0005


class Sqlite:
    """One connection on the loop; all requests of half a millisecond share a commit."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._waiting: list[asyncio.Future[None]] = []

    async def open(self) -> None:
        for table in TABLES:
            self._connection.execute(table)

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    async def write(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            self._connection.execute("BEGIN")
            loop.call_later(COMMIT_AFTER_S, self._commit)
        done = loop.create_future()
        self._waiting.append(done)
        self._connection.executemany(sql, rows)
        await done

    async def change(self, kind: str, thing: str, edit: Callable[[str], str]) -> str:
        ((doc,),) = await self.fetch("SELECT doc FROM thing WHERE kind = ? AND id = ?", kind, thing)
        new = edit(doc)
        await self.write("UPDATE thing SET doc = ? WHERE kind = ? AND id = ?", [(new, kind, thing)])
        return new

    def _commit(self) -> None:
        self._connection.execute("COMMIT")
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.set_result(None)


class Postgresql:
    """A pool of connections, one transaction a write."""

    def __init__(self, url: str) -> None:
        self._pool = psycopg_pool.AsyncConnectionPool(url, min_size=8, max_size=8, open=False)

    async def open(self) -> None:
        await self._pool.open()
        async with self._pool.connection() as connection:
            for table in TABLES:
                await connection.execute(table.replace("text", 'text COLLATE "C"').encode())

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(sql.replace("?", "%s").encode(), values)).fetchall()

    async def write(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        async with self._pool.connection() as connection, connection.cursor() as cursor:
            if len(rows) == 1:
                await cursor.execute(sql.replace("?", "%s").encode(), rows[0])
            else:
                await cursor.executemany(sql.replace("?", "%s").encode(), rows)

    async def change(self, kind: str, thing: str, edit: Callable[[str], str]) -> str:
        async with self._pool.connection() as connection:
            select = b"SELECT doc FROM thing WHERE kind = %s AND id = %s FOR UPDATE"
            row = await (await connection.execute(select, (kind, thing))).fetchone()
            assert row is not None
            new = edit(row[0])
            await connection.execute(b"UPDATE thing SET doc = %s WHERE kind = %s AND id = %s", (new, kind, thing))
            return new


def edited(doc: str, operations: list[dict[str, Any]]) -> str:
    resource = msgspec.json.decode(doc)
    for operation in operations:
        path, value = operation["path"], operation["value"]
        if inside := IN_PATH.fullmatch(path):
            name, by, wanted, sub = inside.groups()
            for element in resource[name]:
                if element.get(by) == wanted:
                    element[sub] = value
        elif path.startswith("urn:"):
            urn, _, name = path.rpartition(":")
            resource[urn][name] = value
        else:
            resource[path] = value
    return msgspec.json.encode(resource).decode()


class Bare:
    """The ASGI application."""

    def __init__(self, database: Sqlite | Postgresql) -> None:
        self._database = database

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        status, answer = 401, b""
        if dict(scope["headers"]).get(b"authorization") == TOKEN:
            status, answer = await self._answer(scope, body)
        headers = [(b"content-type", b"application/scim+json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: Any, body: bytes) -> tuple[int, bytes]:
        _, kind, *rest = scope["path"].split("/")
        thing = rest[0] if rest else ""
        if scope["method"] == "POST":
            return 201, await self._create(kind, msgspec.json.decode(body))
        if scope["method"] == "PATCH":
            operations = msgspec.json.decode(body)["Operations"]
            if kind == "Users":
                return 200, (await self._database.change(kind, thing, lambda doc: edited(doc, operations))).encode()
            for operation in operations:
                await self._member(thing, operation)
            return 204, b""
        if thing:
            ((doc,),) = await self._database.fetch("SELECT doc FROM thing WHERE kind = ? AND id = ?", kind, thing)
            if kind == "Groups":
                rows = await self._database.fetch("SELECT uid FROM member WHERE gid = ?", thing)
                listed = ",".join([f'{{"value":"{uid}"}}' for (uid,) in rows])
                doc = f'{doc[:-1]},"members":[{listed}]}}'
            return 200, doc.encode()
        return 200, await self._list(kind, dict(parse_qsl(scope["query_string"].decode())))

    async def _create(self, kind: str, resource: dict[str, Any]) -> bytes:
        resource["id"] = new_id()
        resource["meta"] = {"resourceType": kind[:-1], "location": f"/{kind}/{resource['id']}"}
        doc = msgspec.json.encode(resource)
        name = resource.get("userName") or resource["displayName"]
        row = (kind, resource["id"], name, resource.get("externalId"), doc.decode())
        await self._database.write("INSERT INTO thing VALUES (?, ?, ?, ?, ?)", [row])
        return doc

    async def _member(self, group: str, operation: dict[str, Any]) -> None:
        if operation["op"] == "Add":
            rows = [(group, member["value"]) for member in operation["value"]]
            await self._database.write("INSERT INTO member VALUES (?, ?) ON CONFLICT DO NOTHING", rows)
        elif inside := IN_PATH.fullmatch(operation["path"]):
            await self._database.write("DELETE FROM member WHERE gid = ? AND uid = ?", [(group, inside[3])])

    async def _list(self, kind: str, query: dict[str, str]) -> bytes:
        start = int(query.get("startIndex", 1))
        if wanted := FILTER.fullmatch(query.get("filter", "")):
            column = "ext" if wanted[1] == "externalId" else "name"
            rows = await self._database.fetch(f"SELECT doc FROM thing WHERE kind = ? AND {column} = ?", kind, wanted[2])
            total = len(rows)
        else:
            ((total,),) = await self._database.fetch("SELECT count(*) FROM thing WHERE kind = ?", kind)
            page = "SELECT doc FROM thing WHERE kind = ? ORDER BY id LIMIT ? OFFSET ?"
            rows = await self._database.fetch(page, kind, int(query.get("count", 100)), start - 1)
        listed = ",".join(row[0] for row in rows)
        return f'{{"totalResults":{total},"startIndex":{start},"Resources":[{listed}]}}'.encode()


async def main() -> None:
    where = os.environ["BARE_DATABASE"]
    database = Postgresql(where) if where.startswith("postgresql") else Sqlite(where)
    await database.open()
    config = uvicorn.Config(Bare(database), host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(f":{server.servers[0].sockets[0].getsockname()[1]}", flush=True)
    await serving


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
