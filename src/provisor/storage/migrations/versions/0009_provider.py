"""Companies may allow groups of the same name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("company", sa.Column("unique_group_names", sa.Boolean(), server_default=sa.true(), nullable=False))
