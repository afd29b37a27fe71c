"""Step scoping, its statements where groups inside groups count (``JobSettings.nested_groups``).

A change of one person's membership costs what it concerns. A change of which group is in which is rare and can concern
anybody, also together with others of the same page: then everything is looked at anew, which sends nothing that is in
order.
"""

from __future__ import annotations

from collections.abc import Iterable

from provisor.storage.database import Tx
from provisor.storage.queries import id_list, named_queries

SQL = named_queries("provisor.provisioning.nesting")


async def moves_groups(tx: Tx, tenant_id: str, member_ids: Iterable[str]) -> bool:
    """Is one of these members, who joined or left a group, a group itself (or was one)?"""
    ids = set(member_ids)
    if not ids:
        return False
    people = await tx.fetch_all(SQL["people"], {"tenant_id": tenant_id, "ids": id_list(sorted(ids))})
    return len(people) < len(ids)
