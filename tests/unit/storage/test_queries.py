import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.storage.queries import Query, QueryFileError, for_postgresql, for_sqlite, id_list, parse_queries

FILE = """
-- What the file is for.

-- name: find
-- Finds one; its comments never reach the database.
SELECT a -- the first column
FROM t
WHERE id = :id;

-- name: since (postgresql)
SELECT EXTRACT(EPOCH FROM now());
-- name: since (sqlite)
SELECT unixepoch();

-- name: touch
UPDATE t SET a = '-- :no';
-- name: touch (postgresql)
UPDATE t SET a = '-- :yes';
"""


def test_a_block_is_its_sql_without_comments_and_semicolon() -> None:
    find = parse_queries(FILE, "t.sql")["find"]
    assert find.sqlite == "SELECT a\nFROM t\nWHERE id = :id"
    assert find.postgresql == b"SELECT a\nFROM t\nWHERE id = %(id)s"


def test_an_engine_may_have_its_own_text() -> None:
    queries = parse_queries(FILE, "t.sql")
    assert (queries["since"].sqlite, queries["since"].postgresql) == (
        "SELECT unixepoch()",
        b"SELECT EXTRACT(EPOCH FROM now())",
    )
    assert (queries["touch"].sqlite, queries["touch"].postgresql) == (
        "UPDATE t SET a = '-- :no'",
        b"UPDATE t SET a = '-- :yes'",
    )


def test_the_names_are_those_of_the_blocks() -> None:
    assert list(parse_queries(FILE, "t.sql")) == ["find", "since", "touch"]


def test_a_missing_query_names_the_file_and_the_nearest_name() -> None:
    with pytest.raises(KeyError, match=r"t\.sql has no query named 'fnd'.*'find'"):
        parse_queries(FILE, "t.sql")["fnd"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1", r"t\.sql:1: SQL before the first"),
        ("-- name: a\nSELECT 1\n-- name: a\nSELECT 2", r"t\.sql:3: 'a' is there twice"),
        ("-- name: a (oracle)\nSELECT 1", r"t\.sql:1: no engine is called 'oracle'"),
        ("-- name: a\n-- nothing more", r"'a' has no SQL"),
        ("-- name: a (postgresql)\nSELECT 1", r"'a' has no text for sqlite"),
    ],
)
def test_a_malformed_file_is_refused_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(QueryFileError, match=complaint):
        parse_queries(text, "t.sql")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT :a, :a_2", b"SELECT %(a)s, %(a_2)s"),
        ("SELECT :a::bigint", b"SELECT %(a)s::bigint"),
        ("SELECT ':a' || \":a\"", b"SELECT ':a' || \":a\""),
        ("SELECT 'it''s :a' || :b", b"SELECT 'it''s :a' || %(b)s"),
        ("SELECT 5 % 2 WHERE x LIKE '50%'", b"SELECT 5 %% 2 WHERE x LIKE '50%%'"),
        (
            "SELECT 1 WHERE id IN (:ids...)",
            b"SELECT 1 WHERE id IN (SELECT json_array_elements_text(CAST(%(ids)s AS json)))",
        ),
    ],
)
def test_parameters_are_written_as_psycopg_takes_them(text: str, expected: bytes) -> None:
    assert for_postgresql(text) == expected


def test_a_query_is_the_text_that_was_written() -> None:
    query = Query("SELECT :a", postgresql="SELECT :b")
    assert (query, query.sqlite, query.postgresql) == ("SELECT :a", "SELECT :a", b"SELECT %(b)s")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_a_list_parameter_gives_back_what_was_put_in(ids: list[str]) -> None:
    connection = sqlite3.connect(":memory:")
    found = connection.execute(for_sqlite("SELECT * FROM (:ids...)"), {"ids": id_list(ids)}).fetchall()
    connection.close()
    assert [value for (value,) in found] == ids


@given(st.text(st.sampled_from("a:%'\"-.( )\n")))
def test_what_stands_in_a_literal_stays_as_it_is(text: str) -> None:
    literal = text.replace("'", "''")
    query = parse_queries(f"-- name: q\nSELECT '{literal}'", "t.sql")["q"] if "\n" not in text else None
    connection = sqlite3.connect(":memory:")
    for sql in (for_sqlite(f"SELECT '{literal}'"), query.sqlite if query else None):
        if sql is not None:
            assert connection.execute(sql).fetchone() == (text,)
    connection.close()
    assert for_postgresql(f"'{literal}'") == f"'{literal}'".replace("%", "%%").encode()
