"""Commands, step 1: the global options, the settings that they lead to, and the event loop of one command."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import typer

from provisor.cli.output import Output
from provisor.clock import parse_iso
from provisor.errors import InvalidInput

if TYPE_CHECKING:
    from provisor.app.services import AppServices
    from provisor.app.settings import Settings

T = TypeVar("T")
Format = Literal["table", "json"]

GLOBAL_OPTIONS = ("--data", "--database-url", "--output")


@dataclasses.dataclass(frozen=True, slots=True)
class Session:
    """What every command is given: ``ctx.obj``. ``None`` means that the option was not given."""

    data: Path | None
    database_url: str | None
    output: Output

    def settings(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        public_url: str | None = None,
        executor_id: str | None = None,
    ) -> Settings:
        """From the environment, and from these options where they are given. Raises ``InvalidInput``."""
        from provisor.app.settings import read_settings

        found = read_settings(data=self.data, database_url=self.database_url)
        return dataclasses.replace(
            found,
            host=found.host if host is None else host,
            port=found.port if port is None else port,
            public_url=found.public_url if public_url is None else public_url,
            executor_id=found.executor_id if executor_id is None else executor_id,
        )

    def run(self, work: Callable[[AppServices], Awaitable[T]]) -> T:
        """Run ``work`` on the database, opened and of this version, in an event loop of its own."""
        return self.run_with(self.settings(), work)

    def run_with(self, settings: Settings, work: Callable[[AppServices], Awaitable[T]]) -> T:
        """The same with settings that the command has changed."""

        async def opened() -> T:
            from provisor.app.services import open_services
            from provisor.events.correlation import correlated

            async with open_services(settings) as services:
                with correlated():
                    return await work(services)

        import uvloop

        log_to_stderr()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(opened())


def session(context: typer.Context) -> Session:
    """The session of a command."""
    found = context.find_object(Session)
    if found is None:
        raise RuntimeError("A command was called without its global options.")
    return found


def hoisted(arguments: Sequence[str]) -> list[str]:
    """The arguments with the global options, wherever they stand, moved before the command."""
    front: list[str] = []
    rest: list[str] = []
    todo = list(arguments)
    while todo:
        word = todo.pop(0)
        if word == "--":
            return [*front, *rest, word, *todo]
        if word in GLOBAL_OPTIONS and todo:
            front += [word, todo.pop(0)]
        elif "=" in word and word.partition("=")[0] in GLOBAL_OPTIONS:
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest]


def read_text_argument(name: str) -> str:
    """The contents of a file, or of standard input for ``-``, without the line end. For secrets, and JSON."""
    if name == "-":
        return sys.stdin.read().rstrip("\r\n")
    try:
        return Path(name).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidInput(
            f"{name} cannot be read: {reason}.", hint="Name a text file, or - for standard input."
        ) from error


def moment_option(text: str | None, option: str) -> int | None:
    """A moment that an option gives, in ms UTC. Raises ``InvalidInput``."""
    if text is None:
        return None
    try:
        return parse_iso(text)
    except ValueError:
        raise InvalidInput(f"{option} is {text!r}.", hint="Write a moment as 2026-01-31T12:00:00Z.") from None


def log_to_stderr() -> None:
    """Logs for people on a terminal, JSON lines elsewhere; standard output is for the answer alone."""
    import logging

    import structlog

    from provisor.events.correlation import with_correlation

    level = logging.DEBUG if debugging() else logging.WARNING
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            with_correlation,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if terminal else [structlog.processors.format_exc_info]),
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
            if terminal
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def debugging() -> bool:
    """Are details of faults asked for?"""
    return os.environ.get("PROVISOR_DEBUG", "") not in ("", "0")
