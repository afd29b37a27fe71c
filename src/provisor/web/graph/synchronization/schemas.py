"""Graph face, ``…/jobs/{id}/schema``: mappings, filters and directories; expressions are tried here too."""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING, Any

from provisor.applications.model import Job, ServicePrincipal
from provisor.applications.synchronization.documents import directory
from provisor.applications.synchronization.expressions import parse_expression
from provisor.expressions.values import Context
from provisor.security.actor import operator
from provisor.web.graph.answers import Listing, document, entity, no_content, number, selected, with_links
from provisor.web.graph.applications.finding import only, text
from provisor.web.graph.errors import BadRequest, ResourceNotFound
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens, context
from provisor.web.graph.routing import ENTITY, PLAIN_LIST, Operation
from provisor.web.graph.synchronization import views
from provisor.web.graph.synchronization.configurations import READ, WRITE, Find
from provisor.web.graph.synchronization.types import DIRECTORY, SCHEMA

if TYPE_CHECKING:
    from provisor.app.services import AppServices


class Schemas:
    """The handlers below one kind of object; each calls one service function."""

    def __init__(self, apps: AppServices, find: Find, tokens: Tokens) -> None:
        self._apps = apps
        self._find = find
        self._tokens = tokens

    def operations(self, one: str) -> list[Operation]:
        """``one``: the object's path, such as ``/servicePrincipals/{sp|appId}``."""
        base = f"{one}/synchronization/jobs/{{job}}/schema"
        directory_ = f"{base}/directories/{{directory}}"
        return [
            Operation("GET", base, self.read, READ, ENTITY, summary="The synchronization schema."),
            Operation("PUT", base, self.replace, WRITE, summary="Replace it; the next cycle is an initial one."),
            Operation("PATCH", base, self.replace, WRITE),
            Operation("DELETE", base, self.restore, WRITE, summary="Back to the template's schema."),
            Operation("GET", f"{base}/directories", self.directories, READ, PLAIN_LIST, kind=DIRECTORY.name),
            Operation("GET", f"{base}/directories/$count", self.count, READ),
            Operation("GET", directory_, self.directory, READ, ENTITY, kind=DIRECTORY.name),
            Operation("POST", f"{directory_}/discover", self.discover, WRITE, summary="Ask the target's /Schemas."),
            Operation("POST", f"{base}/parseExpression", self.parse, READ, summary="Read, and try, an expression."),
            Operation("GET", f"{base}/filterOperators", self.operators, READ),
            Operation("GET", f"{base}/functions", self.functions, READ),
        ]

    async def read(self, request: Request) -> Answer:
        """The whole schema, its directories within, also when they are not expanded."""
        sp, job = await self._job(request)
        found = await self._apps.synchronization.schema(request.actor, sp, job.id)
        options = request.options(SCHEMA)
        shown = with_links(found, options, SCHEMA, "directories")
        rest = {} if options.select else {name: found[name] for name in found if name not in shown}
        return entity(request, _of(sp, job), {**shown, **rest}, options)

    async def replace(self, request: Request) -> Answer:
        """204."""
        sp, job = await self._job(request)
        await self._apps.synchronization.set_schema(request.actor, sp, job.id, request.json())
        return no_content()

    async def restore(self, request: Request) -> Answer:
        """204."""
        sp, job = await self._job(request)
        await self._apps.synchronization.restore_schema(request.actor, sp, job.id)
        return no_content()

    async def directories(self, request: Request) -> Answer:
        """Both ends."""
        sp, job = await self._job(request)
        value = job.schema.document.get("directories") or []
        return Listing(request, f"{_of(sp, job)}/directories", DIRECTORY, self._tokens).answer(value)

    async def count(self, request: Request) -> Answer:
        """How many there are."""
        _, job = await self._job(request)
        return number(len(job.schema.document.get("directories") or []))

    async def directory(self, request: Request) -> Answer:
        """One end, by its id or its name."""
        sp, job = await self._job(request)
        ref = request.params["directory"]
        found = directory(job.schema.document, ref)
        if found is None:
            raise ResourceNotFound(f"The schema of {job.display_name} has no directory '{ref[:200]}'.")
        options = request.options(DIRECTORY)
        return entity(request, f"{_of(sp, job)}/directories", selected(found, options, DIRECTORY), options)

    async def discover(self, request: Request) -> Answer:
        """200 with the directory afterwards."""
        sp, job = await self._job(request)
        found = await self._apps.discovery.discover(request.actor, job, request.params["directory"])
        return document({"@odata.context": context(request, f"{_of(sp, job)}/directories", entity=True), **found})

    async def parse(self, request: Request) -> Answer:
        """200, also when the expression cannot be read."""
        (_, job), body = await self._job(request), request.json()
        only(body, "expression", "testInputObject", "targetAttributeDefinition")
        tenant = await self._apps.directory.find_tenant(operator(), job.tenant_id)
        world = Context(
            now_ms=self._apps.clock.now_ms,
            random=random.SystemRandom(),
            uuid=lambda: str(uuid.uuid4()),
            default_domain=tenant.domain,
            is_taken=lambda value: False,
        )
        found = parse_expression(text(body, "expression"), _attributes(body.get("testInputObject")), world)
        where = context(request, "microsoft.graph.parseExpressionResponse")
        return document({"@odata.context": where, **views.parsed(found)})

    async def operators(self, request: Request) -> Answer:
        """What scoping filters can compare with."""
        await self._job(request)
        where = context(request, "Collection(microsoft.graph.filterOperatorSchema)")
        return document({"@odata.context": where, "value": views.filter_operators()})

    async def functions(self, request: Request) -> Answer:
        """What expressions can call."""
        await self._job(request)
        where = context(request, "Collection(microsoft.graph.attributeMappingFunctionSchema)")
        return document({"@odata.context": where, "value": views.functions()})

    async def _job(self, request: Request) -> tuple[ServicePrincipal, Job]:
        sp = await self._find(request)
        return sp, await self._apps.synchronization.job(request.actor, sp, request.params["job"])


def _of(sp: ServicePrincipal, job: Job) -> str:
    return f"servicePrincipals('{sp.id}')/synchronization/jobs('{job.id}')/schema"


def _attributes(given: object) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise BadRequest("'testInputObject' is an object with 'properties'.")
    only(given, "definition", "properties")
    properties = given.get("properties") or []
    if not isinstance(properties, list):
        raise BadRequest("'properties' is a list of objects with 'key' and 'value'.")
    found: dict[str, Any] = {}
    for one in properties:
        if not isinstance(one, dict):
            raise BadRequest("'properties' is a list of objects with 'key' and 'value'.")
        only(one, "key", "value")
        value = one.get("value")
        several = value if isinstance(value, list) else [value]
        if not all(part is None or isinstance(part, (str, bool, int, float)) for part in several):
            raise BadRequest(f"The value of {text(one, 'key')[:100]!r} is neither a plain value nor a list of them.")
        found[text(one, "key")] = value
    return found
