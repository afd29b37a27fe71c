"""Step 0 of every start: bring the database to this program's version, once, whoever comes first.

One set of Alembic revisions serves both engines. Alembic takes a third of a second to load, so that a database which is
up to date, at every start but one, costs a plain query instead.
"""

from __future__ import annotations

import asyncio

from provisor.errors import Conflict
from provisor.storage.database import Database, Tx
from provisor.storage.queries import Query

# Every revision, oldest first: what a database may say that it is. The last is what this program needs.
REVISIONS = tuple(f"{number:04}" for number in range(1, 14))
VERSION_TABLE = "provisor_version"

_HAS_VERSION = Query(
    "SELECT name FROM sqlite_master WHERE name = 'provisor_version'",
    postgresql="SELECT name FROM (SELECT to_regclass('provisor_version') AS name) AS found WHERE name IS NOT NULL",
)
_VERSION = Query("SELECT version_num FROM provisor_version")


class DatabaseNewer(Conflict):
    """The database was made by a newer version of this program."""


async def version(database: Database) -> str | None:
    """The database's revision; ``None`` of an empty one."""

    async def work(tx: Tx) -> str | None:
        if await tx.fetch_one(_HAS_VERSION) is None:
            return None
        row = await tx.fetch_one(_VERSION)
        return None if row is None else str(row[0])

    return await database.read(work)


async def is_current(database: Database) -> bool:
    """Whether nothing is to be done. Raises ``DatabaseNewer`` for a revision that this program does not know."""
    found = await version(database)
    if found is not None and found not in REVISIONS:
        raise DatabaseNewer(
            f"The database is at version {found}, which this program does not know; its own is {REVISIONS[-1]}.",
            hint="Run the newer program that wrote it, or restore a backup from before: there is no way back.",
        )
    return found == REVISIONS[-1]


async def migrate(database: Database) -> bool:
    """Bring an opened database to this program's version; whether there was anything to do.

    Safe in many processes at once: one works, under a lock, and the others wait. Raises ``DatabaseNewer``.
    """
    if await is_current(database):
        return False
    from provisor.storage.migrations.run import upgrade

    await asyncio.to_thread(upgrade, database)
    return True
