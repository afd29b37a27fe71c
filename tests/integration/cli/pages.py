"""How-to pages whose commands are run: every ``$ provisor …`` in a ``console`` block, with the output that it gives.

A page's ``<!-- NAME -->`` lines call the test's functions of that name, for what happens between the commands. With
``PROVISOR_WRITE_DOCS=1`` the blocks are written anew; without, a page that tells something else fails the test.
Identifiers, moments, durations and addresses are replaced by fixed ones of the same length.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to"
_BLOCK = re.compile(r"^```console\n(.*?)^```$|^<!-- (\w[\w-]*) -->$", re.DOTALL | re.MULTILINE)
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")

Run = Callable[..., str]


def check(page: str, run: Run, between: Mapping[str, Callable[[], None]]) -> None:
    """Run a page from top to bottom, and compare, or write."""
    path = HOW_TO / page
    before = path.read_text("utf-8")
    known: dict[str, str] = {}

    def block(match: re.Match[str]) -> str:
        if match[2] is not None:
            if match[2] in between:
                between[match[2]]()
            return match[0]
        commands = [line[2:] for line in match[1].splitlines() if line.startswith("$ ")]
        told = [f"$ {command}\n{_steady(run(*shlex.split(command)[1:]), known)}" for command in commands]
        return f"```console\n{''.join(told)}```"

    after = _BLOCK.sub(block, before)
    if os.environ.get("PROVISOR_WRITE_DOCS"):
        path.write_text(after, "utf-8")
    else:
        assert after == before, "the page tells something else: run the test with PROVISOR_WRITE_DOCS=1 and read it"


def _steady(text: str, known: dict[str, str]) -> str:
    def fixed(match: re.Match[str]) -> str:
        return known.setdefault(match[0], f"0198a000-0000-7000-8000-{len(known) + 1:012d}")

    text = _ID.sub(fixed, text)
    text = re.sub(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "2026-01-31 09:00:00 UTC", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "2026-01-31T09:00:00Z", text)
    text = re.sub(r"\b\d\.\d\d s\b", "0.10 s", text)
    text = re.sub(r"http://127\.0\.0\.1:\d+", "https://app.example.com", text)
    lines = [line.rstrip() for line in text.splitlines()]
    return "".join(f"{line}\n" for line in lines if line)
