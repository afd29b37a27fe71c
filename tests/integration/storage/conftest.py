"""What the storage tests share: databases that were never migrated, and processes that write."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisor.testing.database import PostgresServer, Store

Burst = Callable[[Store, str, int], "subprocess.Popen[str]"]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database without any table."""
    if request.param == "sqlite":
        yield Store("sqlite", tmp_path / "data")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    store = server.empty_store(tmp_path / "data")
    yield store
    server.drop(store)


@pytest.fixture
def burst() -> Iterator[Burst]:
    """Start ``burst.py`` on a store; whatever still runs when the test ends is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(store: Store, prefix: str, count: int) -> subprocess.Popen[str]:
        script = str(Path(__file__).with_name("burst.py"))
        command = [sys.executable, script, str(store.data_dir), store.url or "", prefix, str(count)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
