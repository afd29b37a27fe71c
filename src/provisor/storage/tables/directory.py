"""Tables of the identity side's directory: tenants, users, groups, members, and the change feed."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, UniqueConstraint, text

from provisor.storage.tables.types import Document, Flag, Key, Moment, Number, metadata

# Only deleted rows are in the indexes that the purge reads: a live directory pays nothing for them.
_DELETED = text("deleted_at IS NOT NULL")

tenant = Table(
    "tenant",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Key, nullable=False, unique=True),
    Column("domain", Key, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

directory_user = Table(
    "directory_user",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    # Lower-cased userPrincipalName; of a deleted user with the 32-hex prefix, so that the name is free for another.
    Column("upn_key", Key, nullable=False),
    Column("display_name", Key, nullable=False),
    # Case-folded displayName: people are looked for by name, whatever its case.
    Column("name_key", Key, nullable=False),
    Column("account_enabled", Flag, nullable=False),
    Column("manager_id", Key),
    # Graph's attribute names, without id, manager and deletedDateTime.
    Column("document", Document, nullable=False),
    Column("version", Number, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    # What people are looked for by, without case; null where there is none.
    Column("mail_key", Key),
    Column("nickname_key", Key),
    Column("employee_id_key", Key),
    Column("department_key", Key),
    UniqueConstraint("tenant_id", "upn_key"),
    Index("ix_directory_user_name", "tenant_id", "name_key"),
    Index("ix_directory_user_manager", "tenant_id", "manager_id"),
    *(
        Index(
            f"ix_directory_user_{name}",
            "tenant_id",
            f"{name}_key",
            "id",
            sqlite_where=text(f"{name}_key IS NOT NULL"),
            postgresql_where=text(f"{name}_key IS NOT NULL"),
        )
        for name in ("mail", "nickname", "employee_id", "department")
    ),
    Index("ix_directory_user_deleted", "tenant_id", "deleted_at", sqlite_where=_DELETED, postgresql_where=_DELETED),
)

directory_group = Table(
    "directory_group",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("display_name", Key, nullable=False),
    Column("name_key", Key, nullable=False),
    Column("security_enabled", Flag, nullable=False),
    Column("document", Document, nullable=False),
    Column("version", Number, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    Index("ix_directory_group_name", "tenant_id", "name_key"),
    Index("ix_directory_group_deleted", "tenant_id", "deleted_at", sqlite_where=_DELETED, postgresql_where=_DELETED),
)

group_member = Table(
    "group_member",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("group_id", Key, primary_key=True),
    Column("member_id", Key, primary_key=True),
    Column("member_type", Key, nullable=False),  # User | Group
    Index("ix_group_member_member", "tenant_id", "member_id", "group_id"),
)

group_owner = Table(
    "group_owner",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("group_id", Key, primary_key=True),
    Column("owner_id", Key, primary_key=True),
    Index("ix_group_owner_owner", "tenant_id", "owner_id", "group_id"),
)

extension_property = Table(
    "extension_property",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("app_id", Key, nullable=False),
    # extension_{appId without dashes}_{name}; the key is lower-cased.
    Column("name", Key, nullable=False),
    Column("name_key", Key, nullable=False),
    Column("data_type", Key, nullable=False),
    Column("is_multi_valued", Flag, nullable=False),
    Column("target_objects", Key, nullable=False),  # parted by commas
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("tenant_id", "name_key"),
    Index("ix_extension_property_app", "tenant_id", "app_id"),
)

feed_head = Table(
    "feed_head",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    # The last sequence number given out. Its row lock is held until commit, so numbers become visible in order.
    Column("seq", Number, nullable=False),
)

feed = Table(
    "feed",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("seq", Number, primary_key=True),
    Column("object_type", Key, nullable=False),  # as of events.model.NewChange
    Column(
        "object_id", Key, nullable=False
    ),  # the user, the group; of a Member the group; of an Assignment the principal
    Column("related_id", Key),  # of a Member the member; of an Assignment the service principal
    Column("change", Key, nullable=False),  # created | updated | deleted | restored | purged | added | removed
    Column("actor", Key, nullable=False),
    Column("at", Moment, nullable=False),
    Column("correlation_id", Key),  # of the request or command that made it
)
