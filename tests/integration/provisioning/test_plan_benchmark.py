"""The short form of ``benchmarks/plan.py``: it runs, and no write reaches the target."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "plan.py"


def test_a_small_directory_is_planned_in_every_situation() -> None:
    run = subprocess.run(
        [sys.executable, str(BENCHMARK), "--users", "200"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    lines = {line.split()[0]: line for line in run.stdout.splitlines()}
    assert "'link': 200" in lines["first"]
    assert "'create': 200" in lines["create"]
    assert "'unchanged': 200" in lines["converged"]
    assert "'update': 20" in lines["changed"]
    assert "'update': 200" in lines["edited"]
