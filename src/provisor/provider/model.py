"""App side, step 0: companies, their administrators, and the API keys that a provisioner calls with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from provisor.errors import Forbidden, ProvisorError
from provisor.security.actor import Actor


@dataclass(frozen=True, slots=True)
class Company:
    """A customer of the app: the realm that owns keys, users and groups. ``created_at`` in ms UTC."""

    id: str
    name: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Administrator:
    """A person of a company. ``email`` is lower-cased; without ``is_admin`` the keys that they made stop working."""

    id: str
    company_id: str
    email: str
    is_admin: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key once its text was shown. Moments in ms UTC.

    ``administrator_id`` is null for a key of the company's service account; ``start`` is the text's first characters.
    """

    id: str
    company_id: str
    administrator_id: str | None
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
class StoredKey:
    """A key as it is checked: with its MAC, and whether the person behind it (null: nobody) is an administrator."""

    key: ApiKey
    mac: bytes
    owner: str | None
    owner_is_admin: bool | None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a SCIM request comes from. ``dialect`` names the PATCH dialect chosen for the key."""

    company_id: str
    actor: Actor
    key_id: str
    dialect: str


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
