"""The program as people run it: processes, ports, signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser as Chromium
from tests.e2e.portal import Browser, Portal, chromium

from provisor.testing.database import Store, sqlite_store

T = TypeVar("T")

PROGRAM = str(Path(sys.executable).with_name("provisor"))
EXAMPLE_COM = Path(__file__).parents[3] / "shared" / "data" / "example-com"
# Left out where the data is not there, and never when `CI` is set.
needs_example_com = pytest.mark.skipif(
    not EXAMPLE_COM.exists() and not os.environ.get("CI"), reason="the shared sample directory is not here"
)


class Program:
    """``provisor`` on one database."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self._folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PROVISOR_")},
            **store.environment,
            "PROVISOR_SECRET_KEY": "22" * 32,
        }

    def run(self, *words: str, stdin: str = "", status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        done = subprocess.run(
            [PROGRAM, "--output", "json", *words],
            env=self._environment,
            cwd=self._folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str, stdin: str = "", status: int = 0) -> Any:
        """The one document that a command prints."""
        return json.loads(self.run(*words, stdin=stdin, status=status).stdout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        return subprocess.Popen(
            [PROGRAM, *words],
            env=self._environment,
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def serving(self, *words: str) -> Iterator[str]:
        """``provisor serve`` on a free port; gives its address."""
        process = self.start("serve", "--port", "0", *words)
        try:
            yield ready(process)
        finally:
            stop(process)


def ready(process: subprocess.Popen[str]) -> str:
    """The address of the one line that a server prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("ready "):
        stop(process)
        pytest.fail(f"The server said {line!r}.")
    return line.removeprefix("ready ").strip()


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    """End a process that this test has started; its exit status and what it had still to say."""
    if process.poll() is None:
        process.send_signal(number)
    out, err = process.communicate()
    return process.returncode, out, err


def get(url: str, token: str | None = None) -> Any:
    """The JSON at an address."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as reply:
        return json.load(reply)


def eventually(look: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    """Look until it is as wanted. The generous end is there so that a fault is a failure and not a hang."""
    for _ in range(600):
        if wanted(found := look()):
            return found
        time.sleep(0.05)
    pytest.fail(f"It did not happen; the last that was seen: {found!r}")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    """A server on real services and a fresh SQLite database, in this process."""
    # Playwright has an event loop of its own in this thread, beside which no other runs.
    with ThreadPoolExecutor(1) as elsewhere:
        store = elsewhere.submit(sqlite_store, tmp_path / "data").result()
    with Portal(store).running() as running:
        yield running


@pytest.fixture(scope="module")
def _chromium() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.fixture
def browser(_chromium: Chromium, portal: Portal, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium on ``portal``."""
    wanted = request.config.getoption("pictures")
    opened = Browser(_chromium, portal.address, Path(wanted) if wanted else None)
    yield opened
    opened.close()


@pytest.fixture
def program(store: Store, tmp_path: Path) -> Program:
    """On a fresh database of either engine."""
    return Program(store, tmp_path)


@pytest.fixture
def embedded(sqlite_only: Store, tmp_path: Path) -> Program:
    """On a fresh SQLite database."""
    return Program(sqlite_only, tmp_path)


def ready_portal(process: subprocess.Popen[str]) -> str:
    """The address that a demo ends its story with."""
    assert process.stdout is not None
    for line in process.stdout:
        if "/company" in line:
            return line.split()[-1].removesuffix("/company")
    pytest.fail("The story came to no end.")
