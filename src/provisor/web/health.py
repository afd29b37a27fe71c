"""Operation: ``/healthz`` (the process answers), ``/readyz`` (so does its database), ``/metrics``."""

from __future__ import annotations

import hmac

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from provisor.errors import ProvisorError
from provisor.web import metrics
from provisor.web.local import is_local
from provisor.web.services import Services


def routes(services: Services) -> list[Route]:
    """The three addresses. ``/metrics`` answers this machine, and who sends the settings' token."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        try:
            await services.ready()
        except ProvisorError as error:
            return JSONResponse({"status": "unavailable", "reason": error.message}, status_code=503)
        return JSONResponse({"status": "ok"})

    async def read_metrics(request: Request) -> Response:
        if not (is_local(request) or _has_token(request, services.settings.metrics_token)):
            return PlainTextResponse("Metrics are for this machine, or for the metrics token.\n", status_code=403)
        return Response(metrics.exposition() + await services.measure(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", read_metrics)]


def _has_token(request: Request, token: str | None) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return token is not None and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode())
