"""Audit log, mail, retention."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Text in the order of its bytes on both engines.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _audit()
    _provisioning_log()
    _mail()
    _learnt()
    for table in ("feed", "pending"):
        op.add_column(table, sa.Column("correlation_id", KEY, nullable=True))
    op.create_table(
        "feed_floor",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_feed_floor")),
    )


def _audit() -> None:
    op.create_table(
        "audit_head",
        sa.Column("realm", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", KEY, nullable=False),
        sa.PrimaryKeyConstraint("realm", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("realm", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("activity", KEY, nullable=False),
        sa.Column("category", KEY, nullable=False),
        sa.Column("actor", KEY, nullable=False),
        sa.Column("result", KEY, nullable=False),
        sa.Column("correlation_id", KEY, nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("hash", KEY, nullable=False),
        sa.PrimaryKeyConstraint("realm", "seq", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["realm", "at", "seq"])
    op.create_index("ix_audit_entry_activity", "audit_entry", ["realm", "activity", "at", "seq"])
    op.create_index("ix_audit_entry_actor", "audit_entry", ["realm", "actor", "at", "seq"])
    op.create_index("ix_audit_entry_correlation", "audit_entry", ["realm", "correlation_id"])
    op.create_index("ix_audit_entry_id", "audit_entry", ["realm", "id"])
    op.create_table(
        "audit_target",
        sa.Column("realm", KEY, nullable=False),
        sa.Column("target_id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("realm", "target_id", "at", "seq", name=op.f("pk_audit_target")),
    )
    op.create_index("ix_audit_target_seq", "audit_target", ["realm", "seq"])


def _provisioning_log() -> None:
    # What the indices below answer as well.
    op.drop_index("ix_provisioning_log_source", "provisioning_log")
    op.add_column("provisioning_log", sa.Column("target_id", KEY, nullable=True))
    op.add_column("provisioning_log", sa.Column("source_name", KEY, nullable=False, server_default=""))
    for name, columns in (
        ("time", ["tenant_id", "at", "id", "source_name"]),
        ("job_time", ["job_id", "at", "id"]),
        ("source_time", ["source_id", "at", "id"]),
        ("target_time", ["target_id", "at", "id"]),
        ("cycle_time", ["cycle_id", "at", "id"]),
        ("error_time", ["tenant_id", "error_code", "at", "id"]),
        ("action_time", ["tenant_id", "action", "at", "id"]),
        ("status_time", ["tenant_id", "status", "at", "id"]),
        ("change", ["change_id"]),
    ):
        op.create_index(f"ix_provisioning_log_{name}", "provisioning_log", columns)


def _mail() -> None:
    op.create_table(
        "mail",
        sa.Column("id", KEY, nullable=False),
        sa.Column("realm", KEY, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("recipient", KEY, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("key", "channel", "recipient", name=op.f("uq_mail_key_channel_recipient")),
    )
    op.create_index("ix_mail_due", "mail", ["state", "next_at"])
    op.create_index("ix_mail_realm", "mail", ["realm", "created_at", "id"])


def _learnt() -> None:
    op.create_table(
        "target_learnt",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("capability", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "capability", "value", name=op.f("pk_target_learnt")),
    )
