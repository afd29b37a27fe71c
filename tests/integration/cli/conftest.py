"""The command line, called in this process: arguments in, exit status and both streams out."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
import structlog

from provisor.cli.main import main
from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_http import serve

SECRET_KEY = "11" * 32


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


class Cli(Protocol):
    def __call__(self, *words: str, stdin: str = "", status: int = 0) -> Answer: ...


@pytest.fixture
def bare(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """Runs a command line as it is given, and expects an exit status."""
    monkeypatch.setenv("PROVISOR_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*words: str, stdin: str = "", status: int = 0) -> Answer:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(words)
        out, err = capsys.readouterr()
        code = end.value.code
        answer = Answer(code if isinstance(code, int) else 0, out, err)
        assert answer.status == status, answer
        return answer

    yield run
    structlog.reset_defaults()
    # DBOS keeps the standard error of the process that it begins in; here that is one test's.
    logging.getLogger("dbos").handlers.clear()


@pytest.fixture
def cli(bare: Cli, store: Store) -> Cli:
    """The same, on a fresh database of either engine, answering in JSON."""

    def run(*words: str, stdin: str = "", status: int = 0) -> Answer:
        return bare(*words, *store.arguments, "--output", "json", stdin=stdin, status=status)

    return run


@pytest.fixture
def quick(bare: Cli, sqlite_only: Store) -> Cli:
    """On SQLite alone, for what has nothing to do with the engine."""

    def run(*words: str, stdin: str = "", status: int = 0) -> Answer:
        return bare(*words, *sqlite_only.arguments, "--output", "json", stdin=stdin, status=status)

    return run


@contextmanager
def served(target: SimulatedTarget) -> Iterator[str]:
    """The target on a port, in a thread with an event loop of its own: commands make theirs here."""
    address: list[str] = []
    ready, end = threading.Event(), threading.Event()

    async def run() -> None:
        async with serve(target) as base:
            address.append(base)
            ready.set()
            await asyncio.to_thread(end.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait()
    try:
        yield address[0]
    finally:
        end.set()
        thread.join()


@pytest.fixture
def target() -> Iterator[SimulatedTarget]:
    made = SimulatedTarget(token="right")
    with served(made):
        yield made
