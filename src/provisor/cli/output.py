"""Commands, last step: what a command found out, as one JSON document or as tables for people.

Standard output has the answer and nothing else; messages, progress and logs go to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from provisor.errors import ProvisorError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

# Where nobody looks at a terminal of some width, lines are not to be broken.
_UNBROKEN = 240


class Output:
    """Writes a command's answer. ``as_json``: exactly one document, whatever happens (errors too)."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.answered = False

    def show(self, document: Any, render: Callable[[], Iterable[RenderableType]]) -> None:
        """The answer: ``document`` for programs, what ``render`` makes for people."""
        self.answered = True
        if self.as_json:
            json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
            sys.stdout.write("\n")
            sys.stdout.flush()
            return
        out = console()
        for part in render():
            out.print(part)

    def line(self, text: str) -> None:
        """One line on standard output that programs wait for, as it is."""
        self.answered = True
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    @property
    def messages(self) -> Console:
        """For what is told on the way: standard error."""
        return console(stderr=True)

    def failed(self, error: ProvisorError) -> None:
        """Say what failed and what to do next; with JSON also as the document that standard output owes."""
        messages = self.messages
        messages.print(f"[bold red]Error:[/] {plain(error.message)}", soft_wrap=True)
        if error.hint:
            messages.print(plain(error.hint), soft_wrap=True)
        self.failed_silently(type(error).__name__, error.message, error.hint)

    def failed_silently(self, kind: str, message: str, hint: str | None = None) -> None:
        """With JSON, and unless the answer was given: ``{"error": {…}}`` on standard output."""
        if self.as_json and not self.answered:
            self.show({"error": {"type": kind, "message": message, "hint": hint}}, tuple)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """A table; nothing in a cell is markup, and no cell is cut off."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    return made


def facts(pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values of one thing, below each other."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(name, Text("-" if value is None else str(value)))
    return made


def plain(text: str) -> str:
    """Text as it is, also where it holds what would be markup."""
    from rich.markup import escape

    return escape(text)


def moment(at_ms: int | None) -> str | None:
    """``2026-01-01 12:00:00 UTC``."""
    if at_ms is None:
        return None
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def console(*, stderr: bool = False) -> Console:
    """Standard output, or standard error, for people."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _UNBROKEN
    return Console(file=stream, width=width, highlight=False, soft_wrap=False, emoji=False)
