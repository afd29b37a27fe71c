"""Source of every flow: users and groups as Graph shows them, whole. Pure."""

from __future__ import annotations

from typing import Any

from provisor.clock import iso
from provisor.directory.model import Group, User


def document(found: User | Group) -> dict[str, Any]:
    """Every attribute that is set, with ``id``, ``createdDateTime`` and of a deleted one ``deletedDateTime``."""
    made = {"id": found.id, "createdDateTime": iso(found.created_at), **found.attributes}
    if found.deleted_at is not None:
        made["deletedDateTime"] = iso(found.deleted_at)
    return made
