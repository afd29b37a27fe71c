"""The engine under faults for as long as one likes: random histories, and kill -9 of the real worker.

    scripts/bench soak_engine [--histories 20000] [--durable 500] [--kills 100] [--seed N]

The very tests of CI (tests/integration/provisioning/test_histories.py, tests/integration/app/test_durable_histories.py,
tests/integration/app/test_kills.py), told more often. What fails is printed with the seed that tells it again.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys

HISTORIES = "tests/integration/provisioning/test_histories.py"
DURABLE = "tests/integration/app/test_durable_histories.py"
KILLS = "tests/integration/app/test_kills.py"


def told(name: str, seed: int, *, path: str, **environment: int) -> bool:
    """Run one of them; whether it passed."""
    variables = {key: str(value) for key, value in environment.items()}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path]
    if path == HISTORIES:
        command.append(f"--hypothesis-seed={seed}")
    done = subprocess.run(command, env={**os.environ, **variables, "PROVISOR_HISTORY_SEED": str(seed)}, check=False)
    print(f"{name}: {'passed' if done.returncode == 0 else 'FAILED'} (seed {seed})", flush=True)
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=20_000, help="through the inline runner, 1000 a seed")
    parser.add_argument("--durable", type=int, default=500, help="through DBOS on each database")
    parser.add_argument("--kills", type=int, default=100, help="kill -9 of the worker in one initial cycle")
    parser.add_argument("--seed", type=int, help="the first seed; by default another one each time")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    passed = True
    for at in range(0, options.histories, 1_000):
        many = min(1_000, options.histories - at)
        passed &= told(f"{many} histories", seed + at, path=HISTORIES, PROVISOR_HISTORIES=many)
    if options.durable:
        passed &= told(f"{options.durable} durable", seed, path=DURABLE, PROVISOR_DURABLE_HISTORIES=options.durable)
    if options.kills:
        passed &= told(f"{options.kills} kills", seed, path=KILLS, PROVISOR_KILLS=options.kills)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
