"""Step 1 of the flow: what a change feed holds. An entry says that something changed, and where; never what it is now.

A reader looks the object up, so that a change which was overtaken by another costs nothing.
"""

from __future__ import annotations

import msgspec


class NewChange(msgspec.Struct, frozen=True):
    """A change of the directory, before it has a number.

    ``object_type``: User, Group, Member, Owner, Manager or Assignment. ``object_id``: the user or group; of a Member
    and an Owner the group, of a Manager the report, of an Assignment the principal. ``change``: created, updated,
    deleted, restored, purged, added or removed. ``related_id``: of a Member the member, of an Owner the owner, of a
    Manager the manager until then, of an Assignment the service principal, else null.
    """

    object_type: str
    object_id: str
    change: str
    related_id: str | None = None


class Change(msgspec.Struct, frozen=True):
    """A numbered change of one tenant's directory. ``actor``: who did it. ``at``: milliseconds since 1970 UTC.
    ``correlation_id``: of the request or command that made it, as in the audit log."""

    seq: int
    object_type: str
    object_id: str
    related_id: str | None
    change: str
    actor: str
    at: int
    correlation_id: str | None = None


class NewOutboxChange(msgspec.Struct, frozen=True):
    """A change of a company's resources. ``change``: created, updated or deleted."""

    resource_type: str
    resource_id: str
    change: str


class Span(msgspec.Struct, frozen=True):
    """From where to where changes can be read: those after ``floor``, the last number that is no longer kept (0: all
    are), up to ``head``, the last one given out."""

    floor: int
    head: int


class OutboxChange(msgspec.Struct, frozen=True):
    """A numbered change of one company's resources. ``at``: milliseconds since 1970 UTC."""

    seq: int
    resource_type: str
    resource_id: str
    change: str
    at: int
