"""Tables of signing in: who may, with what, and what was given out for it. Secrets are kept as hashes, or sealed.

``kind``, ``realm_id`` and ``subject_id`` together name a person: a user of a tenant, or an administrator of a company.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table

from provisor.storage.tables.types import Document, Flag, Key, Moment, Number, metadata

# A directory role that a person of a tenant has; its name is one of security/roles.toml.
directory_role = Table(
    "directory_role",
    metadata,
    Column("tenant_id", Key, primary_key=True),
    Column("user_id", Key, primary_key=True),
    Column("role", Key, primary_key=True),
    Column("granted_by", Key, nullable=False),
    Column("granted_at", Moment, nullable=False),
)

# What a person proves who they are with. Without a row, or without a password, only a one-time link lets them in.
account = Table(
    "account",
    metadata,
    Column("kind", Key, primary_key=True),  # tenant | company
    Column("realm_id", Key, primary_key=True),
    Column("subject_id", Key, primary_key=True),
    Column("password_hash", Key),
    # Sessions and tokens from before do not count any more: the password was changed, or everything was signed out.
    Column("not_before", Moment, nullable=False),
    Column("totp_sealed", LargeBinary),
    Column("totp_confirmed_at", Moment),  # null: the secret was shown, but no code of it was seen yet
    Column("totp_step", Number),  # the last step whose code was used: no code works twice
    Column("signed_in_at", Moment),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("kind", Key, primary_key=True),
    Column("realm_id", Key, primary_key=True),
    Column("subject_id", Key, primary_key=True),
    Column("hash", Key, primary_key=True),
)

session = Table(
    "session",
    metadata,
    Column("hash", Key, primary_key=True),  # of the cookie's value
    Column("kind", Key, nullable=False),
    Column("realm_id", Key, nullable=False),
    Column("subject_id", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("address", Key, nullable=False),
    Column("user_agent", Key, nullable=False),
    Index("ix_session_person", "kind", "realm_id", "subject_id"),
    Index("ix_session_seen", "seen_at"),
)

# A link that signs in once: the first sign-in, a lost password, an invitation.
sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("hash", Key, primary_key=True),
    Column("kind", Key, nullable=False),
    Column("realm_id", Key, nullable=False),
    Column("subject_id", Key),  # null of an invitation: who accepts it becomes a person of the company
    Column("email", Key),  # of an invitation: who was meant
    Column("created_by", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index("ix_sign_in_link_person", "kind", "realm_id", "subject_id"),
)

# Wrong guesses at one account or from one address, in the window that began at ``began_at``.
attempt = Table(
    "attempt",
    metadata,
    Column("key", Key, primary_key=True),
    Column("failures", Number, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("locked_until", Moment, nullable=False),
    Index("ix_attempt_began", "began_at"),
)

signing_key = Table(
    "signing_key",
    metadata,
    Column("id", Key, primary_key=True),  # the kid
    Column("tenant_id", Key, nullable=False),
    Column("public", Document, nullable=False),  # a JWK
    Column("sealed", LargeBinary, nullable=False),  # the private key, PKCS #8 in PEM
    Column("created_at", Moment, nullable=False),
    Column("retired_at", Moment),  # since when it signs no more; still published for as long as its tokens live
    Index("ix_signing_key_tenant", "tenant_id", "created_at"),
)

# What one person allowed one client at one sign-in: every code and token that follows from it belongs to it.
token_grant = Table(
    "token_grant",
    metadata,
    Column("id", Key, primary_key=True),
    Column("tenant_id", Key, nullable=False),
    Column("client_id", Key, nullable=False),
    Column("user_id", Key, nullable=False),
    Column("scope", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("public", Flag, nullable=False),  # the client keeps no secret
    Column("revoked_at", Moment),
    Index("ix_token_grant_user", "tenant_id", "user_id"),
    Index("ix_token_grant_expires", "expires_at"),
)

authorization_code = Table(
    "authorization_code",
    metadata,
    Column("hash", Key, primary_key=True),
    Column("grant_id", Key, nullable=False),
    Column("redirect_uri", Key, nullable=False),
    Column("nonce", Key),
    Column("challenge", Key),  # of PKCE, S256
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index("ix_authorization_code_grant", "grant_id"),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("hash", Key, primary_key=True),
    Column("grant_id", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index("ix_refresh_token_grant", "grant_id"),
)

# Tokens that the operator made: each can be revoked by itself.
app_token = Table(
    "app_token",
    metadata,
    Column("id", Key, primary_key=True),  # the jti
    Column("tenant_id", Key, nullable=False),
    Column("created_by", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Index("ix_app_token_tenant", "tenant_id", "created_at"),
)

# An account elsewhere that is a person of a company, by what never changes of it: never by an e-mail address.
federated_identity = Table(
    "federated_identity",
    metadata,
    Column("issuer", Key, primary_key=True),
    Column("directory_id", Key, primary_key=True),  # the tid claim
    Column("object_id", Key, primary_key=True),  # the oid claim
    Column("company_id", Key, primary_key=True),
    Column("administrator_id", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("ix_federated_identity_person", "company_id", "administrator_id"),
)
