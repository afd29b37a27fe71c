"""Start-up: does the master key belong to this database? A check value, stored at the first start, tells."""

from __future__ import annotations

import hmac

import msgspec

from provisor.errors import Conflict
from provisor.security.secrets import FILE_NAME, VARIABLE, MasterKey
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import named_queries

_NAME = "security.key_check"
_queries = named_queries("provisor.security")


class WrongKey(Conflict):
    """The master key is not the one that this database's secrets were sealed with."""


class _KeyCheck(msgspec.Struct, frozen=True, rename="camel"):
    key_id: str
    value: str  # hexadecimal, derived from the key


async def check_key(database: Database, key: MasterKey) -> None:
    """Compare ``key`` with the database's check value, storing it at the first start. Raises ``WrongKey``.

    Processes that start together agree on the first one's key.
    """
    ours = _KeyCheck(key.id, key.derive("check value").hex())

    async def work(tx: Tx) -> Row:
        await tx.execute(_queries["insert_key_check"], {"name": _NAME, "value": msgspec.json.encode(ours).decode()})
        [row] = await tx.fetch_all(_queries["key_check"], {"name": _NAME})
        return row

    stored = msgspec.json.decode((await database.write(work))[0], type=_KeyCheck)
    if not hmac.compare_digest(stored.value, ours.value):
        raise WrongKey(
            f"The key in {key.origin} is {key.id}; this database's secrets are sealed with the key {stored.key_id}.",
            hint=f"Put the right key into {VARIABLE}, or bring back the {FILE_NAME} that belongs to this database.",
        )
