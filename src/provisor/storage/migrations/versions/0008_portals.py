"""The company portal: which credential a resource came with, and which resource a request was about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


# Text in the order of its bytes on both engines.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("resource", sa.Column("source", KEY, nullable=True))
    op.add_column("scim_request", sa.Column("resource_id", KEY, nullable=True))
    op.create_index("ix_scim_request_resource", "scim_request", ["company_id", "resource_id", "id"], unique=False)
