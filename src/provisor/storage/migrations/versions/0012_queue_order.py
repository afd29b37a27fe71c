"""Two indices that hold all that is asked by: the next objects of a large queue are read and not sorted, and people who
are gone are found by their names and not among all links (SQLite preferred the index of target ids)."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_pending_due", table_name="pending")
    op.create_index("ix_pending_due", "pending", ["job_id", "stage", "object_type", "due_at", "source_id"])
    op.drop_index("ix_link_name", table_name="link")
    op.create_index("ix_link_name", "link", ["job_id", "object_type", "name_key"])
