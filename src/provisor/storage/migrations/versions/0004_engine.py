"""What the engine needs beyond the first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))


def upgrade() -> None:
    for table in ("synchronization_job", "cycle"):
        op.add_column(table, sa.Column("scope_version", sa.BigInteger(), nullable=False, server_default="0"))
    for column in (
        _flag("stopped"),
        sa.Column("scope_version", sa.BigInteger(), nullable=True),
        sa.Column("leavers_watermark", sa.BigInteger(), nullable=True),
        sa.Column("credentials", sa.Text(), nullable=True),
        sa.Column("search_proved", KEY, nullable=True),
    ):
        op.add_column("job_state", column)
    op.add_column("link", sa.Column("successor_id", KEY, nullable=True))
    op.add_column("link_member", _flag("doubtful"))
    op.add_column("pending", _flag("gone"))
    op.add_column("pending", _flag("urgent"))
    urgent = sa.text("urgent")
    op.create_index("ix_pending_urgent", "pending", ["job_id", "due_at"], sqlite_where=urgent, postgresql_where=urgent)
    op.add_column("cycle", sa.Column("lane", KEY, nullable=False, server_default="main"))
    op.create_table(
        "flight",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("lane", KEY, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "lane", name=op.f("pk_flight")),
    )
    op.create_table(
        "decision",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("display_name", KEY, nullable=False),
        sa.Column("reason", KEY, nullable=False),
        sa.Column("attribute", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("candidates", sa.Text(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("choice", KEY, nullable=True),
        sa.Column("target_id", KEY, nullable=True),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "source_id", name=op.f("pk_decision")),
    )
    op.create_table(
        "job_window",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("slice", sa.BigInteger(), nullable=False),
        sa.Column("considered", sa.BigInteger(), nullable=False),
        sa.Column("succeeded", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("vanished", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "slice", name=op.f("pk_job_window")),
    )
