"""Graph face, ``…/synchronization``: templates, credentials (``secrets``, beta's ``connectivityParameters``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from provisor.applications.model import ServicePrincipal
from provisor.applications.service import job_id_of
from provisor.web.graph.answers import Listing, document, entity, no_content, number, with_links
from provisor.web.graph.applications.finding import only, text
from provisor.web.graph.errors import BadRequest
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens, context
from provisor.web.graph.routing import ENTITY, Operation
from provisor.web.graph.routing import PLAIN_LIST as _PLAIN
from provisor.web.graph.synchronization import views
from provisor.web.graph.synchronization.types import SCHEMA, TEMPLATE

if TYPE_CHECKING:
    from provisor.app.services import AppServices

Find = Callable[[Request], Awaitable[ServicePrincipal]]
Pairs = list[tuple[str, str]]
_LIST = _PLAIN | {"$expand"}
READ, WRITE = "synchronization.read", "synchronization.write"
_COLLECTION = "Collection(microsoft.graph.synchronizationSecretKeyStringValuePair)"
# The names of beta's connectivityParameters -> the keys of credentials.
_PARAMETERS = {
    "authenticationtype": "AuthenticationType",
    "baseaddress": "BaseAddress",
    "secrettoken": "SecretToken",
    "oauth2clientid": "Oauth2ClientId",
    "oauth2clientsecret": "Oauth2ClientSecret",
    "oauth2tokenexchangeuri": "Oauth2TokenExchangeUri",
}
_STATIC, _OAUTH = "AuthenticationToken", "OAuth2ClientCredentialsGrant"
_NEEDED = {
    _STATIC: ("SecretToken",),
    _OAUTH: ("Oauth2ClientId", "Oauth2ClientSecret", "Oauth2TokenExchangeUri"),
}


class Configurations:
    """The handlers below one kind of object; each calls one service function."""

    def __init__(self, apps: AppServices, find: Find, tokens: Tokens) -> None:
        self._apps = apps
        self._find = find
        self._tokens = tokens

    def operations(self, one: str) -> list[Operation]:
        """``one``: the object's path, such as ``/servicePrincipals/{sp|appId}``."""
        base = f"{one}/synchronization"
        template = f"{base}/templates/{{template}}"
        beta = f"{base}/connectivityParameters"
        return [
            Operation("GET", base, self.read, READ, summary="The provisioning configuration."),
            Operation("GET", f"{base}/secrets", self.secrets, READ, summary="Credentials, without what is secret."),
            Operation("PUT", f"{base}/secrets", self.replace_secrets, WRITE, summary="Replace the credentials."),
            Operation("PATCH", f"{base}/secrets", self.add_secrets, WRITE, summary="Change some credentials."),
            Operation("GET", f"{base}/secrets/$count", self.count_secrets, READ),
            Operation("GET", f"{base}/templates", self.templates, READ, _LIST, kind=TEMPLATE.name),
            Operation("GET", f"{base}/templates/$count", self.count_templates, READ),
            Operation("GET", template, self.template, READ, ENTITY, kind=TEMPLATE.name),
            Operation("GET", f"{template}/schema", self.template_schema, READ, ENTITY),
            Operation("POST", f"{base}/acquireAccessToken", self.acquire_access_token, WRITE),
            Operation("GET", beta, self.parameters, READ, versions=("beta",)),
            Operation("PATCH", beta, self.set_parameters, WRITE, versions=("beta",)),
        ]

    async def read(self, request: Request) -> Answer:
        """The ``synchronization`` itself."""
        sp = await self._find(request)
        found = await self._apps.synchronization.secrets(request.actor, sp)
        where = context(request, f"servicePrincipals('{sp.id}')/synchronization", entity=True)
        return document({"@odata.context": where, "id": sp.id, "secrets": _pairs(found)})

    async def secrets(self, request: Request) -> Answer:
        """Every key; ``*`` stands for what is secret."""
        found = await self._apps.synchronization.secrets(request.actor, await self._find(request))
        return document({"@odata.context": context(request, _COLLECTION), "value": _pairs(found)})

    async def count_secrets(self, request: Request) -> Answer:
        """How many keys there are."""
        return number(len(await self._apps.synchronization.secrets(request.actor, await self._find(request))))

    async def replace_secrets(self, request: Request) -> Answer:
        """204."""
        return await self._set(request, replace=True)

    async def add_secrets(self, request: Request) -> Answer:
        """204; what is not named stays."""
        return await self._set(request, replace=False)

    async def templates(self, request: Request) -> Answer:
        """What a job can be made of."""
        sp = await self._find(request)
        found = self._apps.synchronization.templates(request.actor, sp)
        value = [views.template(one, default=at == 0, job_id=job_id_of(sp, one.id)) for at, one in enumerate(found)]
        return Listing(request, self._of(sp, "templates"), TEMPLATE, self._tokens, in_place=("schema",)).answer(value)

    async def count_templates(self, request: Request) -> Answer:
        """How many there are."""
        return number(len(self._apps.synchronization.templates(request.actor, await self._find(request))))

    async def template(self, request: Request) -> Answer:
        """One template, its schema within."""
        sp = await self._find(request)
        one = self._apps.synchronization.template(request.actor, sp, request.params["template"])
        first = self._apps.synchronization.templates(request.actor, sp)[0]
        found = views.template(one, default=one.id == first.id, job_id=job_id_of(sp, one.id))
        options = request.options(TEMPLATE)
        shown = with_links(found, options, TEMPLATE, "schema")
        return entity(request, self._of(sp, "templates"), shown, options)

    async def template_schema(self, request: Request) -> Answer:
        """The schema that a new job has."""
        sp = await self._find(request)
        one = self._apps.synchronization.template(request.actor, sp, request.params["template"])
        options = request.options(SCHEMA)
        shown = with_links(one.default_schema(job_id_of(sp, one.id)), options, SCHEMA, "directories")
        return entity(request, self._of(sp, f"templates('{one.id}')/schema"), shown, options)

    async def acquire_access_token(self, request: Request) -> Answer:
        """204: the target's authority gives a token for these credentials, and they are stored."""
        sp, body = await self._find(request), request.json()
        only(body, "credentials")
        pairs = read_pairs(body.get("credentials"), "credentials")
        await self._apps.credential_checks.acquire(request.actor, sp, pairs)
        return no_content()

    async def parameters(self, request: Request) -> Answer:
        """Beta: how the target is reached, as a list of keys and values."""
        found = dict(await self._apps.synchronization.secrets(request.actor, await self._find(request)))
        found.setdefault("AuthenticationType", _STATIC)
        value = [
            {"key": _camel(key), "name": _camel(key), "value": found[key]}
            for key in _PARAMETERS.values()
            if key in found
        ]
        return document({"@odata.context": context(request, "connectivityParameters"), "value": value})

    async def set_parameters(self, request: Request) -> Answer:
        """Beta, 204: a fixed token, or client credentials; the two are never mixed."""
        body = request.json()
        only(body, *_PARAMETER_NAMES)
        given = {_PARAMETERS[name.lower()]: text(body, name) for name in body if name.lower() in _PARAMETERS}
        where = text(body, "credentialLocationInRequest", required=False) or "Header"
        if where.casefold() != "header":
            raise BadRequest("'credentialLocationInRequest' can be Header only: client id and secret as HTTP Basic.")
        asked = given.pop("AuthenticationType", _STATIC)
        kind = next((one for one in _NEEDED if one.casefold() == asked.casefold()), None)
        if kind is None:
            raise BadRequest(f"'authenticationType' is {' or '.join(_NEEDED)}, not {asked[:100]!r}.")
        others = [name for one, names in _NEEDED.items() if one != kind for name in names]
        if mixed := [name for name in others if name in given]:
            raise BadRequest(f"'{_camel(mixed[0])}' does not go with the authentication type {kind}.")
        if missing := [name for name in ("BaseAddress", *_NEEDED[kind]) if name not in given]:
            message = f"A value is required for '{_camel(missing[0])}'."
            raise BadRequest(message, code="RequestMissingRequiredParameter")
        pairs = [("AuthenticationType", kind), *given.items(), *((name, "") for name in others)]
        await self._apps.synchronization.set_secrets(request.actor, await self._find(request), pairs, replace=False)
        return no_content()

    async def _set(self, request: Request, *, replace: bool) -> Answer:
        sp, body = await self._find(request), request.json()
        only(body, "value", "credentials")
        pairs = read_pairs(body.get("value", body.get("credentials")), "value")
        await self._apps.synchronization.set_secrets(request.actor, sp, pairs, replace=replace)
        return no_content()

    def _of(self, sp: ServicePrincipal, what: str) -> str:
        return f"servicePrincipals('{sp.id}')/synchronization/{what}"


_PARAMETER_NAMES = (
    "authenticationType",
    "baseAddress",
    "secretToken",
    "oauth2ClientId",
    "oauth2ClientSecret",
    "oauth2TokenExchangeUri",
    "credentialLocationInRequest",
)


def read_pairs(given: Any, name: str) -> Pairs:
    """A list of ``{key, value}``. Raises ``BadRequest``."""
    if not isinstance(given, list):
        raise BadRequest(f"'{name}' is a list of objects with 'key' and 'value'.")
    pairs: Pairs = []
    for one in given:
        if not isinstance(one, dict):
            raise BadRequest(f"'{name}' is a list of objects with 'key' and 'value'.")
        only(one, "key", "value")
        pairs.append((text(one, "key"), text(one, "value", required=False)))
    return pairs


def _camel(key: str) -> str:
    return key[0].lower() + key[1:]


def _pairs(found: Pairs) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in found]
