"""App side, step 0: companies, their administrators, and the API keys that a provisioner calls with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from provisor.errors import Forbidden, ProvisorError
from provisor.security.actor import Actor


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Requests a second that a company may make: with each credential, and with all together. Null: no limit."""

    credential: int | None = None
    company: int | None = None


NO_LIMITS = RateLimits()


@dataclass(frozen=True, slots=True)
class Company:
    """A customer of the app: the realm that owns keys, users and groups. ``created_at`` in ms UTC."""

    id: str
    name: str
    created_at: int
    limits: RateLimits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Administrator:
    """A person of a company. ``email`` is lower-cased; without ``is_admin`` the keys that they made stop working.

    ``disabled_at``: since when SCIM has the user who is this person inactive or deleted, in ms UTC; null: it has not.
    """

    id: str
    company_id: str
    email: str
    is_admin: bool
    created_at: int
    disabled_at: int | None = None

    @property
    def acts(self) -> bool:
        """Whether this person can administer the company now, and keys can act for them."""
        return self.is_admin and self.disabled_at is None


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Nobody in person: whose keys go on when people leave. Names are unique in a company."""

    id: str
    company_id: str
    name: str
    created_at: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key once its text was shown. Moments in ms UTC.

    It belongs to a person (``administrator_id``) or to a service account. ``start`` is the text's first characters.
    """

    id: str
    company_id: str
    administrator_id: str | None
    service_account_id: str | None
    name: str
    start: str
    dialect: str
    created_at: int
    expires_at: int
    revoked_at: int | None
    last_used_at: int | None

    @property
    def expires_on(self) -> str:
        """The last day (UTC) on which the key works, ``2027-12-31``."""
        return f"{datetime.fromtimestamp((self.expires_at - 1) / 1000, UTC):%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a key belongs to. ``name``: an address, or a service account's name; null: gone.

    ``trouble``: why keys cannot act for them now, as the end of a sentence that begins with the name; null: they can.
    """

    name: str | None
    is_service_account: bool
    trouble: str | None


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key with whom it belongs to, and what an administrator should know of it: null, or a sentence."""

    key: ApiKey
    owner: Owner
    warning: str | None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is checked: with its MAC, its owner, and the company's limits."""

    key: ApiKey
    mac: bytes
    owner: Owner
    limits: RateLimits


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a SCIM request comes from. ``key_id`` is the API key's or OAuth client's id; ``dialect`` names the PATCH
    dialect chosen for it.
    """

    company_id: str
    actor: Actor
    key_id: str
    dialect: str
    limits: RateLimits = NO_LIMITS


class Unauthenticated(ProvisorError):
    """The request does not say who it comes from."""


class NoCredential(Unauthenticated):
    """The request has no Authorization header."""


class NotBearer(Unauthenticated):
    """The Authorization header does not use the Bearer scheme."""


class MalformedKey(Unauthenticated):
    """The bearer token is not an API key of this server."""


class UnknownKey(Unauthenticated):
    """There is no such API key."""


class ExpiredKey(Unauthenticated):
    """The API key has expired."""


class RevokedKey(Unauthenticated):
    """The API key was revoked."""


class OwnerNotAdmin(Forbidden):
    """The person who made this API key is no longer an administrator."""


class OwnerGone(Forbidden):
    """The service account of this API key was removed."""
