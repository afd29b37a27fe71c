"""Start-up: does the master key belong to this database? A check value, stored at the first start, tells."""

from __future__ import annotations

import hmac

import msgspec

from provisor.errors import Conflict
from provisor.security.secrets import FILE_NAME, VARIABLE, MasterKey, Sealer
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import named_queries

_NAME = "security.key_check"
_ROOT = "security.root"
_queries = named_queries("provisor.security")


class WrongKey(Conflict):
    """The master key is not the one that this database's secrets were sealed with."""


class _KeyCheck(msgspec.Struct, frozen=True, rename="camel"):
    key_id: str
    value: str  # hexadecimal, derived from the key


class _Root(msgspec.Struct, frozen=True):
    """The key of the first start, sealed with the present one: what is derived from it outlives a rotation."""

    sealed: str  # hexadecimal


async def check_key(database: Database, key: MasterKey) -> MasterKey:
    """Compare ``key`` with the database's check value, storing it at the first start. Raises ``WrongKey``.

    Processes that start together agree on the first one's key. Answers the root: the key that peppers and the like are
    derived from, which is the key of the first start and stays when the sealing key is changed.
    """
    ours = _check(key)

    async def work(tx: Tx) -> tuple[Row, Row | None]:
        await tx.execute(_queries["insert_key_check"], {"name": _NAME, "value": msgspec.json.encode(ours).decode()})
        [row] = await tx.fetch_all(_queries["key_check"], {"name": _NAME})
        return row, await tx.fetch_one(_queries["key_check"], {"name": _ROOT})

    row, root = await database.write(work)
    stored = msgspec.json.decode(row[0], type=_KeyCheck)
    if not hmac.compare_digest(stored.value, ours.value):
        raise WrongKey(
            f"The key in {key.origin} is {key.id}; this database's secrets are sealed with the key {stored.key_id}.",
            hint=f"Put the right key into {VARIABLE}, or bring back the {FILE_NAME} that belongs to this database.",
        )
    if root is None:
        return key
    sealed = bytes.fromhex(msgspec.json.decode(root[0], type=_Root).sealed)
    return MasterKey(Sealer(key).open(sealed, _ROOT), "the key of the first start")


async def put_key(tx: Tx, key: MasterKey, root: MasterKey) -> None:
    """From the commit on, ``key`` seals this database; part of the unit that seals everything anew."""
    sealed = _Root(Sealer(key).seal(root.material, _ROOT).hex())
    for name, value in ((_NAME, _check(key)), (_ROOT, sealed)):
        await tx.execute(_queries["put_setting"], {"name": name, "value": msgspec.json.encode(value).decode()})


def _check(key: MasterKey) -> _KeyCheck:
    return _KeyCheck(key.id, key.derive("check value").hex())
