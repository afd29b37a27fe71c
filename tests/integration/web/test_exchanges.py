"""Replays ``tests/exchanges`` over HTTP: what provisioners really send, and the answers that they need.

A file is a list of steps on one fresh company of a served Provisor; ``tests/exchanges/README.md`` says what a step is.
"""

from __future__ import annotations

import asyncio
import http.client
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn

from provisor.clock import SystemClock
from provisor.provider.resources.service import Resources
from provisor.provider.resources.store import ResourceStore
from provisor.provider.service import Companies
from provisor.provider.store import CompanyStore
from provisor.security.actor import operator
from provisor.testing.database import PostgresServer, Store, sqlite_store
from provisor.web.asgi import create_app
from provisor.web.services import Services

FOLDER = Path(__file__).parents[2] / "exchanges"
FILES = sorted(FOLDER.glob("*/*.json"))
_NAME = re.compile(r"\$([a-z]\w*)")


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Server:
    """Provisor on a port of its own, in a thread with a loop of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._started = threading.Event()
        self._stop: asyncio.Event
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._started.wait(60)

    def key(self, company: str, dialect: str) -> str:
        """A fresh company's key."""
        return asyncio.run_coroutine_threadsafe(self._key(company, dialect), self._loop).result(60)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _key(self, name: str, dialect: str) -> str:
        company = await self._companies.create_company(operator(), name, "admin@acme.example")
        _, text = await self._companies.create_key(
            operator(), company.id, name="exchange", expires="2100-01-01", dialect=dialect
        )
        return text

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        database = self._store.database()
        await database.open()
        clock = SystemClock()
        self._companies = Companies(CompanyStore(database), b"pepper", clock)
        services = Services(self._companies, Resources(ResourceStore(database), clock), clock)
        config = uvicorn.Config(create_app(services), host="127.0.0.1", port=0, log_level="error", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.should_exit = True
        await serving
        await self._companies.close()
        await database.close()


@pytest.fixture(scope="module")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(sqlite_store(tmp_path_factory.mktemp("exchanges") / "data"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Server]:
    store = postgres_server.store(tmp_path_factory.mktemp("exchanges") / "data")
    server = Server(store)
    yield server
    server.stop()
    postgres_server.drop(store)


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


def ask(server: Server, token: str, send: Any) -> Reply:
    """One request over a connection of its own. ``null`` in ``headers`` takes one away."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json; charset=utf-8"}
    headers = {name: value for name, value in (headers | send.get("headers", {})).items() if value is not None}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        body = msgspec.json.encode(send["body"]) if "body" in send else send.get("text", "").encode() or None
        connection.request(send["method"], f"/scim{send['path']}", body, headers)
        reply = connection.getresponse()
        return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        connection.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_exchange_goes_as_the_provisioner_needs(path: Path, server: Server) -> None:
    exchange = msgspec.json.decode(path.read_bytes())
    assert exchange["source"]
    token = server.key(f"{path.parent.name} {path.stem}", exchange.get("dialect", "entra"))
    kept: dict[str, str] = {"token": token, "base": f"http://127.0.0.1:{server.port}"}
    for number, step in enumerate(exchange["steps"], 1):
        if "together" in step:
            _together(server, token, _filled(step["together"], kept), step["expect"], f"step {number}")
            continue
        send, expect = _filled(step["send"], kept), _filled(step["expect"], kept)
        reply = ask(server, token, send)
        where = f"step {number}, {send['method']} {send['path']}: {reply.status} {reply.body.decode()}"
        assert reply.status == expect["status"], where
        if reply.body:
            assert reply.headers["content-type"] == "application/scim+json", where
        for name, value in expect.get("headers", {}).items():
            assert reply.headers.get(name.lower()) == value, where
        if "body" in expect:
            _compare(expect["body"], reply.json, where)
        if expect["status"] == 204:
            assert reply.body == b"", where
        for name, at in step.get("keep", {}).items():
            value = reply.json
            for key in at.split("."):
                value = value[int(key)] if isinstance(value, list) else value[key]
            kept[name] = value


def test_there_are_as_many_exchanges_as_were_promised() -> None:
    promised = ("entra", "entra-aadOptscim062020", "okta", "onelogin", "jumpcloud")
    assert sum(path.parent.name in promised for path in FILES) >= 120


def _together(server: Server, token: str, sends: list[Any], expect: Any, where: str) -> None:
    """Requests at once: how often each status may be answered."""
    with ThreadPoolExecutor(len(sends)) as pool:
        replies = list(pool.map(lambda send: ask(server, token, send), sends))
    found = sorted(reply.status for reply in replies)
    assert found == sorted(expect["statuses"]), (where, [reply.body for reply in replies])


def _filled(value: Any, kept: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _NAME.sub(lambda name: kept.get(name[1], name[0]), value)
    if isinstance(value, list):
        return [_filled(item, kept) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, kept) for key, item in value.items()}
    return value


def _compare(expected: Any, found: Any, where: str) -> None:
    if isinstance(expected, dict):
        assert isinstance(found, dict), where
        for key, value in expected.items():
            if value is None:
                assert key not in found, f"{key} is there; {where}"
            else:
                assert key in found, f"{key} is missing; {where}"
                _compare(value, found[key], where)
    elif isinstance(expected, list):
        assert isinstance(found, list), where
        assert len(found) == len(expected), where
        for one, other in zip(expected, found, strict=True):
            _compare(one, other, where)
    else:
        assert found == expected, f"{found!r} is not {expected!r}; {where}"
        assert type(found) is type(expected), where
