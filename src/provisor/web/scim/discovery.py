"""SCIM face, step 2: ``/Schemas``, ``/ResourceTypes``, ``/ServiceProviderConfig``, also singly (RFC 7644 section 4).

They need a key like everything else: which schemas there are is the company's matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from provisor.provider.resources.cursors import LIFE_S
from provisor.provider.resources.searching import DEFAULT_COUNT, MOST_COUNT
from provisor.provider.resources.service import Resources
from provisor.scim.discovery import (
    AuthenticationScheme,
    Features,
    resource_type_documents,
    schema_documents,
    service_provider_config,
)
from provisor.scim.errors import Forbidden, NotFound404
from provisor.scim.messages import list_response
from provisor.web.scim.bulk import MOST_BYTES, MOST_OPERATIONS
from provisor.web.scim.http import Answer, Request

FEATURES = Features(
    authentication=(
        AuthenticationScheme(
            "oauthbearertoken",
            "API key",
            "An API key of the company, in 'Authorization: Bearer <key>'.",
            "https://www.rfc-editor.org/info/rfc6750",
            primary=True,
        ),
        AuthenticationScheme(
            "oauth2",
            "OAuth 2.0 client credentials",
            "An access token of one of the company's OAuth clients, from the token address that belongs to it.",
            "https://www.rfc-editor.org/info/rfc6749",
        ),
    ),
    filter_max_results=MOST_COUNT,
    default_page_size=DEFAULT_COUNT,
    max_page_size=MOST_COUNT,
    bulk_max_operations=MOST_OPERATIONS,
    bulk_max_payload=MOST_BYTES,
    cursor_pagination=True,
    cursor_timeout=LIFE_S,
    sort=True,
    etag=True,
    change_password=True,
)


class Discovery:
    """The three endpoints that describe the others."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def schemas(self, request: Request) -> Answer:
        """All schemas, or one by its URN in any case."""
        return _listed(request, schema_documents(await self._resources.schemas(request.principal), request.base))

    async def resource_types(self, request: Request) -> Answer:
        """All resource types, or one by its name."""
        return _listed(request, resource_type_documents(await self._resources.schemas(request.principal), request.base))

    async def config(self, request: Request) -> Answer:
        """What this server supports."""
        if request.rest:
            raise NotFound404("There is nothing below /ServiceProviderConfig.")
        return Answer(200, msgspec.json.encode(service_provider_config(FEATURES, request.base)))


def _listed(request: Request, documents: Sequence[Mapping[str, Any]]) -> Answer:
    if any(name.lower() == "filter" for name in request.query):
        raise Forbidden("This list takes no filter (RFC 7644, section 4).", hint="Read it whole, or one by its id.")
    if not request.rest:
        return Answer(200, msgspec.json.encode(list_response(documents, total=len(documents))))
    wanted = "/".join(request.rest)
    for found in documents:
        if found["id"].lower() == wanted.lower():
            return Answer(200, msgspec.json.encode(found))
    raise NotFound404(f"There is no {wanted[:200]!r} here.")
