"""Directory roles, their nouns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """A role that a person of a tenant has. ``granted_by``: who gave it; ``granted_at`` in ms UTC."""

    user_id: str
    user_principal_name: str
    display_name: str
    role: str
    granted_by: str
    granted_at: int
