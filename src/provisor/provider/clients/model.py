"""App side, step 0: OAuth 2.0 clients, their secrets and tokens, and what a token request can be refused for.

OAuthError                  an error code of RFC 6749 section 5.2
├── InvalidRequest          invalid_request           400
├── InvalidClient           invalid_client            401
└── UnsupportedGrant        unsupported_grant_type    400
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisor.errors import ProvisorError
from provisor.provider.model import RateLimits, Unauthenticated


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What is known of a secret once its text was shown. Moments in ms UTC; ``expires_at`` null: never."""

    id: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None

    def works(self, now: int) -> bool:
        """Whether tokens are given for it."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A client of a company. ``id`` is the client_id; ``secrets``, oldest first, are all it ever had."""

    id: str
    company_id: str
    name: str
    dialect: str
    created_at: int
    revoked_at: int | None
    last_used_at: int | None
    secrets: Sequence[ClientSecret] = ()


@dataclass(frozen=True, slots=True)
class CheckedClient:
    """A client with one of its secrets, as they are checked."""

    client: OAuthClient
    secret: ClientSecret
    mac: bytes
    limits: RateLimits


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A new token. ``expires_in`` in seconds."""

    text: str
    expires_in: int


class OAuthError(ProvisorError):
    """The token request was refused."""

    code = "invalid_request"
    status = 400


class InvalidRequest(OAuthError):
    """The token request is malformed."""


class InvalidClient(OAuthError):
    """The client is unknown, or its secret is wrong, expired or revoked."""

    code = "invalid_client"
    status = 401


class UnsupportedGrant(OAuthError):
    """Only the grant type client_credentials is supported."""

    code = "unsupported_grant_type"


class BadToken(Unauthenticated):
    """The access token was not issued by this server."""


class ExpiredToken(Unauthenticated):
    """The access token has expired."""


class RevokedToken(Unauthenticated):
    """The access token's client or secret was revoked."""
