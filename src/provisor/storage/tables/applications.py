"""Tables of the identity side's applications: registrations, service principals, roles, assignments, consent, jobs."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint

from provisor.storage.tables.types import Document, Flag, Key, Moment, Number, metadata

# The definition of an application, in the tenant of who makes it. Its instances are service principals.
application = Table(
    "application",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("app_id", Key, nullable=False, unique=True),
    Column("template_id", Key, nullable=False),  # empty: of no gallery app
    Column("display_name", Key, nullable=False),
    Column("sign_in_audience", Key, nullable=False),
    # applications.registrations.properties.ApplicationProperties
    Column("properties", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
)

service_principal = Table(
    "service_principal",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("app_id", Key, nullable=False),
    Column("template_id", Key, nullable=False),  # empty: of no gallery app
    Column("display_name", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    # The tenant whose application it is an instance of; empty: its own.
    Column("owner_tenant_id", Key, nullable=False, server_default=""),
    # applications.registrations.properties.ServicePrincipalProperties
    Column("properties", Document, nullable=False, server_default="{}"),
    UniqueConstraint("tenant_id", "app_id"),
)

# Who may manage an application or a service principal without a directory role.
application_owner = Table(
    "application_owner",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("object_id", Key, primary_key=True),
    Column("owner_id", Key, primary_key=True),
    Column("owner_type", Key, nullable=False),  # User | ServicePrincipal
    Column("created_at", Moment, nullable=False),
    Index("ix_application_owner_owner", "tenant_id", "owner_id", "object_id"),
)

# Client secrets of applications and of service principals, as an HMAC.
password_credential = Table(
    "password_credential",
    metadata,
    Column("key_id", Key, primary_key=True),
    Column("tenant_id", Key, nullable=False),
    Column("object_id", Key, nullable=False),
    Column("app_id", Key, nullable=False),
    Column("display_name", Key),
    Column("hint", Key, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Column("start_at", Moment, nullable=False),
    Column("end_at", Moment, nullable=False),
    Index("ix_password_credential_app", "app_id"),
    Index("ix_password_credential_object", "object_id"),
)

# Delegated permissions that were consented to: Graph's oauth2PermissionGrant.
permission_grant = Table(
    "permission_grant",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("client_id", Key, nullable=False),  # the service principal that asks
    Column("resource_id", Key, nullable=False),  # the service principal that is asked
    Column("principal_id", Key, nullable=False),  # empty: for everybody in the tenant
    Column("scope", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("tenant_id", "client_id", "resource_id", "principal_id"),
)

app_role = Table(
    "app_role",
    metadata,
    Column("service_principal_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("value", Key),
    Column("display_name", Key, nullable=False),
    Column("enabled", Flag, nullable=False),
    Column("description", Key),
    Column("member_types", Key, nullable=False, server_default='["User"]'),  # of User, Application: a JSON array
)

assignment = Table(
    "assignment",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("id", Key, primary_key=True),
    Column("service_principal_id", Key, nullable=False),
    Column("principal_id", Key, nullable=False),
    Column("principal_type", Key, nullable=False),  # User | Group | ServicePrincipal
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
