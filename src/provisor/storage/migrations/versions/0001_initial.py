"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Text in the order of its bytes on both engines.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "administrator",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("email", KEY, nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", KEY, nullable=True),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_administrator")),
        sa.UniqueConstraint("company_id", "email", name=op.f("uq_administrator_company_id_email")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", KEY, nullable=False),
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("administrator_id", KEY, nullable=True),
        sa.Column("service_account_id", KEY, nullable=True),
        sa.Column("name", KEY, nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("start", KEY, nullable=False),
        sa.Column("dialect", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
    )
    op.create_index("ix_api_key_company", "api_key", ["company_id", "created_at"], unique=False)
    op.create_table(
        "app_role",
        sa.Column("service_principal_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("value", KEY, nullable=True),
        sa.Column("display_name", KEY, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("service_principal_id", "id", name=op.f("pk_app_role")),
    )
    op.create_table(
        "assignment",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("service_principal_id", KEY, nullable=False),
        sa.Column("principal_id", KEY, nullable=False),
        sa.Column("principal_type", KEY, nullable=False),
        sa.Column("app_role_id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assignment")),
        sa.UniqueConstraint(
            "service_principal_id",
            "principal_id",
            "app_role_id",
            name=op.f("uq_assignment_service_principal_id_principal_id_app_role_id"),
        ),
    )
    op.create_index("ix_assignment_principal", "assignment", ["tenant_id", "principal_id"], unique=False)
    op.create_table(
        "company",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("credential_rate", sa.BigInteger(), nullable=True),
        sa.Column("company_rate", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
        sa.UniqueConstraint("name", name=op.f("uq_company_name")),
    )
    op.create_table(
        "company_schema",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_company_schema")),
    )
    op.create_table(
        "cycle",
        sa.Column("id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("phase", KEY, nullable=False),
        sa.Column("cursor", KEY, nullable=True),
        sa.Column("watermark", sa.BigInteger(), nullable=False),
        sa.Column("schema_version", sa.BigInteger(), nullable=False),
        sa.Column("considered", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle")),
    )
    op.create_index("ix_cycle_job", "cycle", ["job_id", "began_at"], unique=False)
    op.create_table(
        "directory_group",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("display_name", KEY, nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("security_enabled", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_directory_group")),
    )
    op.create_index(
        "ix_directory_group_deleted",
        "directory_group",
        ["tenant_id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index("ix_directory_group_name", "directory_group", ["tenant_id", "name_key"], unique=False)
    op.create_table(
        "directory_user",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("upn_key", KEY, nullable=False),
        sa.Column("display_name", KEY, nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("account_enabled", sa.Boolean(), nullable=False),
        sa.Column("manager_id", KEY, nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_directory_user")),
        sa.UniqueConstraint("tenant_id", "upn_key", name=op.f("uq_directory_user_tenant_id_upn_key")),
    )
    op.create_index(
        "ix_directory_user_deleted",
        "directory_user",
        ["tenant_id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index("ix_directory_user_manager", "directory_user", ["tenant_id", "manager_id"], unique=False)
    op.create_index("ix_directory_user_name", "directory_user", ["tenant_id", "name_key"], unique=False)
    op.create_table(
        "executor",
        sa.Column("id", KEY, nullable=False),
        sa.Column("heartbeat_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executor")),
    )
    op.create_table(
        "feed",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("object_id", KEY, nullable=False),
        sa.Column("related_id", KEY, nullable=True),
        sa.Column("change", KEY, nullable=False),
        sa.Column("actor", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("pk_feed")),
    )
    op.create_table(
        "feed_head",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_feed_head")),
    )
    op.create_table(
        "group_member",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("group_id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.Column("member_type", KEY, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "member_id", name=op.f("pk_group_member")),
    )
    op.create_index("ix_group_member_member", "group_member", ["tenant_id", "member_id", "group_id"], unique=False)
    op.create_table(
        "intent",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("cycle_id", KEY, nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "source_id", name=op.f("pk_intent")),
    )
    op.create_table(
        "job_secret",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "key", name=op.f("pk_job_secret")),
    )
    op.create_table(
        "job_state",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("code", KEY, nullable=False),
        sa.Column("watermark", sa.BigInteger(), nullable=True),
        sa.Column("schema_version", sa.BigInteger(), nullable=True),
        sa.Column("next_run_at", sa.BigInteger(), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("enqueued_until", sa.BigInteger(), nullable=True),
        sa.Column("running_cycle_id", KEY, nullable=True),
        sa.Column("last_cycle_id", KEY, nullable=True),
        sa.Column("quarantine", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_state")),
    )
    op.create_table(
        "lease",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("holder", KEY, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_lease")),
    )
    op.create_table(
        "link",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("target_id", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("acknowledged", sa.Text(), nullable=False),
        sa.Column("display_name", KEY, nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "source_id", name=op.f("pk_link")),
    )
    op.create_index("ix_link_name", "link", ["job_id", "name_key"], unique=False)
    op.create_index("ux_link_target", "link", ["job_id", "object_type", "target_id"], unique=True)
    op.create_table(
        "link_member",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("group_id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "group_id", "member_id", name=op.f("pk_link_member")),
    )
    op.create_index("ix_link_member_member", "link_member", ["job_id", "member_id"], unique=False)
    op.create_table(
        "oauth_client",
        sa.Column("id", KEY, nullable=False),
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("dialect", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_client")),
    )
    op.create_index("ix_oauth_client_company", "oauth_client", ["company_id", "created_at"], unique=False)
    op.create_table(
        "oauth_secret",
        sa.Column("id", KEY, nullable=False),
        sa.Column("client_id", KEY, nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_secret")),
    )
    op.create_index("ix_oauth_secret_client", "oauth_secret", ["client_id", "created_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("resource_type", KEY, nullable=False),
        sa.Column("resource_id", KEY, nullable=False),
        sa.Column("change", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "seq", name=op.f("pk_outbox")),
    )
    op.create_table(
        "outbox_head",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_outbox_head")),
    )
    op.create_table(
        "outcome",
        sa.Column("cycle_id", KEY, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("action", KEY, nullable=False),
        sa.Column("reason", KEY, nullable=True),
        sa.PrimaryKeyConstraint("cycle_id", "source_id", name=op.f("pk_outcome")),
    )
    op.create_index("ix_outcome_cycle", "outcome", ["cycle_id", "object_type", "action"], unique=False)
    op.create_table(
        "pending",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("stage", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("failed_first_at", sa.BigInteger(), nullable=True),
        sa.Column("error_code", KEY, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "source_id", name=op.f("pk_pending")),
    )
    op.create_index("ix_pending_due", "pending", ["job_id", "stage", "object_type", "due_at"], unique=False)
    op.create_index("ix_pending_time", "pending", ["job_id", "due_at"], unique=False)
    op.create_table(
        "pending_member",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("group_id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("failed_first_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "group_id", "member_id", name=op.f("pk_pending_member")),
    )
    op.create_index("ix_pending_member_due", "pending_member", ["job_id", "due_at"], unique=False)
    op.create_table(
        "provisioning_log",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("cycle_id", KEY, nullable=False),
        sa.Column("change_id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("action", KEY, nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("error_code", KEY, nullable=True),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provisioning_log")),
    )
    op.create_index("ix_provisioning_log_job", "provisioning_log", ["job_id", "id"], unique=False)
    op.create_index("ix_provisioning_log_source", "provisioning_log", ["job_id", "source_id", "id"], unique=False)
    op.create_table(
        "resource",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("unique_key", KEY, nullable=True),
        sa.Column("display", KEY, nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "type", "id", name=op.f("pk_resource")),
    )
    op.create_index("ux_resource_unique", "resource", ["company_id", "type", "unique_key"], unique=True)
    op.create_table(
        "resource_attr",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("path", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("resource_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("company_id", "type", "path", "value", "resource_id", name=op.f("pk_resource_attr")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_resource_attr_resource", "resource_attr", ["company_id", "resource_id"], unique=False)
    op.create_table(
        "resource_member",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("group_id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.Column("member_type", KEY, nullable=False),
        sa.PrimaryKeyConstraint("company_id", "group_id", "member_id", name=op.f("pk_resource_member")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_resource_member_member", "resource_member", ["company_id", "member_id", "group_id"], unique=False
    )
    op.create_table(
        "resource_secret",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("resource_id", KEY, nullable=False),
        sa.Column("path", KEY, nullable=False),
        sa.Column("hash", KEY, nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "resource_id", "path", name=op.f("pk_resource_secret")),
    )
    op.create_table(
        "resource_unique",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("path", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("resource_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("company_id", "type", "path", "value", name=op.f("pk_resource_unique")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_resource_unique_resource", "resource_unique", ["company_id", "resource_id"], unique=False)
    op.create_table(
        "schema_version",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("actor", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "version", name=op.f("pk_schema_version")),
    )
    op.create_table(
        "scim_request",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("credential", KEY, nullable=False),
        sa.Column("method", KEY, nullable=False),
        sa.Column("path", KEY, nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("ignored", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_scim_request")),
    )
    op.create_index("ix_scim_request_at", "scim_request", ["at"], unique=False)
    op.create_table(
        "service_account",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_service_account")),
        sa.UniqueConstraint("company_id", "name", name=op.f("uq_service_account_company_id_name")),
    )
    op.create_table(
        "service_principal",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("app_id", KEY, nullable=False),
        sa.Column("template_id", KEY, nullable=False),
        sa.Column("display_name", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_service_principal")),
        sa.UniqueConstraint("app_id", name=op.f("uq_service_principal_app_id")),
        sa.UniqueConstraint("tenant_id", "display_name", name=op.f("uq_service_principal_tenant_id_display_name")),
    )
    op.create_table(
        "setting",
        sa.Column("name", KEY, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "synchronization_job",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("service_principal_id", KEY, nullable=False),
        sa.Column("template_id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("schema_version", sa.BigInteger(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synchronization_job")),
    )
    op.create_index("ix_synchronization_job_sp", "synchronization_job", ["service_principal_id"], unique=False)
    op.create_index("ix_synchronization_job_tenant", "synchronization_job", ["tenant_id"], unique=False)
    op.create_table(
        "tenant",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("domain", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("domain", name=op.f("uq_tenant_domain")),
        sa.UniqueConstraint("name", name=op.f("uq_tenant_name")),
    )
    op.create_table(
        "webhook",
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("url", KEY, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("paused", KEY, nullable=True),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False),
        sa.Column("last_answer", KEY, nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_webhook")),
    )
