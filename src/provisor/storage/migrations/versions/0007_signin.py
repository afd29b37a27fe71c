"""Signing in: roles, accounts, sessions, links, keys, and what the authority gives out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Text in the order of its bytes on both engines.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_index("ix_administrator_email", "administrator", ["email"], unique=False)
    op.create_table(
        "account",
        sa.Column("kind", KEY, nullable=False),
        sa.Column("realm_id", KEY, nullable=False),
        sa.Column("subject_id", KEY, nullable=False),
        sa.Column("password_hash", KEY, nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=True),
        sa.Column("signed_in_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "realm_id", "subject_id", name=op.f("pk_account")),
    )
    op.create_table(
        "app_token",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_token")),
    )
    op.create_index("ix_app_token_tenant", "app_token", ["tenant_id", "created_at"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("key", KEY, nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempt")),
    )
    op.create_index("ix_attempt_began", "attempt", ["began_at"], unique=False)
    op.create_table(
        "authorization_code",
        sa.Column("hash", KEY, nullable=False),
        sa.Column("grant_id", KEY, nullable=False),
        sa.Column("redirect_uri", KEY, nullable=False),
        sa.Column("nonce", KEY, nullable=True),
        sa.Column("challenge", KEY, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_authorization_code")),
    )
    op.create_index("ix_authorization_code_grant", "authorization_code", ["grant_id"], unique=False)
    op.create_table(
        "directory_role",
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("role", KEY, nullable=False),
        sa.Column("granted_by", KEY, nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "role", name=op.f("pk_directory_role")),
    )
    op.create_table(
        "federated_identity",
        sa.Column("issuer", KEY, nullable=False),
        sa.Column("directory_id", KEY, nullable=False),
        sa.Column("object_id", KEY, nullable=False),
        sa.Column("company_id", KEY, nullable=False),
        sa.Column("administrator_id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "issuer", "directory_id", "object_id", "company_id", name=op.f("pk_federated_identity")
        ),
    )
    op.create_index(
        "ix_federated_identity_person", "federated_identity", ["company_id", "administrator_id"], unique=False
    )
    op.create_table(
        "recovery_code",
        sa.Column("kind", KEY, nullable=False),
        sa.Column("realm_id", KEY, nullable=False),
        sa.Column("subject_id", KEY, nullable=False),
        sa.Column("hash", KEY, nullable=False),
        sa.PrimaryKeyConstraint("kind", "realm_id", "subject_id", "hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "refresh_token",
        sa.Column("hash", KEY, nullable=False),
        sa.Column("grant_id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_refresh_token")),
    )
    op.create_index("ix_refresh_token_grant", "refresh_token", ["grant_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("hash", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("realm_id", KEY, nullable=False),
        sa.Column("subject_id", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("address", KEY, nullable=False),
        sa.Column("user_agent", KEY, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_session")),
    )
    op.create_index("ix_session_person", "session", ["kind", "realm_id", "subject_id"], unique=False)
    op.create_index("ix_session_seen", "session", ["seen_at"], unique=False)
    op.create_table(
        "sign_in_link",
        sa.Column("hash", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("realm_id", KEY, nullable=False),
        sa.Column("subject_id", KEY, nullable=True),
        sa.Column("email", KEY, nullable=True),
        sa.Column("created_by", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sign_in_link")),
    )
    op.create_index("ix_sign_in_link_person", "sign_in_link", ["kind", "realm_id", "subject_id"], unique=False)
    op.create_table(
        "signing_key",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_key")),
    )
    op.create_index("ix_signing_key_tenant", "signing_key", ["tenant_id", "created_at"], unique=False)
    op.create_table(
        "token_grant",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("client_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("scope", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token_grant")),
    )
    op.create_index("ix_token_grant_expires", "token_grant", ["expires_at"], unique=False)
    op.create_index("ix_token_grant_user", "token_grant", ["tenant_id", "user_id"], unique=False)
