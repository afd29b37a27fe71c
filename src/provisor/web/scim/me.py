"""SCIM face, step 2: ``/Me`` (RFC 7644 section 3.11): the user who is the administrator that the API key acts as."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import msgspec

from provisor.provider.resources.service import Resources
from provisor.provider.service import Companies
from provisor.scim.errors import NotFound404, NotImplemented501
from provisor.scim.messages import SearchRequest
from provisor.web.scim.http import Answer, Request
from provisor.web.scim.resources import ResourceEndpoint

Handler = Callable[[Request], Awaitable[Answer]]


class MeEndpoint:
    """``/Me``: everything that ``/Users/<id>`` does, for one's own id."""

    def __init__(self, companies: Companies, resources: Resources, users: ResourceEndpoint) -> None:
        self._companies = companies
        self._resources = resources
        self.methods: Mapping[str, Handler] = {
            "GET": self._as_user(users.get),
            "PUT": self._as_user(users.put),
            "PATCH": self._as_user(users.patch),
            "DELETE": self._as_user(users.delete),
            "POST": self.post,
        }

    async def post(self, request: Request) -> Answer:
        """Registering oneself is not offered: who has a key is there already."""
        raise NotImplemented501("Nobody registers here by /Me.", hint=f"Create users with POST {request.base}/Users.")

    def _as_user(self, handler: Handler) -> Handler:
        async def handle(request: Request) -> Answer:
            if request.rest:
                raise NotFound404("There is nothing below /Me.")
            user_id = await self._user_id(request)
            answer = await handler(replace(request, rest=[user_id]))
            if answer.status == 200:
                answer.headers = [*(answer.headers or ()), (b"location", f"{request.base}/Users/{user_id}".encode())]
            return answer

        return handle

    async def _user_id(self, request: Request) -> str:
        principal = request.principal
        listed = await self._companies.listed_keys(principal.actor, principal.company_id)
        owner = next((one.owner for one in listed if one.key.id == principal.key_id), None)
        if owner is None or owner.is_service_account or owner.name is None:
            raise NotFound404(
                "This credential acts for the company, not for one of its people.",
                hint=f"Use {request.base}/Users/<id>, or a key of an administrator.",
            )
        quoted = msgspec.json.encode(owner.name).decode()
        for text in (f"userName eq {quoted}", f'emails[type eq "work" and value eq {quoted}]'):
            page = await self._resources.search(principal, "User", SearchRequest(filter=text, count=2))
            if page.total == 1:
                return page.resources[0].stored.id
        raise NotFound404(
            f"The key acts as the administrator {owner.name}, and no one user has that userName or work e-mail.",
            hint="Provision that person as a user, or use /Users/<id>.",
        )
