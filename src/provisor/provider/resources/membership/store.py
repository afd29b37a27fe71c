"""App side, step 2: the memberships of groups, which are rows: one member in or out costs the same in any group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provisor.provider.resources.model import MemberStep
from provisor.scim.errors import InvalidValue
from provisor.storage.database import Row, Tx
from provisor.storage.queries import id_list, named_queries

_AT_ONCE = {"add": "join_one", "remove": "leave_one"}
_SQL = named_queries("provisor.provider.resources")


async def members(tx: Tx, company_id: str, group_id: str) -> list[tuple[str, str]]:
    """All members (id, type), in the order of their ids."""
    params = {"company_id": company_id, "group_id": group_id}
    return [(row[0], row[1]) for row in await tx.fetch_all(_SQL["members"], params)]


async def few_members(tx: Tx, company_id: str, group_id: str, most: int) -> list[tuple[str, str]] | None:
    """The members, or null when there are more than ``most``: rows that nobody will see are not fetched."""
    params = {"company_id": company_id, "group_id": group_id, "most": most}
    rows = await tx.fetch_all(_SQL["few_members"], params)
    if rows and rows[0][0] is None:
        return None
    return sorted([(member_id, kind) for kind, ids in rows for member_id in ids.split(",")])


async def add_members(tx: Tx, company_id: str, group_id: str, ids: Sequence[str], skips_unknown: bool) -> int:
    """Let these join; how many did. Raises ``InvalidValue`` for ids of nobody, unless they are skipped."""
    if len(ids) == 1:
        one = {"company_id": company_id, "group_id": group_id, "member_id": ids[0]}
        if await tx.execute(_SQL["insert_found_member"], one):
            return 1
        # In already, or unknown.
    rows = await tx.fetch_all(_SQL["members_found"], {"company_id": company_id, "ids": id_list(sorted(set(ids)))})
    types: dict[str, str] = {row[0]: row[1] for row in rows}
    missing = [member_id for member_id in dict.fromkeys(ids) if member_id not in types]
    if missing and not skips_unknown:
        named = ", ".join(missing[:20]) + (f" and {len(missing) - 20} more" if len(missing) > 20 else "")
        raise InvalidValue(f"members: there is no user or group with the id {named}.", hint="Create it first.")
    group = {"company_id": company_id, "group_id": group_id}
    added = 0
    for member_id, member_type in types.items():
        added += await tx.execute(_SQL["insert_member"], {**group, "member_id": member_id, "member_type": member_type})
    return added


async def change_members(tx: Tx, company_id: str, group_id: str, step: MemberStep, skips_unknown: bool) -> int:
    """Apply one step; how many memberships came or went."""
    group = {"company_id": company_id, "group_id": group_id}
    if step.action == "add":
        return await add_members(tx, company_id, group_id, step.ids, skips_unknown)
    if step.action == "keep" and not step.ids:
        return await tx.execute(_SQL["delete_all_members"], group)
    leaving: Iterable[str] = step.ids
    if step.action == "keep":
        kept = set(step.ids)
        leaving = [member_id for member_id, _ in await members(tx, company_id, group_id) if member_id not in kept]
    elif step.test is not None:
        present = await members(tx, company_id, group_id)
        leaving = [member_id for member_id, kind in present if step.test({"value": member_id, "type": kind})]
    removed = 0
    for member_id in leaving:
        removed += await tx.execute(_SQL["delete_member"], {**group, "member_id": member_id})
    return removed


def joins_or_leaves(steps: Sequence[MemberStep]) -> tuple[str, str] | None:
    """The statement and the member, where all that happens is that one joins or leaves; else null."""
    if len(steps) != 1 or len(steps[0].ids) != 1 or (name := _AT_ONCE.get(steps[0].action)) is None:
        return None
    return name, steps[0].ids[0]


async def at_once(tx: Tx, company_id: str, group_id: str, what: tuple[str, str], at: int) -> Row | None:
    """PostgreSQL: one joins or leaves, with all that follows from it, the outbox too, in one statement. The group's row
    as it is then; null where nothing changed, for one of several reasons that are for others to find out."""
    params = {"company_id": company_id, "group_id": group_id, "member_id": what[1], "at": at}
    row = await tx.fetch_one(_SQL[what[0]], params)
    return row[1:] if row is not None and row[0] and row[1] is not None else None


async def leave_groups(tx: Tx, company_id: str, member_id: str, at: int) -> list[str]:
    """Take somebody out of all groups; the groups' ids, each of which has changed."""
    rows = await tx.fetch_all(_SQL["group_ids_of"], {"company_id": company_id, "id": member_id})
    for (group_id,) in rows:
        key = {"company_id": company_id, "type": "Group", "id": group_id}
        await tx.execute(_SQL["touch_resource"], {**key, "at": at})
    if rows:
        await tx.execute(_SQL["delete_memberships"], {"company_id": company_id, "id": member_id})
    return [row[0] for row in rows]
