"""How many requests at once a target gets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("target_pace", sa.Column("at_once", sa.BigInteger(), nullable=True))
    op.add_column("target_pace", sa.Column("resized_at", sa.BigInteger(), nullable=False, server_default="0"))
