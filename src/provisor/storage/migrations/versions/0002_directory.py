"""What the Graph-compatible directory needs: looking people up by mail and the like, owners, extension properties."""

from __future__ import annotations

import json
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Text in the order of its bytes on both engines.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# Column -> the attribute that it is made of.
KEYS = {
    "mail_key": "mail",
    "nickname_key": "mailNickname",
    "employee_id_key": "employeeId",
    "department_key": "department",
}


def upgrade() -> None:
    for column in KEYS:
        op.add_column("directory_user", sa.Column(column, KEY, nullable=True))
    _fill()
    for column in KEYS:
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_directory_user_{column.removesuffix('_key')}",
            "directory_user",
            ["tenant_id", column, "id"],
            sqlite_where=there,
            postgresql_where=there,
        )
    op.create_table(
        "group_owner",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("group_id", KEY, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "owner_id", name=op.f("pk_group_owner")),
    )
    op.create_index("ix_group_owner_owner", "group_owner", ["tenant_id", "owner_id", "group_id"])
    op.create_table(
        "extension_property",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("app_id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("data_type", KEY, nullable=False),
        sa.Column("is_multi_valued", sa.Boolean(), nullable=False),
        sa.Column("target_objects", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_extension_property")),
        sa.UniqueConstraint("tenant_id", "name_key", name=op.f("uq_extension_property_tenant_id_name_key")),
    )
    op.create_index("ix_extension_property_app", "extension_property", ["tenant_id", "app_id"])


def _fill() -> None:
    """The keys of users that are there already."""
    connection = op.get_bind()
    page = sa.text(
        "SELECT tenant_id, id, document FROM directory_user WHERE (tenant_id, id) > (:tenant_id, :id) "
        "ORDER BY tenant_id, id LIMIT 1000"
    )
    sets = ", ".join(f"{column} = :{column}" for column in KEYS)
    save = sa.text(f"UPDATE directory_user SET {sets} WHERE tenant_id = :tenant_id AND id = :id")  # noqa: S608
    tenant_id, id_ = "", ""
    while rows := connection.execute(page, {"tenant_id": tenant_id, "id": id_}).all():
        tenant_id, id_ = rows[-1].tenant_id, rows[-1].id
        connection.execute(save, [_keys(*row) for row in rows])


def _keys(tenant_id: str, id_: str, document: str) -> dict[str, str | None]:
    attributes = json.loads(document)
    keys = {column: _key(attributes.get(attribute)) for column, attribute in KEYS.items()}
    return {"tenant_id": tenant_id, "id": id_, **keys}


def _key(value: str | None) -> str | None:
    return None if value is None else unicodedata.normalize("NFC", value).casefold()
