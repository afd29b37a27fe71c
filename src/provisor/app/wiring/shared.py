"""Start-up: what all parts are made of: the database, the clock, the settings, the keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from provisor.app.settings import Settings
from provisor.clock import Clock
from provisor.security.secrets import MasterKey, Sealer
from provisor.storage.database import Database

if TYPE_CHECKING:
    from provisor.connector.transport import Transport


class Shared:
    """What every part has. ``root``: what peppers are derived from, by default the sealing key."""

    def __init__(
        self,
        database: Database,
        key: MasterKey,
        transport: Callable[[], Transport],
        settings: Settings,
        clock: Clock,
        root: MasterKey | None = None,
    ) -> None:
        self.database = database
        self.settings = settings
        self.clock = clock
        self.key = key
        # It stays when the sealing key is changed.
        self.root = root or key
        # Set by whoever makes work for the worker of this process, which otherwise looks five times a second.
        self.work_waits = asyncio.Event()
        self._make_transport = transport

    async def address(self) -> str:
        """Where the world, or this machine, finds the server of this database."""
        from provisor.app.address import server_address

        return await server_address(self.database, self.settings)

    @property
    def sealer(self) -> Sealer:
        """Seals what leaves the program and comes back, such as the positions of lists."""
        return self._sealer

    @cached_property
    def _sealer(self) -> Sealer:
        return Sealer(self.key)

    @cached_property
    def _transport(self) -> Transport:
        return self._make_transport()
