"""The schema that the migrations make is that of ``storage/tables``, on both engines, whoever comes first."""

import asyncio
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from provisor.storage.database import Database, Tx
from provisor.storage.migrations import REVISIONS, VERSION_TABLE, DatabaseNewer, is_current, migrate, version
from provisor.storage.migrations.run import configuration, connection
from provisor.storage.tables import metadata
from provisor.testing.database import Store


def test_the_known_revisions_are_those_in_the_folder() -> None:
    folder = ScriptDirectory.from_config(configuration())
    assert [revision.revision for revision in folder.walk_revisions()][::-1] == list(REVISIONS)


async def test_migrating_makes_the_tables_of_the_metadata(empty_store: Store) -> None:
    database = empty_store.database()
    await database.open()
    assert await version(database) is None
    assert await migrate(database) is True
    assert await version(database) == REVISIONS[-1]

    def difference() -> list[object]:
        with connection(database) as connected:
            options = {"version_table": VERSION_TABLE, "compare_type": True}
            return list(compare_metadata(MigrationContext.configure(connected, opts=options), metadata))

    assert await asyncio.to_thread(difference) == []
    await database.close()


async def test_a_database_that_is_current_is_left_alone(database: Database) -> None:
    assert await is_current(database)
    assert await migrate(database) is False


def test_a_start_on_a_current_database_loads_neither_alembic_nor_sqlalchemy(store: Store) -> None:
    script = """
import asyncio, sys
from pathlib import Path
from provisor.storage.factory import make_database
from provisor.storage.migrations import migrate

async def main():
    database = make_database(data_dir=Path(sys.argv[1]), url=sys.argv[2] or None)
    await database.open()
    await migrate(database)
    await database.close()

asyncio.run(main())
print([name for name in ("alembic", "sqlalchemy") if name in sys.modules])
"""
    command = [sys.executable, "-c", script, str(store.data_dir), store.url or ""]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "[]\n"


async def test_many_that_migrate_at_once_do_it_once(empty_store: Store) -> None:
    databases = [empty_store.database() for _ in range(4)]
    for database in databases:
        await database.open()
    await asyncio.gather(*(migrate(database) for database in databases))
    assert all([await is_current(database) for database in databases])
    for database in databases:
        await database.close()


async def test_processes_that_migrate_at_once_do_it_once(empty_store: Store) -> None:
    script = """
import asyncio, sys
from pathlib import Path
from provisor.storage.factory import make_database
from provisor.storage.migrations import migrate

async def main():
    database = make_database(data_dir=Path(sys.argv[1]), url=sys.argv[2] or None)
    await database.open()
    await migrate(database)
    await database.close()

asyncio.run(main())
"""
    command = [sys.executable, "-c", script, str(empty_store.data_dir), empty_store.url or ""]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[1] for process in processes] == ["", "", ""]
    database = empty_store.database()
    await database.open()
    assert await is_current(database)
    await database.close()


async def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    async def newer(tx: Tx) -> None:
        await tx.execute("UPDATE provisor_version SET version_num = '9999'")

    await database.write(newer)
    with pytest.raises(DatabaseNewer, match=r"version 9999.*Run the newer program"):
        await migrate(database)


async def test_a_migration_that_fails_leaves_nothing(empty_store: Store) -> None:
    database = empty_store.database()
    await database.open()
    # In the way of the migration's own, whose name comes last but one in the alphabet.
    await database.write(lambda tx: tx.execute("CREATE TABLE tenant (id TEXT)"))
    with pytest.raises(Exception, match="tenant"):
        await migrate(database)
    assert await version(database) is None
    await database.write(lambda tx: tx.execute("DROP TABLE tenant"))
    assert await migrate(database) is True
    await database.close()
