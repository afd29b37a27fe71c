"""Tables of operation: the audit log, mail, and what was learnt of targets."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, UniqueConstraint

from provisor.storage.tables.types import Document, Key, Moment, Number, metadata

# A realm is system, tenant:ID or company:ID. One row a realm: the last number, and the hash that its chain ends with.
audit_head = Table(
    "audit_head",
    metadata,
    Column("realm", Key, primary_key=True),
    Column("seq", Number, nullable=False),
    Column("hash", Key, nullable=False),
)

# Append-only. The hash is made of the hash of the entry before and of every column of this one.
audit_entry = Table(
    "audit_entry",
    metadata,
    Column("realm", Key, primary_key=True),
    Column("seq", Number, primary_key=True),
    Column("id", Key, nullable=False),
    Column("at", Moment, nullable=False),
    Column("activity", Key, nullable=False),
    Column("category", Key, nullable=False),
    Column("actor", Key, nullable=False),
    Column("result", Key, nullable=False),  # success | failure
    Column("correlation_id", Key, nullable=False),
    Column("entry", Document, nullable=False),  # targets with before and after, never a secret
    Column("hash", Key, nullable=False),
    Index("ix_audit_entry_at", "realm", "at", "seq"),
    Index("ix_audit_entry_activity", "realm", "activity", "at", "seq"),
    Index("ix_audit_entry_actor", "realm", "actor", "at", "seq"),
    Index("ix_audit_entry_correlation", "realm", "correlation_id"),
    Index("ix_audit_entry_id", "realm", "id"),
)

# Entries by what was changed.
audit_target = Table(
    "audit_target",
    metadata,
    Column("realm", Key, primary_key=True),
    Column("target_id", Key, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("seq", Number, primary_key=True),
    Index("ix_audit_target_seq", "realm", "seq"),
)

# Messages to people and webhooks, kept after they have left.
mail = Table(
    "mail",
    metadata,
    Column("id", Key, primary_key=True),
    Column("realm", Key, nullable=False),
    Column("channel", Key, nullable=False),  # mail | webhook
    Column("key", Key, nullable=False),  # what it is about: written once
    Column("kind", Key, nullable=False),
    Column("recipient", Key, nullable=False),
    Column("subject", Document, nullable=False),
    Column("text", Document, nullable=False),
    Column("facts", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("state", Key, nullable=False),  # waiting | sent | folder | given up
    Column("attempts", Number, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("claimed_until", Moment, nullable=False),
    Column("answer", Document),
    Column("sent_at", Moment),
    UniqueConstraint("key", "channel", "recipient"),
    Index("ix_mail_due", "state", "next_at"),
    Index("ix_mail_realm", "realm", "created_at", "id"),
)

# How far a tenant's feed has been cut off: entries up to here are gone.
feed_floor = Table(
    "feed_floor",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("seq", Number, nullable=False),
)

# What targets refuse although their capability profiles say that they take it.
target_learnt = Table(
    "target_learnt",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("capability", Key, primary_key=True),
    Column("value", Key, primary_key=True),
    Column("detail", Document, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("times", Number, nullable=False),
)
