"""Applications apart from their service principals: registrations, owners, secrets, consent, richer roles."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Text in the order of its bytes on both engines.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "application",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("app_id", KEY, nullable=False),
        sa.Column("template_id", KEY, nullable=False),
        sa.Column("display_name", KEY, nullable=False),
        sa.Column("sign_in_audience", KEY, nullable=False),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_application")),
        sa.UniqueConstraint("app_id", name=op.f("uq_application_app_id")),
    )
    op.create_table(
        "application_owner",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("object_id", KEY, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.Column("owner_type", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "object_id", "owner_id", name=op.f("pk_application_owner")),
    )
    columns = ["tenant_id", "owner_id", "object_id"]
    op.create_index("ix_application_owner_owner", "application_owner", columns, unique=False)
    op.create_table(
        "password_credential",
        sa.Column("key_id", KEY, nullable=False),
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("object_id", KEY, nullable=False),
        sa.Column("app_id", KEY, nullable=False),
        sa.Column("display_name", KEY, nullable=True),
        sa.Column("hint", KEY, nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_password_credential")),
    )
    op.create_index("ix_password_credential_app", "password_credential", ["app_id"], unique=False)
    op.create_index("ix_password_credential_object", "password_credential", ["object_id"], unique=False)
    op.create_table(
        "permission_grant",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("client_id", KEY, nullable=False),
        sa.Column("resource_id", KEY, nullable=False),
        sa.Column("principal_id", KEY, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_permission_grant")),
        sa.UniqueConstraint(
            "tenant_id",
            "client_id",
            "resource_id",
            "principal_id",
            name=op.f("uq_permission_grant_tenant_id_client_id_resource_id_principal_id"),
        ),
    )
    op.add_column("app_role", sa.Column("description", KEY, nullable=True))
    op.add_column("app_role", sa.Column("member_types", KEY, nullable=False, server_default='["User"]'))
    with op.batch_alter_table("service_principal") as table:
        table.add_column(sa.Column("owner_tenant_id", KEY, nullable=False, server_default=""))
        table.add_column(sa.Column("properties", sa.Text(), nullable=False, server_default="{}"))
        # A name may come twice, as in Graph; an application has one service principal in each tenant.
        table.drop_constraint(op.f("uq_service_principal_tenant_id_display_name"), type_="unique")
        table.drop_constraint(op.f("uq_service_principal_app_id"), type_="unique")
        table.create_unique_constraint(op.f("uq_service_principal_tenant_id_app_id"), ["tenant_id", "app_id"])
    _register_existing()


def _register_existing() -> None:
    """Every service principal that was there gets the application that it is an instance of."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT tenant_id, app_id, template_id, display_name, created_at FROM service_principal")
    ).all()
    for tenant_id, app_id, template_id, display_name, created_at in rows:
        connection.execute(
            sa.text(
                "INSERT INTO application (tenant_id, id, app_id, template_id, display_name, sign_in_audience,"
                " properties, created_at) VALUES (:tenant_id, :id, :app_id, :template_id, :display_name,"
                " 'AzureADMyOrg', '{}', :created_at)"
            ),
            {
                "tenant_id": tenant_id,
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:provisor:application:{app_id}")),
                "app_id": app_id,
                "template_id": template_id,
                "display_name": display_name,
                "created_at": created_at,
            },
        )
