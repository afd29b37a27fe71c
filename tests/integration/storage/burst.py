"""A process of the storage tests: writes rows from many tasks, and prints a row's name after its write was answered.

``burst.py DATA_DIR URL PREFIX COUNT``: an empty URL is SQLite in the folder; a COUNT of 0 goes on until it is killed.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from provisor.storage.database import Tx
from provisor.storage.factory import make_database


async def main(data_dir: str, url: str, prefix: str, count: int) -> None:
    database = make_database(data_dir=Path(data_dir), url=url or None)
    await database.open()
    numbers = iter(range(count)) if count else itertools.count()

    async def writer() -> None:
        for number in numbers:
            params = {"name": f"{prefix}{number}"}

            async def work(tx: Tx, params: dict[str, str] = params) -> None:
                await tx.execute("INSERT INTO setting (name, value) VALUES (:name, '{}')", params)

            await database.write(work)
            os.write(1, f"{params['name']}\n".encode())

    await asyncio.gather(*(writer() for _ in range(16)))
    await database.close()


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
