"""Two processes that start at once on a new folder agree on one key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from provisor.security.secrets import load_key


def test_simultaneous_first_starts_agree_on_one_key(tmp_path: Path) -> None:
    for attempt in range(10):
        folder = tmp_path / str(attempt)
        barrier = Barrier(4)

        def start(folder: Path = folder, barrier: Barrier = barrier) -> bytes:
            barrier.wait()
            return load_key(folder, {}).material

        with ThreadPoolExecutor(4) as pool:
            keys = {future.result() for future in [pool.submit(start) for _ in range(4)]}
        assert len(keys) == 1
        assert [file.name for file in folder.iterdir()] == ["secret.key"]
