"""The how-to pages show what the commands really print: each page's commands are run in their order.

What differs from run to run (ids, moments, sizes) is shown as a word in angle brackets. After a change of what commands
print, PROVISOR_WRITE_DOCS=1 writes the pages anew; read the difference.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
from pathlib import Path

import pytest
from tests.integration.cli.conftest import Cli

from provisor.app.services import open_services
from provisor.app.settings import read_settings
from provisor.provisioning.engine import run_inline
from provisor.security.actor import operator
from provisor.testing.database import Store
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import failure

PAGES = Path(__file__).parents[3] / "docs/how-to"
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_VARYING = (
    (re.compile(r"scim\.[0-9a-f]{32}\.<id>|[a-z]+\.[0-9a-f]{32}\.<id>"), "<job>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:?\d\d:?\d\d(\.\d+)?( UTC|Z)?"), "<moment>"),
    (re.compile(r"[\d,]+ bytes"), "<size> bytes"),
    (re.compile(r"--after \d+\.\d+"), "--after <position>"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "<key>"),
    (re.compile(r"\b\d+\.\d+ ?s\b|\b\d+ ms\b"), "<time>"),
)
_GUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


@pytest.fixture
def run(bare: Cli, sqlite_only: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Commands as a person types them, in a folder of their own."""
    monkeypatch.setenv("PROVISOR_DATA", str(sqlite_only.data_dir))
    monkeypatch.setenv("COLUMNS", "160")
    folder = tmp_path / "work"
    (folder / "copies").mkdir(parents=True)
    monkeypatch.chdir(folder)
    (folder / "old-key.txt").write_text("right\n")
    (folder / "new-key.txt").write_text("changed\n")
    return bare


def begun(run: Cli, target: SimulatedTarget) -> None:
    run("tenant", "create", "Contoso", "--domain", "contoso.example", "--admin", "ada@contoso.example")
    address = target.base_address
    run("app", "add", "dialpad", "--name", "Dialpad", "--tenant-url", address, "--secret-token-file", "old-key.txt")
    run("app", "assign", "Dialpad", "ada@contoso.example")


def shown(text: str, target: SimulatedTarget, folder: Path) -> str:
    """What a page shows of an output."""
    text = text.replace(target.base_address, "https://app.example/scim")
    text = text.replace(str(folder.parent), "")
    text = _GUID.sub("<id>", text)
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def check(page: str, run: Cli, target: SimulatedTarget) -> None:
    """Run the page's commands, whatever their exit status, and compare what they say."""
    path = PAGES / page
    text = path.read_text("utf-8")

    def rendered(block: re.Match[str]) -> str:
        parts = []
        for line in block[1].splitlines():
            if line.startswith("$ provisor "):
                words = shlex.split(line.removeprefix("$ provisor "))
                answer = run(*words)
                parts += [line, shown(answer.out + answer.err, target, Path.cwd())]
        return "```console\n" + "\n".join(part for part in parts if part) + "\n```"

    now = _BLOCK.sub(rendered, text)
    if os.environ.get("PROVISOR_WRITE_DOCS"):
        path.write_text(now, "utf-8")
        return
    assert _plain(now) == _plain(text)


def _plain(text: str) -> list[str]:
    """Lines without the widths of columns, which follow from what stands in them."""
    return [re.sub(r"[ ─━]+", " ", line).strip() for line in text.splitlines()]


async def _cycle() -> None:
    """What a worker does."""
    async with open_services(read_settings()) as services:
        [job] = await services.applications.jobs(operator())
        await run_inline(services.engine("test"), job.id)


def test_a_quarantined_job(run: Cli, target: SimulatedTarget) -> None:
    begun(run, target)
    run("job", "start", "Dialpad", "--wait")
    # Somebody revokes the key, and a change is on its way.
    target.token = "changed"
    run("app", "unassign", "Dialpad", "ada@contoso.example")
    asyncio.run(_cycle())
    # The first test of the page is made with the key that works no more.
    page = "quarantined-job.md"
    tests = iter((1, 0))

    def told(*words: str, stdin: str = "", status: int = 0):  # type: ignore[no-untyped-def]
        if words[:2] == ("job", "test"):
            status = next(tests)
        return run(*words, stdin=stdin, status=status)

    check(page, told, target)
    assert [user["active"] for user in target.users.values()] == [False]


def test_a_restoration(run: Cli, target: SimulatedTarget) -> None:
    begun(run, target)
    run("job", "start", "Dialpad", "--wait")
    check("restore-from-a-backup.md", run, target)
    run("job", "start", "Dialpad", "--wait")
    assert len(target.users) == 1


def test_a_slow_target(run: Cli, target: SimulatedTarget) -> None:
    begun(run, target)
    target.fault(failure(400, "Out of licences."), when=lambda request: request.method == "POST", times=1)
    run("job", "start", "Dialpad", "--wait", status=1)
    check("slow-target.md", run, target)


def test_watching(run: Cli, target: SimulatedTarget) -> None:
    begun(run, target)
    check("watch-it.md", run, target)
