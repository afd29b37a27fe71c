"""Step matching, of a group's members: whom the target shows as such."""

from __future__ import annotations

from provisor.connector.client import ScimClient


async def shown_members(client: ScimClient, target_id: str) -> set[str] | None:
    """The ids that the target shows as the group's members; null where it shows none at all. Raises ``TargetError``."""
    found = await client.read("Group", target_id, members=True)
    if found is None or "members" not in {name.lower() for name in found.raw}:
        return None
    listed = next(value for name, value in found.raw.items() if name.lower() == "members")
    return {str(one["value"]) for one in listed or [] if isinstance(one, dict) and one.get("value")}
