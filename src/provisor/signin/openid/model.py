"""The authority, its nouns: what a client asks, what is to be decided, and what is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from provisor.applications.registrations.model import Application
from provisor.signin.openid.redirects import Platform
from provisor.signin.openid.scopes import Wanted

ResponseMode = Literal["query", "fragment", "form_post"]


@dataclass(frozen=True, slots=True)
class TenantRef:
    """Which tenant an address names; ``id`` is null of ``organizations`` and ``common``."""

    ref: str
    id: str | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request whose client and redirect URI are known to belong together. ``challenge``: of PKCE, S256."""

    tenant: TenantRef
    application: Application
    redirect_uri: str
    platform: Platform
    wanted: Wanted
    response_mode: ResponseMode = "query"
    state: str | None = None
    nonce: str | None = None
    challenge: str | None = None
    prompts: frozenset[str] = frozenset()
    login_hint: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that a consent page lists."""

    name: str
    title: str
    text: str
    admin: bool


@dataclass(frozen=True, slots=True)
class Consent:
    """What is to be decided. ``can``: may this person; ``for_all``: may they for the whole organisation.

    ``scopes``: what would be granted. ``roles``: application permissions, by role id, which only an administrator
    grants. ``approvers``: who can, where this person cannot.
    """

    application: Application
    tenant_id: str
    tenant_name: str
    asked: tuple[Asked, ...]
    scopes: tuple[str, ...]
    can: bool
    for_all: bool
    roles: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Granted:
    """What a code, and the tokens that follow from it, may do."""

    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """What one person allowed one client at one sign-in, as it is stored. Moments in ms UTC.

    ``scope``: the resource's app id, then the names. ``public``: the client keeps no secret.
    """

    id: str
    tenant_id: str
    client_id: str
    user_id: str
    scope: str
    created_at: int
    expires_at: int
    public: bool
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, as it is stored."""

    grant: Grant
    redirect_uri: str
    nonce: str | None
    challenge: str | None
    created_at: int
    used_at: int | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """The answer of the token address. ``expires_in`` in seconds. ``origins``: of single-page apps, for CORS."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: str
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    client_info: str | None = None
    origins: tuple[str, ...] = ()
