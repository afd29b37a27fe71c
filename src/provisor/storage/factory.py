"""Step 0 of every start: which database, from the data folder and the URL that the settings hold."""

from __future__ import annotations

import re
from pathlib import Path

from provisor.errors import InvalidInput
from provisor.storage.database import Database
from provisor.storage.sqlite import SqliteDatabase

_FORMS = "Use postgresql://USER@HOST/NAME or sqlite:///PATH, or leave it out for SQLite in the data folder."


class InvalidDatabaseUrl(InvalidInput):
    """The database URL cannot be used."""


def sqlite_path(data_dir: Path) -> Path:
    """The file of the embedded database in a data folder."""
    return data_dir / "provisor.db"


def make_database(*, data_dir: Path | None, url: str | None) -> Database:
    """A database, not opened: the URL's, or else the data folder's. Raises ``InvalidDatabaseUrl``."""
    if not url:
        if data_dir is None:
            raise InvalidDatabaseUrl("Neither a data folder nor a database URL is given.", hint=_FORMS)
        return SqliteDatabase(sqlite_path(data_dir))
    scheme, found, rest = url.partition("://")
    if found and scheme in ("postgresql", "postgres"):
        # psycopg and its pool take a tenth of a second to load, which an embedded database does not need.
        from provisor.storage.postgresql import PostgresDatabase

        return PostgresDatabase(url)
    if found and scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return SqliteDatabase(Path(rest[1:]))
    raise InvalidDatabaseUrl(f"The database URL {_without_password(url)} cannot be used.", hint=_FORMS)


def _without_password(url: str) -> str:
    return re.sub(r"(?<=:)[^:@/]+(?=@)", "***", url)
