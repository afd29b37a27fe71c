"""For developers: ``python -m provisor.storage.migrations.revise 0002 "what changes"`` writes the next revision.

It is made of the difference between the migrated schema and ``storage/tables``. Read it, then add its number to
``REVISIONS``. Revisions that were released are never edited.
"""

from __future__ import annotations

import asyncio
import sys

from alembic import command

from provisor.storage.migrations import migrate
from provisor.storage.migrations.run import configuration, connection
from provisor.storage.sqlite import MEMORY, SqliteDatabase


async def _revise(number: str, message: str) -> None:
    database = SqliteDatabase(MEMORY)
    await database.open()
    await migrate(database)
    with connection(database) as connected:
        config = configuration()
        config.attributes["connection"] = connected
        command.revision(config, message=message, autogenerate=True, rev_id=number)
    await database.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} NUMBER MESSAGE")
    asyncio.run(_revise(sys.argv[1], sys.argv[2]))
