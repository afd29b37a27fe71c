"""What the Graph face needs, built by ``provisor.app``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from provisor.applications.registrations.service import Registrations
from provisor.clock import Clock
from provisor.directory.extensions.service import Extensions
from provisor.directory.links.service import Links
from provisor.directory.searching.service import Search
from provisor.directory.service import Directory
from provisor.directory.tracking.service import Tracking
from provisor.security.actor import Actor
from provisor.security.secrets import Sealer
from provisor.signin.model import Caller

if TYPE_CHECKING:
    from provisor.app.services import AppServices


class Authenticator(Protocol):
    """Who a bearer token speaks for: ``signin.service.Authority``, a twin in tests."""

    async def authenticate(self, token: str) -> Caller:
        """Raises a ``ProvisorError`` for a token that is not valid (any more)."""


class Passwords(Protocol):
    """The passwords of a tenant's people."""

    def check(self, password: str, login: str) -> None:
        """Raises ``InvalidInput`` for one that ``login`` may not have."""

    async def give(self, actor: Actor, tenant_id: str, user_id: str, password: str) -> None:
        """Set somebody's password."""


@dataclass(frozen=True, slots=True)
class GraphServices:
    """``public_url``: where the world sees this server; null: what each request names. ``max_body`` in bytes.

    ``apps``: applications, provisioning and the logs; null where only the directory is served.
    """

    directory: Directory
    search: Search
    links: Links
    tracking: Tracking
    extensions: Extensions
    registrations: Registrations
    authenticator: Authenticator
    passwords: Passwords
    sealer: Sealer
    clock: Clock
    apps: AppServices | None = None
    public_url: str | None = None
    max_body: int = 4 * 1024 * 1024
