"""Step 0 of every flow: SQL as named blocks in a package's ``queries.sql``, one text for both engines.

A block begins with ``-- name: insert_user``, goes on with comment lines that say what it is for, and ends where the
next one begins. ``-- name: insert_user (postgresql)`` gives the text of that engine only. Comments do not reach the
database.

``IN (:ids...)`` takes a list in one parameter, ``{"ids": id_list(ids)}``, so that a statement's text does not depend on
the length of the list.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files

import msgspec

DIALECTS = ("sqlite", "postgresql")

_TOKEN = re.compile(
    r"""
      (?P<text>   '(?:[^']|'')*' | "(?:[^"]|"")*" )     # a literal or a quoted name: never touched
    | (?P<note>   --[^\n]* )
    | (?P<cast>   :: )
    | (?P<list>   \(\s*:(?P<of>[A-Za-z_]\w*)\.\.\.\s*\) )
    | (?P<param>  :(?P<name>[A-Za-z_]\w*) )
    | (?P<percent> % )
    """,
    re.VERBOSE,
)
_LIST_SQLITE = "(SELECT value FROM json_each(:{}))"
_LIST_POSTGRESQL = "(SELECT json_array_elements_text(CAST(%({})s AS json)))"
_HEADER = re.compile(r"^--\s*name:\s*(?P<name>\w+)\s*(?:\((?P<dialect>\w+)\))?\s*$")


class QueryFileError(Exception):
    """A ``queries.sql`` is malformed."""


class Query(str):
    """One statement. As ``str`` it is the text that was written; each engine has its own attribute."""

    __slots__ = ("for_postgresql", "postgresql", "sqlite")

    sqlite: str
    postgresql: bytes
    # The text for PostgreSQL as it was written.
    for_postgresql: str

    def __new__(cls, text: str, *, postgresql: str | None = None) -> Query:
        """``postgresql``: the text for that engine, where one text cannot serve both."""
        query = super().__new__(cls, text)
        query.sqlite = for_sqlite(text)
        query.for_postgresql = text if postgresql is None else postgresql
        query.postgresql = for_postgresql(query.for_postgresql)
        return query

    @classmethod
    def joined(cls, parts: Iterable[Query]) -> Query:
        """One statement made of several blocks, one after the other, for either engine."""
        blocks = list(parts)
        return cls("\n".join(blocks), postgresql="\n".join(block.for_postgresql for block in blocks))


class Queries:
    """The blocks of one file by name."""

    def __init__(self, source: str, queries: dict[str, Query]) -> None:
        self._source = source
        self._queries = queries

    def __getitem__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._queries, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise KeyError(f"{self._source} has no query named {name!r}.{hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)


def named_queries(package: str) -> Queries:
    """The blocks of ``queries.sql`` in a package, such as ``provisor.directory``. Raises ``QueryFileError``."""
    source = f"{package}/queries.sql"
    resource = files(package) / "queries.sql"
    if not resource.is_file():
        raise QueryFileError(f"{source} does not exist.")
    return parse_queries(resource.read_text(encoding="utf-8"), source)


def parse_queries(text: str, source: str) -> Queries:
    """The blocks of a text; ``source`` names it in errors. Raises ``QueryFileError``."""
    blocks: dict[str, dict[str | None, list[str]]] = {}
    block: list[str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header is None:
            if block is not None:
                block.append(line)
            elif line.strip() and not line.lstrip().startswith("--"):
                raise QueryFileError(f"{source}:{number}: SQL before the first '-- name: …' line.")
            continue
        name, dialect = header["name"], header["dialect"]
        if dialect is not None and dialect not in DIALECTS:
            raise QueryFileError(
                f"{source}:{number}: no engine is called {dialect!r}; there are {', '.join(DIALECTS)}."
            )
        if dialect in blocks.setdefault(name, {}):
            raise QueryFileError(f"{source}:{number}: {name!r} is there twice.")
        block = blocks[name][dialect] = []
    return Queries(source, {name: _query(source, name, texts) for name, texts in blocks.items()})


def _query(source: str, name: str, texts: dict[str | None, list[str]]) -> Query:
    bodies = {dialect: _strip("\n".join(lines)) for dialect, lines in texts.items()}
    for body in bodies.values():
        if not body:
            raise QueryFileError(f"{source}: {name!r} has no SQL.")
    common = bodies.get(None)
    sqlite = bodies.get("sqlite", common)
    postgresql = bodies.get("postgresql", common)
    if sqlite is None or postgresql is None:
        missing = "sqlite" if sqlite is None else "postgresql"
        raise QueryFileError(f"{source}: {name!r} has no text for {missing}.")
    return Query(sqlite, postgresql=postgresql)


def _strip(text: str) -> str:
    bare = _TOKEN.sub(lambda token: "" if token["note"] else token[0], text)
    lines = (line.rstrip() for line in bare.splitlines())
    return "\n".join(line for line in lines if line).removesuffix(";").strip()


def id_list(ids: Iterable[str]) -> str:
    """The value of a list parameter: a JSON array of strings."""
    return msgspec.json.encode(list(ids)).decode()


@lru_cache(maxsize=4096)
def for_sqlite(text: str) -> str:
    """The text with list parameters written for SQLite."""

    def rewrite(token: re.Match[str]) -> str:
        return _LIST_SQLITE.format(token["of"]) if token["list"] else token[0]

    return _TOKEN.sub(rewrite, text)


@lru_cache(maxsize=4096)
def for_postgresql(text: str) -> bytes:
    """The text as psycopg takes it: in UTF-8, with ``%(name)s`` for ``:name`` and ``%%`` for ``%``."""

    def rewrite(token: re.Match[str]) -> str:
        if token["list"]:
            return _LIST_POSTGRESQL.format(token["of"])
        if token["param"]:
            return f"%({token['name']})s"
        return token[0].replace("%", "%%")

    return _TOKEN.sub(rewrite, text).encode()
