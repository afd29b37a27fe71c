"""Tables of the identity side's applications: service principals, roles, assignments, jobs and their secrets."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint

from provisor.storage.tables.types import Document, Flag, Key, Moment, Number, metadata

service_principal = Table(
    "service_principal",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("app_id", Key, nullable=False, unique=True),
    Column("template_id", Key, nullable=False),
    Column("display_name", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("tenant_id", "display_name"),
)

app_role = Table(
    "app_role",
    metadata,
    Column("service_principal_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("value", Key),
    Column("display_name", Key, nullable=False),
    Column("enabled", Flag, nullable=False),
)

assignment = Table(
    "assignment",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("service_principal_id", Key, nullable=False),
    Column("principal_id", Key, nullable=False),
    Column("principal_type", Key, nullable=False),  # User | Group
    Column("app_role_id", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("service_principal_id", "principal_id", "app_role_id"),
    Index("ix_assignment_principal", "tenant_id", "principal_id"),
)

synchronization_job = Table(
    "synchronization_job",
    metadata,
    Column("id", Key, primary_key=True),
    Column("tenant_id", Key, nullable=False),
    Column("service_principal_id", Key, nullable=False),
    Column("template_id", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    # The synchronization schema as Graph has it, and a number that every change of it raises.
    Column("schema", Document, nullable=False),
    Column("schema_version", Number, nullable=False),
    # Settings that are not secret: applications.model.JobSettings.
    Column("settings", Document, nullable=False),
    # Raised by every setting that changes who is in scope: everybody is looked at anew.
    Column("scope_version", Number, nullable=False, server_default="0"),
    Index("ix_synchronization_job_sp", "service_principal_id"),
    Index("ix_synchronization_job_tenant", "tenant_id"),
)

# Every schema that a job ever had: who saved it and when. The newest row is the job's own.
schema_version = Table(
    "schema_version",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("version", Number, primary_key=True),
    Column("schema", Document, nullable=False),
    Column("actor", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
)

job_secret = Table(
    "job_secret",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("key", Key, primary_key=True),  # BaseAddress | SecretToken | …
    Column("sealed", LargeBinary, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
