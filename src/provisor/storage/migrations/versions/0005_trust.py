"""Plans, guards and explanations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Text in the order of its bytes on both engines.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "deprovision",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "at", "source_id", name=op.f("pk_deprovision")),
    )
    op.create_table(
        "guard_wave",
        sa.Column("id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("cycle_id", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("rule", KEY, nullable=True),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("linked", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guard_wave")),
    )
    op.create_index("ix_guard_wave_job", "guard_wave", ["job_id", "id"], unique=False)
    op.create_table(
        "held",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("action", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("wave_id", KEY, nullable=True),
        sa.Column("schema_version", sa.BigInteger(), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("target_id", KEY, nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "source_id", name=op.f("pk_held")),
    )
    op.create_index("ix_held_state", "held", ["job_id", "state", "wave_id"], unique=False)
    op.create_table(
        "plan",
        sa.Column("id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("previous_id", KEY, nullable=True),
        sa.Column("counts", sa.Text(), nullable=True),
        sa.Column("comparison", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("approved_by", KEY, nullable=True),
        sa.Column("cycle_id", KEY, nullable=True),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index("ix_plan_job", "plan", ["job_id", "id"], unique=False)
    op.create_table(
        "plan_entry",
        sa.Column("plan_id", KEY, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("action", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("target_id", KEY, nullable=True),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("manager_id", KEY, nullable=True),
        sa.Column("joins", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.BigInteger(), nullable=False),
        sa.Column("reason", KEY, nullable=True),
        sa.Column("source_version", sa.BigInteger(), nullable=True),
        sa.Column("digest", KEY, nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("left_out", KEY, nullable=True),
        sa.PrimaryKeyConstraint("plan_id", "source_id", name=op.f("pk_plan_entry")),
    )
    op.create_index("ix_plan_entry_action", "plan_entry", ["plan_id", "action", "source_id"], unique=False)
    op.create_table(
        "plan_pair",
        sa.Column("plan_id", KEY, nullable=False),
        sa.Column("group_id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.Column("joins", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "group_id", "member_id", name=op.f("pk_plan_pair")),
    )
    op.create_table(
        "plan_target",
        sa.Column("plan_id", KEY, nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("attribute", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("target_id", KEY, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "plan_id", "object_type", "attribute", "value", "target_id", name=op.f("pk_plan_target")
        ),
    )
    op.create_table(
        "recheck",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "source_id", name=op.f("pk_recheck")),
    )
    op.add_column("lease", sa.Column("wanted_by", KEY, nullable=True))
    op.add_column("lease", sa.Column("wanted_until", sa.BigInteger(), nullable=True))
