"""Mixed SCIM traffic from 64 connections while the server is killed: is every acknowledged write there afterwards?

    scripts/bench soak_provider [--seconds 900] [--connections 64] [--kills 2] [--database-url URL]

Prints one JSON document. Exit status 1 when a write that was acknowledged is lost, when something is there that nobody
made, or when a request failed that should not have. A reply that the kill cut off is neither: then the state before the
request and the one after it are both right.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PROVISOR = (sys.executable, "-c", "from provisor.cli.main import main; main()")
GROUPS = 8
# What a provisioner does: mostly look-ups and changes.
KINDS = {"create": 25, "change": 25, "join": 15, "leave": 8, "delete": 7, "read": 10, "find": 10}
# A connection makes no more users while it has so many, so that the check at the end stays short in a long run.
MOST_USERS = 400


class CutOff(Exception):
    """The reply did not come: the request was carried out, or not."""


class Server:
    """The server's process. Killed and started again, it keeps its port."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], port: int = 0) -> None:
        self._arguments = arguments
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self.address = ""
        self._port = port

    async def start(self) -> None:
        """Return once it answers."""
        self._process = await asyncio.create_subprocess_exec(
            *PROVISOR,
            "serve",
            "--no-worker",
            "--port",
            str(self._port),
            *self._arguments,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().split()
        if line[:1] != ["ready"]:
            raise SystemExit("The server did not start; its messages are above.")
        self.address = line[1]
        self._port = int(self.address.rpartition(":")[2])

    async def end(self, number: int) -> None:
        """Send a signal, and wait for the end."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
            await self._process.wait()


async def command(arguments: Sequence[str], environment: dict[str, str], *words: str) -> Any:
    """Run a command; its JSON."""
    process = await asyncio.create_subprocess_exec(
        *PROVISOR, *words, *arguments, "--output", "json", env=environment, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} failed: {out.decode()}")
    return json.loads(out)


@dataclass
class Person:
    """What a user may look like: one value each while all replies came, else the one before or the one after."""

    name: str
    titles: set[str | None] = field(default_factory=lambda: {None})
    there: set[bool] = field(default_factory=lambda: {True})
    groups: dict[str, set[bool]] = field(default_factory=dict)


@dataclass
class Worker:
    """One connection, with users of its own."""

    number: int
    session: aiohttp.ClientSession
    base: str
    groups: list[str]
    random: random.Random
    people: dict[str, Person] = field(default_factory=dict)
    gone: dict[str, Person] = field(default_factory=dict)  # whom a reply says to be deleted
    done: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    made: int = 0

    async def run(self, ends: float) -> None:
        """Go on until then, whatever happens to the server."""
        while time.monotonic() < ends:
            kind = self.random.choices(list(KINDS), list(KINDS.values()))[0]
            if not self.people:
                kind = "create"
            elif kind == "create" and len(self.people) >= MOST_USERS:
                kind = "delete"
            try:
                if kind == "create":
                    await self._create()
                else:
                    user_id = self.random.choice(list(self.people))
                    await self._change(kind, user_id)
                    if True not in self.people[user_id].there:
                        self.gone[user_id] = self.people.pop(user_id)
                self.done[kind] += 1
            except CutOff:
                self.done["cut off"] += 1
                await asyncio.sleep(0.05)

    async def _create(self) -> None:
        self.made += 1
        name = f"user-{self.number}-{self.made}"
        body = {"schemas": [USER], "userName": name, "externalId": f"x-{name}"}
        try:
            status, made = await self._send("POST", "/Users", body)
        except CutOff:
            await self._look_up(name)
            raise
        if status == 201:
            self.people[made["id"]] = Person(name)
        else:
            self._fault("create", status, made)

    async def _look_up(self, name: str) -> None:
        """A create without a reply: was it carried out? Asked until the server is there again."""
        while True:
            try:
                _, found = await self._send("GET", f'/Users?filter=userName eq "{name}"')
            except CutOff:
                await asyncio.sleep(0.1)
                continue
            for user in found.get("Resources", []):
                self.people[user["id"]] = Person(name)
            return

    async def _change(self, kind: str, user_id: str) -> None:
        person = self.people[user_id]
        if kind == "read":
            status, user = await self._send("GET", f"/Users/{user_id}")
            self._expect(kind, person, status, user, 200)
        elif kind == "find":
            status, found = await self._send("GET", f'/Users?filter=externalId eq "x-{person.name}"')
            if status != 200 or (person.there == {True} and found["totalResults"] != 1):
                self._fault(kind, status, found)
        elif kind == "delete":
            await self._write(kind, person, "DELETE", f"/Users/{user_id}", None, person.there, False, 204)
        elif kind == "change":
            title = f"t{self.random.randrange(10**9)}"
            body = _patch({"op": "replace", "path": "title", "value": title})
            await self._write(kind, person, "PATCH", f"/Users/{user_id}", body, person.titles, title, 200)
        else:
            group = self.random.choice(self.groups)
            joins = kind == "join"
            held = person.groups.setdefault(group, {False})
            change: dict[str, Any] = {"op": "add", "path": "members", "value": [{"value": user_id}]}
            if not joins:
                change = {"op": "remove", "path": f'members[value eq "{user_id}"]'}
            path = f"/Groups/{group}?excludedAttributes=members"
            await self._write(kind, person, "PATCH", path, _patch(change), held, joins, 200)

    async def _write(
        self, kind: str, person: Person, method: str, path: str, body: Any, state: set[Any], new: Any, expected: int
    ) -> None:
        # Until the reply is here, both are possible.
        before = set(state)
        state.add(new)
        status, answer = await self._send(method, path, body)
        if status in (expected, 204):
            state.clear()
            state.add(new)
        else:
            state.clear()
            state.update(before)
            self._expect(kind, person, status, answer, expected)

    def _expect(self, kind: str, person: Person, status: int, answer: Any, expected: int) -> None:
        gone = False in person.there and (status == 404 or (kind == "join" and status == 400))
        if gone:
            person.there = {False}
        elif status != expected:
            self._fault(kind, status, answer)

    def _fault(self, kind: str, status: int, answer: Any) -> None:
        self.faults.append(f"{kind}: {status} {json.dumps(answer)[:300]}")

    async def _send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        try:
            async with self.session.request(method, f"{self.base}{path}", json=body) as reply:
                text = await reply.read()
                return reply.status, json.loads(text) if text else {}
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise CutOff from error


def _patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


async def compare(session: aiohttp.ClientSession, address: str, workers: list[Worker]) -> list[str]:
    """What is not as the replies said."""
    found: dict[str, Any] = {}
    start = 1
    while True:
        async with session.get(f"{address}/scim/Users?startIndex={start}&count=500") as reply:
            page = await reply.json(content_type=None)
        found |= {user["id"]: user for user in page["Resources"]}
        start += len(page["Resources"])
        if start > page["totalResults"] or not page["Resources"]:
            break
    wrong = []
    people = {user_id: person for worker in workers for user_id, person in {**worker.people, **worker.gone}.items()}
    wrong += [f"{user['userName']} was made by nobody" for user_id, user in found.items() if user_id not in people]
    for user_id, person in people.items():
        user = found.get(user_id)
        if (user is not None) not in person.there:
            wrong.append(f"{person.name}: is there {user is not None}, replies say {person.there}")
        elif user is not None:
            held = {group["value"] for group in user.get("groups", [])}
            if user.get("title") not in person.titles:
                wrong.append(f"{person.name}: title {user.get('title')!r}, replies say {person.titles}")
            for group, states in person.groups.items():
                if (group in held) not in states:
                    wrong.append(f"{person.name}: in the group {group} {group in held}, replies say {states}")
    return wrong + await _gaps(session, address, set(people))


async def _gaps(session: aiohttp.ClientSession, address: str, made: set[str]) -> list[str]:
    """The outbox has every number once and in order, and every user that was made."""
    expected, wrong, created = 1, [], set()
    while True:
        async with session.get(f"{address}/v1/changes?after={expected - 1}&limit=1000") as reply:
            page = await reply.json()
        for change in page["changes"]:
            if change["seq"] != expected:
                wrong.append(f"the outbox goes from {expected - 1} to {change['seq']}")
            expected = change["seq"] + 1
            if change["change"] == "created":
                created.add(change["resourceId"])
        if len(page["changes"]) < 1000:
            return wrong + [f"the outbox lacks the creation of {one}" for one in sorted(made - created)]


async def soak(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One run; its report."""
    arguments = ["--data", str(folder)]
    if options.database_url:
        arguments += ["--database-url", options.database_url]
    environment = {**os.environ, "PROVISOR_SECRET_KEY": os.environ.get("PROVISOR_SECRET_KEY", "11" * 32)}
    company = await command(arguments, environment, "company", "create", f"soak-{time.time_ns()}")
    words = ("apikey", "create", "--company", company["id"], "--name", "soak", "--expires", "2099-01-01")
    key = (await command(arguments, environment, *words))["key"]
    server = Server(arguments, environment)
    await server.start()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/scim+json"}
    sessions = [_session(headers) for _ in range(options.connections)]
    downtimes = []
    try:
        groups = []
        for number in range(GROUPS):
            body = {"schemas": [GROUP], "displayName": f"group {number}"}
            async with sessions[0].post(f"{server.address}/scim/Groups", json=body) as reply:
                groups.append((await reply.json(content_type=None))["id"])
        workers = [
            Worker(number, session, f"{server.address}/scim", groups, random.Random(number))
            for number, session in enumerate(sessions)
        ]
        began = time.monotonic()
        ends = began + options.seconds
        running = [asyncio.create_task(worker.run(ends)) for worker in workers]
        for kill in range(options.kills):
            at = began + options.seconds * (kill + 1) / (options.kills + 1)
            await asyncio.sleep(max(0, at - time.monotonic()))
            down = time.monotonic()
            await server.end(signal.SIGKILL)
            await server.start()
            downtimes.append(round(time.monotonic() - down, 2))
        await asyncio.gather(*running)
        done = sum((worker.done for worker in workers), Counter[str]())
        wrong = await compare(sessions[0], server.address, workers)
    finally:
        for session in sessions:
            await session.close()
        await server.end(signal.SIGTERM)
    return {
        "seconds": options.seconds,
        "connections": options.connections,
        "kills": len(downtimes),
        "seconds_until_it_answered_again": downtimes,
        "requests": dict(done),
        "requests_a_second": round(sum(done.values()) / options.seconds, 1),
        "users": sum(len(worker.people) for worker in workers),
        "deleted_users": sum(len(worker.gone) for worker in workers),
        "wrong": wrong,
        "faults": [fault for worker in workers for fault in worker.faults],
    }


def _session(headers: dict[str, str]) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        headers=headers, connector=aiohttp.TCPConnector(limit=1), timeout=aiohttp.ClientTimeout(total=60)
    )


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--database-url", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="provisor-soak-") as folder:
        report = asyncio.run(soak(options, Path(folder)))
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")
    raise SystemExit(1 if report["wrong"] or report["faults"] else 0)


if __name__ == "__main__":
    main()
