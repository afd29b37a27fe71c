"""A copy of an embedded database, made while it serves, and put back.

The copy is one SQLite file with one moment's state. It holds secrets only as they are sealed: without the key they are
of no use to whoever finds it, and of none to you either. Keep the key somewhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from provisor.app.locks import FileLock, FilePresence
from provisor.app.settings import Settings
from provisor.clock import Clock, iso
from provisor.errors import Conflict, InvalidInput
from provisor.security.secrets import FILE_NAME, VARIABLE, MasterKey, load_key
from provisor.storage.factory import sqlite_path
from provisor.storage.migrations import REVISIONS, VERSION_TABLE

_MADE = "backup.made"
_HELPERS = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy: its size in bytes, when it was made (ms UTC), and the id of the key that its secrets are sealed with."""

    path: Path
    size: int
    made_at: int
    key_id: str


async def backup(settings: Settings, target: Path, clock: Clock) -> Copy:
    """Copy the database as it is at this moment; servers and workers go on meanwhile.

    Raises ``InvalidInput`` on PostgreSQL, and when the file is there already.
    """
    return await asyncio.to_thread(_backup, _source(settings), target, clock.now_ms())


async def restore(settings: Settings, copy: Path, clock: Clock) -> tuple[Copy, Path | None]:
    """Put a copy in the place of the database, which is kept beside it; the copy, and where the other is now.

    The next who opens it has to call ``UpkeepStore.settle_after_restore``. Raises ``InvalidInput`` for a file that is
    no copy or needs another key, ``Conflict`` while somebody works on the database.
    """
    return await asyncio.to_thread(_restore, settings, _source(settings), copy, clock.now_ms())


def _source(settings: Settings) -> Path:
    if settings.engine == "postgresql":
        raise InvalidInput(
            "This command copies an embedded database.",
            hint="Of PostgreSQL, make a copy with pg_dump, and put it back with pg_restore.",
        )
    url = settings.database_url or ""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else sqlite_path(settings.data_dir)


def _backup(source: Path, target: Path, now: int) -> Copy:
    if not source.exists():
        raise InvalidInput(f"There is no database {source}.", hint="Name its folder with --data.")
    if target.exists():
        raise InvalidInput(f"{target} is there already.", hint="Name a new file, or move that one away.")
    draft = target.with_name(f"{target.name}.tmp")
    draft.unlink(missing_ok=True)
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with contextlib.closing(sqlite3.connect(source, timeout=30)) as connection:
            # One snapshot, however long it takes and whoever writes meanwhile.
            connection.execute("VACUUM INTO ?", (str(draft),))
        with contextlib.closing(sqlite3.connect(draft)) as made, made:
            value = msgspec.json.encode({"at": now}).decode()
            made.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (_MADE, value))
        _sync(draft)
        draft.replace(target)
    except (OSError, sqlite3.Error) as error:
        draft.unlink(missing_ok=True)
        raise InvalidInput(f"The copy {target} cannot be written: {error}.") from error
    return _look(target)


def _restore(settings: Settings, place: Path, copy: Path, now: int) -> tuple[Copy, Path | None]:
    found = _look(copy)
    key = _key(settings, found)
    if key.id != found.key_id:
        raise InvalidInput(
            f"The secrets in {copy} are sealed with the key {found.key_id}, and {key.origin} holds the key {key.id}.",
            hint=f"Put the {FILE_NAME} that belongs to the copy into {settings.data_dir}, or set {VARIABLE}.",
        )
    with _alone(settings):
        draft = place.with_name(f"{place.name}.tmp")
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        shutil.copyfile(copy, draft)
        _sync(draft)
        aside = _move_aside(place, now)
        draft.replace(place)
        # What was running when the copy was made is told by our own tables; DBOS's store is of another time.
        for name in _HELPERS:
            (settings.lock_dir / f"dbos.db{name}").unlink(missing_ok=True)
    return found, aside


def _key(settings: Settings, copy: Copy) -> MasterKey:
    environment = settings.environment or os.environ
    if not environment.get(VARIABLE, "").strip() and not (settings.data_dir / FILE_NAME).exists():
        raise InvalidInput(
            f"There is no key in {settings.data_dir}, and the copy's secrets are sealed with the key {copy.key_id}.",
            hint=f"Put the {FILE_NAME} that belongs to the copy there first, or set {VARIABLE}.",
        )
    return load_key(settings.data_dir, environment)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    presence = FilePresence.take(settings.lock_dir, alone=True)
    lock = FileLock.take(settings.lock_dir)
    try:
        if lock is None or presence is None:
            raise Conflict(
                "A server or worker runs on this database.",
                hint="Stop every one of them, restore, then start them again.",
            )
        yield
    finally:
        for held in (lock, presence):
            if held is not None:
                held.release_now()


def _move_aside(place: Path, now: int) -> Path | None:
    if not place.exists():
        return None
    with contextlib.closing(sqlite3.connect(place, timeout=30)) as connection:
        # What stands in the write-ahead log goes into the file, which is then the whole database.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    aside = place.with_name(f"{place.name}.replaced-{iso(now)[:19].replace(':', '')}")
    for name in _HELPERS:
        with contextlib.suppress(FileNotFoundError):
            place.with_name(f"{place.name}{name}").replace(aside.with_name(f"{aside.name}{name}"))
    return aside


def _look(path: Path) -> Copy:
    """Is it a whole copy, of a version that this program knows?"""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            [(verdict,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
            [(revision,)] = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall()  # noqa: S608
            settings = dict(
                connection.execute("SELECT name, value FROM setting WHERE name IN ('security.key_check', ?)", (_MADE,))
            )
    except (sqlite3.Error, ValueError) as error:
        raise InvalidInput(f"{path} is not a copy of a Provisor database: {error}.") from error
    if verdict != "ok":
        raise InvalidInput(f"{path} is damaged: {verdict}.", hint="Take another copy.")
    if revision not in REVISIONS:
        raise InvalidInput(f"{path} was made by a newer Provisor.", hint="Restore it with that version.")
    if _MADE not in settings or "security.key_check" not in settings:
        raise InvalidInput(f"{path} was not made by 'provisor backup'.", hint="Make copies with that command.")
    made = msgspec.json.decode(settings[_MADE])
    check = msgspec.json.decode(settings["security.key_check"])
    return Copy(path, path.stat().st_size, made["at"], check["keyId"])


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
