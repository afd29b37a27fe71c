"""The short form of ``benchmarks/portal.py``: every page of the portals is asked for, on a small database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "benchmarks" / "portal.py"


def test_every_page_is_measured(tmp_path: Path) -> None:
    small = ("--users", "300", "--entries", "500", "--rounds", "1", "--limit", "1000000000")
    done = subprocess.run(
        [sys.executable, str(BENCH), *small], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for page in (
        "company: users",
        "company: request log",
        "company: API keys",
        "front page",
        "centre: everybody is assigned",
    ):
        assert f"\n{page} " in done.stdout
