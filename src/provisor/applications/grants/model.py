"""Consent, its noun."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PermissionGrant:
    """What the application ``client_id`` may ask of ``resource_id`` for ``principal_id`` (empty: for everybody).

    Both are service principals' ids. ``scopes`` are in the order in which they were given.
    """

    id: str
    client_id: str
    resource_id: str
    principal_id: str
    scopes: tuple[str, ...]
    created_at: int

    @property
    def for_everybody(self) -> bool:
        """``AllPrincipals``: an administrator consented for the whole tenant."""
        return not self.principal_id
