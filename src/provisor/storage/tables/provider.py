"""Tables of the app side: companies, administrators, API keys, SCIM resources and the outbox of their changes."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint

from provisor.storage.tables.types import Document, Flag, Key, Moment, Number, metadata

company = Table(
    "company",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Key, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

administrator = Table(
    "administrator",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("email", Key, nullable=False),  # lower-cased
    Column("is_admin", Flag, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("company_id", "email"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Key, primary_key=True),  # the key id inside the key's text
    Column("company_id", Key, nullable=False),
    Column("administrator_id", Key),  # the key acts as this person; null: as the company's service account
    Column("name", Key, nullable=False),
    Column("mac", LargeBinary, nullable=False),  # HMAC-SHA-256 of the key's text with the server's pepper
    Column("start", Key, nullable=False),  # the first characters, for lists
    Column("dialect", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),  # the end of the day in UTC
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    Index("ix_api_key_company", "company_id", "created_at"),
)

# A SCIM resource: what is looked up by, and the document as it is answered, without members, groups and meta: those
# are put in when it is served, so that a change of members rewrites no document.
resource = Table(
    "resource",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("type", Key, primary_key=True),  # User | Group
    Column("id", Key, primary_key=True),  # time-ordered: the order of pages
    # userName, folded; of a Group its displayName, folded, when the company wants those unique, else null.
    Column("unique_key", Key),
    Column("display", Key),  # displayName as it is written, for the groups of a user
    Column("document", Document, nullable=False),
    Column("version", Number, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("modified_at", Moment, nullable=False),
    Index("ux_resource_unique", "company_id", "type", "unique_key", unique=True),
)

# One row per indexed path and element: equality is a look-up here.
resource_attr = Table(
    "resource_attr",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("type", Key, primary_key=True),
    Column("path", Key, primary_key=True),  # the short names of provider/resources/index.py: externalId, email, manager
    # Folded unless the attribute is caseExact; of a long value its first characters and a digest.
    Column("value", Key, primary_key=True),
    Column("resource_id", Key, primary_key=True),
    Index("ix_resource_attr_resource", "company_id", "resource_id"),
    sqlite_with_rowid=False,  # the key is the row: one tree to write instead of two
)

resource_member = Table(
    "resource_member",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("group_id", Key, primary_key=True),
    Column("member_id", Key, primary_key=True),
    Column("member_type", Key, nullable=False),  # User | Group
    Index("ix_resource_member_member", "company_id", "member_id", "group_id"),
    sqlite_with_rowid=False,
)

outbox_head = Table(
    "outbox_head",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("seq", Number, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("seq", Number, primary_key=True),
    Column("resource_type", Key, nullable=False),
    Column("resource_id", Key, nullable=False),
    Column("change", Key, nullable=False),  # created | updated | deleted
    Column("at", Moment, nullable=False),
)
