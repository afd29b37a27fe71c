"""Webhooks, their wiring: deliveries leave through the same transport as provisioning, under the same rules."""

from __future__ import annotations

from collections.abc import Mapping

from provisor.connector.transport import Request, Transport
from provisor.events.webhooks.model import Reply


class TransportSend:
    """``events.webhooks.model.Send`` on the connector's transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> Reply:
        response = await self._transport.send(Request("POST", url, headers, body, timeout))
        wait = response.headers.get("Retry-After", "")
        return Reply(response.status, int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 10 else None)
