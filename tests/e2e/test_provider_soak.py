"""The short form of ``benchmarks/soak_provider.py``: the server is killed twice under traffic, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak_provider.py"


def test_every_acknowledged_write_is_there_after_two_kills_under_mixed_traffic() -> None:
    command = [sys.executable, str(SOAK), "--seconds", "20", "--connections", "64", "--kills", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(ended.stdout)
    assert (report["kills"], report["wrong"], report["faults"]) == (2, [], [])
    # The kills did hit requests on their way, and every kind of write came through besides.
    assert report["requests"]["cut off"] > 0
    assert all(report["requests"][kind] > 0 for kind in ("create", "change", "join", "leave", "delete"))
