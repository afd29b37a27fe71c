"""Tables of the app side: companies, administrators, API keys, SCIM resources and the outbox of their changes."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint, true

from provisor.storage.tables.types import Document, Flag, Key, Moment, Number, metadata

company = Table(
    "company",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Key, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    # Requests a second that each credential, and all together, may make; null: no limit.
    Column("credential_rate", Number),
    Column("company_rate", Number),
    # A second group of the same displayName is refused.
    Column("unique_group_names", Flag, nullable=False, server_default=true()),
)

administrator = Table(
    "administrator",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("email", Key, nullable=False),  # lower-cased
    Column("is_admin", Flag, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("user_id", Key),  # the SCIM user that is this person, once one was seen
    Column("disabled_at", Moment),  # since when SCIM has that user inactive or deleted
    UniqueConstraint("company_id", "email"),
    Index("ix_administrator_email", "email"),
)

# Whom a key may belong to instead of a person, so that a leaver does not stop a company's provisioning.
service_account = Table(
    "service_account",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("name", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("company_id", "name"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Key, primary_key=True),  # the key id inside the key's text
    Column("company_id", Key, nullable=False),
    Column("administrator_id", Key),  # the key acts as this person,
    Column("service_account_id", Key),  # or as this service account
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
    Column("source", Key),  # the id of the API key or the OAuth client that created it; null: from before this was kept
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

# Values of further unique attributes, which only a company's own schemas have: the key is the constraint.
resource_unique = Table(
    "resource_unique",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("type", Key, primary_key=True),
    Column("path", Key, primary_key=True),
    Column("value", Key, primary_key=True),  # as in resource_attr
    Column("resource_id", Key, nullable=False),
    Index("ix_resource_unique_resource", "company_id", "resource_id"),
    sqlite_with_rowid=False,
)

# What clients may write and nobody may read: passwords, as argon2id hashes.
resource_secret = Table(
    "resource_secret",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("resource_id", Key, primary_key=True),
    Column("path", Key, primary_key=True),
    Column("hash", Key, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

# A company's own schemas, extensions and resource types, as they were loaded.
company_schema = Table(
    "company_schema",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),  # the schema's URN, lower-cased
    Column("definition", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
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

# An OAuth 2.0 client (RFC 6749 section 4.4): a credential beside API keys.
oauth_client = Table(
    "oauth_client",
    metadata,
    Column("id", Key, primary_key=True),  # the client_id
    Column("company_id", Key, nullable=False),
    Column("name", Key, nullable=False),
    Column("dialect", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    Index("ix_oauth_client_company", "company_id", "created_at"),
)

# Several of a client's secrets may be valid at once, so that one can be replaced without an interruption.
oauth_secret = Table(
    "oauth_secret",
    metadata,
    Column("id", Key, primary_key=True),
    Column("client_id", Key, nullable=False),
    Column("mac", LargeBinary, nullable=False),  # HMAC-SHA-256 of the secret's text with the server's pepper
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),  # null: never
    Column("revoked_at", Moment),
    Index("ix_oauth_secret_client", "client_id", "created_at"),
)

# What was asked over SCIM, and what was answered: for an administrator to read, for a limited time.
scim_request = Table(
    "scim_request",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),  # time-ordered
    Column("at", Moment, nullable=False),
    Column("credential", Key, nullable=False),  # the id of the API key or the OAuth client
    Column("method", Key, nullable=False),
    Column("path", Key, nullable=False),  # with the query
    Column("status", Number, nullable=False),
    Column("duration_us", Number, nullable=False),
    Column("request", Document),  # without secrets; null: there was no body
    Column("answer", Document),
    Column("ignored", Document),  # JSON: paths that were sent and not stored; null: none
    Column("resource_id", Key),  # the one resource that it was about; null: none, or several
    Index("ix_scim_request_resource", "company_id", "resource_id", "id"),
    Index("ix_scim_request_at", "at"),
)

# Where a company's outbox is sent to. ``position``: the last number that was delivered.
webhook = Table(
    "webhook",
    metadata,
    Column("company_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("url", Key, nullable=False),
    Column("secret", LargeBinary, nullable=False),  # sealed
    Column("created_at", Moment, nullable=False),
    Column("position", Number, nullable=False),
    Column("paused", Key),  # why nothing is sent; null: it is
    Column("failures", Number, nullable=False),  # since the last success
    Column("next_at", Moment, nullable=False),
    Column("claimed_until", Moment, nullable=False),
    Column("last_answer", Key),  # the status, or the fault, of the last attempt
    Column("delivered_at", Moment),
)
