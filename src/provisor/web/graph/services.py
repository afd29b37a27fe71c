"""What the Graph face needs, built by ``provisor.app``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from provisor.clock import Clock
from provisor.directory.service import Directory
from provisor.security.secrets import Sealer
from provisor.signin.model import Caller


class Authenticator(Protocol):
    """Who a bearer token speaks for: ``signin.service.Authority``, a twin in tests."""

    async def authenticate(self, token: str) -> Caller:
        """Raises ``provisor.errors.Forbidden`` or its own error for a token that is not valid (any more)."""


@dataclass(frozen=True, slots=True)
class GraphServices:
    """``public_url``: where the world sees this server; null: what each request names. ``max_body`` in bytes."""

    directory: Directory
    authenticator: Authenticator
    sealer: Sealer
    clock: Clock
    public_url: str | None = None
    max_body: int = 4 * 1024 * 1024
