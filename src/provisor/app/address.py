"""Commands, where they print a link: the address of the server that runs on this database, as it last said itself."""

from __future__ import annotations

import msgspec

from provisor.app.settings import DEFAULT_HOST, DEFAULT_PORT, Settings
from provisor.storage.database import Database, Tx
from provisor.storage.queries import Query

_NAME = "server.address"
_SET = Query(
    "INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_GET = Query("SELECT value FROM setting WHERE name = :name")


async def note_address(database: Database, address: str) -> None:
    """A server answers at this address from now on."""

    async def work(tx: Tx) -> None:
        await tx.execute(_SET, {"name": _NAME, "value": msgspec.json.encode(address).decode()})

    await database.write(work)


async def server_address(database: Database, settings: Settings) -> str:
    """What the settings say, else where a server last was, else where one is by default; without a slash at its end."""
    if settings.public_url is not None or (settings.host, settings.port) != (DEFAULT_HOST, DEFAULT_PORT):
        return settings.address

    async def work(tx: Tx) -> str | None:
        row = await tx.fetch_one(_GET, {"name": _NAME})
        return None if row is None else msgspec.json.decode(row[0], type=str)

    return await database.read(work) or settings.address
