"""Owners and nested memberships, persistence: what happens to them inside a unit of work on the directory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provisor.directory.model import Member
from provisor.directory.store import Reader, Unit
from provisor.storage.database import Row
from provisor.storage.queries import id_list, named_queries

_sql = named_queries("provisor.directory.links")


async def owners(reader: Reader, group_id: str) -> list[str]:
    """Ids of the live owners."""
    return _ids(await reader.tx.fetch_all(_sql["owners_of"], {"tenant_id": reader.tenant_id, "group_id": group_id}))


async def owned(reader: Reader, owner_id: str) -> list[str]:
    """Ids of the live groups that somebody owns."""
    return _ids(await reader.tx.fetch_all(_sql["owned_by"], {"tenant_id": reader.tenant_id, "owner_id": owner_id}))


async def stored_owners(reader: Reader, group_id: str, ids: Iterable[str]) -> list[str]:
    """Which of these are owners, deleted ones included."""
    params = {"tenant_id": reader.tenant_id, "group_id": group_id, "ids": id_list(ids)}
    return _ids(await reader.tx.fetch_all(_sql["stored_owners"], params))


async def insert_owners(unit: Unit, group_id: str, ids: Sequence[str]) -> None:
    """They are not owners yet."""
    await unit.tx.execute_many(_sql["insert_owner"], [_row(unit, group_id, id_) for id_ in ids])
    unit.note_owners(group_id, ids, added=True)


async def delete_owners(unit: Unit, group_id: str, ids: Sequence[str]) -> None:
    """They are owners."""
    await unit.tx.execute_many(_sql["delete_owner"], [_row(unit, group_id, id_) for id_ in ids])
    unit.note_owners(group_id, ids, added=False)


async def groups_above(reader: Reader, member_id: str) -> list[str]:
    """Ids of the live groups that an object is in, at any depth."""
    params = {"tenant_id": reader.tenant_id, "member_id": member_id}
    return _ids(await reader.tx.fetch_all(_sql["groups_above"], params))


async def members_below(reader: Reader, group_id: str, after: str, limit: int) -> list[Member]:
    """One page of the live members at any depth."""
    key = {"tenant_id": reader.tenant_id}
    groups = _ids(await reader.tx.fetch_all(_sql["groups_below"], {**key, "group_id": group_id}))
    params = {**key, "ids": id_list(groups), "after": after, "limit": limit}
    return [Member(id_, kind) for id_, kind in await reader.tx.fetch_all(_sql["members_of_any"], params)]


async def security_groups(reader: Reader, ids: Iterable[str]) -> list[str]:
    """Which of these are security groups."""
    params = {"tenant_id": reader.tenant_id, "ids": id_list(ids)}
    return _ids(await reader.tx.fetch_all(_sql["security_groups"], params))


def _row(unit: Unit, group_id: str, owner_id: str) -> dict[str, str]:
    return {"tenant_id": unit.tenant_id, "group_id": group_id, "owner_id": owner_id}


def _ids(rows: Sequence[Row]) -> list[str]:
    return [id_ for (id_,) in rows]
