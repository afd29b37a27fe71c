"""Source of every flow: what the directory holds, as values. Reference: graph-synchronization-api.md section 11."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

MemberType = Literal["User", "Group"]

# A deleted object can be restored for so long; then it is purged (reference: entra-provisioning-service.md section 14).
RESTORABLE_MS = 30 * 24 * 60 * 60 * 1000


class Tenant(msgspec.Struct, frozen=True):
    """One organisation's directory. ``domain`` is its first domain name, lower-cased; ``created_at`` in ms UTC."""

    id: str
    name: str
    domain: str
    created_at: int


class User(msgspec.Struct, frozen=True):
    """A person's or service's account, live or deleted.

    ``attributes`` has Graph's names and only what is set, with ``userPrincipalName``, ``displayName`` and
    ``accountEnabled`` among them. ``manager_id`` is null without a manager and while the manager is deleted.
    ``version`` starts at 1 and rises with every change. Moments are ms UTC; ``deleted_at`` is null of a live user.
    """

    id: str
    tenant_id: str
    user_principal_name: str
    display_name: str
    account_enabled: bool
    manager_id: str | None
    attributes: dict[str, Any]
    version: int
    created_at: int
    deleted_at: int | None = None


class Group(msgspec.Struct, frozen=True):
    """A group without its members. ``attributes`` as of ``User``; the display name need not be unique."""

    id: str
    tenant_id: str
    display_name: str
    security_enabled: bool
    attributes: dict[str, Any]
    version: int
    created_at: int
    deleted_at: int | None = None


class Member(msgspec.Struct, frozen=True):
    """A direct member of a group."""

    id: str
    type: MemberType


class Counts(msgspec.Struct, frozen=True):
    """How many live users and groups there are, and memberships both of whose ends live."""

    users: int
    groups: int
    memberships: int


class NewUser(msgspec.Struct, frozen=True):
    """What a user is made of. ``id`` is a GUID that is to be kept, as when moving from another directory; else null."""

    attributes: dict[str, Any]
    id: str | None = None
