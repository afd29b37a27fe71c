from pathlib import Path

import pytest

from provisor.storage.factory import InvalidDatabaseUrl, make_database
from provisor.storage.postgresql import PostgresDatabase
from provisor.storage.sqlite import SqliteDatabase


def test_without_a_url_the_data_folder_holds_a_sqlite_file(tmp_path: Path) -> None:
    database = make_database(data_dir=tmp_path, url=None)
    assert isinstance(database, SqliteDatabase)
    assert database.path == str(tmp_path / "provisor.db")


@pytest.mark.parametrize(
    ("url", "path"), [("sqlite:///data/p.db", "data/p.db"), ("sqlite:////var/lib/p.db", "/var/lib/p.db")]
)
def test_a_sqlite_url_has_a_relative_path_or_with_a_fourth_slash_an_absolute_one(url: str, path: str) -> None:
    database = make_database(data_dir=None, url=url)
    assert isinstance(database, SqliteDatabase)
    assert database.path == path


@pytest.mark.parametrize("url", ["postgresql://p@db.example.com/prov", "postgres://p:secret@db.example.com/prov"])
def test_a_postgresql_url_is_named_without_its_password(url: str) -> None:
    database = make_database(data_dir=None, url=url)
    assert isinstance(database, PostgresDatabase)
    assert database.name == "prov on db.example.com"


@pytest.mark.parametrize("url", ["mysql://p:secret@db/prov", "sqlite://", "provisor.db", "sqlite:///"])
def test_any_other_url_is_refused_by_name_with_the_forms_that_are_taken(url: str) -> None:
    with pytest.raises(InvalidDatabaseUrl) as caught:
        make_database(data_dir=None, url=url)
    assert url.replace("secret", "***") in str(caught.value)
    assert "postgresql://" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_neither_folder_nor_url_is_refused() -> None:
    with pytest.raises(InvalidDatabaseUrl, match="Neither"):
        make_database(data_dir=None, url=None)
