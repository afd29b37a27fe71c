"""Graph face, ``…/synchronization/jobs``: made, started, paused, restarted, tested, deleted; provision on demand."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, cast

import msgspec

from provisor.applications.errors import TemplateNotFound
from provisor.applications.model import Job, ServicePrincipal
from provisor.connector.check import ConnectionResult
from provisor.provisioning.model import Kind
from provisor.provisioning.ondemand.document import key_document, value_document
from provisor.web.graph.answers import Listing, document, entity, no_content, number, selected
from provisor.web.graph.applications.finding import only, text
from provisor.web.graph.errors import BadRequest, Detail, Throttled
from provisor.web.graph.http import Answer, Request
from provisor.web.graph.links import Tokens, context
from provisor.web.graph.routing import ENTITY, PLAIN_LIST, Operation
from provisor.web.graph.synchronization import views
from provisor.web.graph.synchronization.configurations import READ, WRITE, Find, read_pairs
from provisor.web.graph.synchronization.types import JOB

if TYPE_CHECKING:
    from provisor.app.services import AppServices

_LIST = PLAIN_LIST | {"$expand"}
_KINDS: dict[str, Kind] = {"user": "User", "group": "Group"}
# Provision on demand: so many calls in so many seconds (reference section 7).
_CALLS, _SECONDS = 5, 10.0
_THRESHOLD = "QuarantineTooManyDeletesThreshold"


class Jobs:
    """The handlers below one kind of object; each calls one service function."""

    def __init__(self, apps: AppServices, find: Find, tokens: Tokens) -> None:
        self._apps = apps
        self._find = find
        self._tokens = tokens
        self._asked: dict[str, deque[float]] = {}

    def operations(self, one: str) -> list[Operation]:
        """``one``: the object's path, such as ``/servicePrincipals/{sp|appId}``."""
        base = f"{one}/synchronization/jobs"
        job = f"{base}/{{job}}"
        connection = f"{job}/objectConnections/{{object}}"
        return [
            Operation("GET", base, self.all, READ, _LIST, summary="Provisioning jobs.", kind=JOB.name),
            Operation("POST", base, self.create, WRITE, summary="A new job of a template.", kind=JOB.name),
            Operation("GET", f"{base}/$count", self.count, READ),
            Operation("POST", f"{base}/validateCredentials", self.validate_before, WRITE),
            Operation("GET", job, self.read, READ, ENTITY, summary="One job with its status.", kind=JOB.name),
            Operation("PATCH", job, self.update, WRITE),
            Operation("DELETE", job, self.delete, WRITE, summary="Stop a job, and forget its state."),
            Operation("POST", f"{job}/start", self.start, WRITE),
            Operation("POST", f"{job}/pause", self.pause, WRITE),
            Operation("POST", f"{job}/stop", self.pause, WRITE),
            Operation("POST", f"{job}/restart", self.restart, WRITE),
            Operation("POST", f"{job}/validateCredentials", self.validate, WRITE),
            Operation("POST", f"{job}/provisionOnDemand", self.provision_on_demand, WRITE),
            Operation("GET", f"{job}/bulkUpload", self.bulk_upload, WRITE),
            Operation("POST", f"{job}/bulkUpload", self.bulk_upload, WRITE),
            Operation("GET", f"{job}/objectConnections", self.connections, READ, versions=("beta",)),
            Operation("GET", connection, self.connection, READ, versions=("beta",)),
            Operation("DELETE", connection, self.forget_connection, WRITE, versions=("beta",)),
        ]

    async def all(self, request: Request) -> Answer:
        """The application's job, in a list."""
        sp = await self._find(request)
        found = await self._apps.synchronization.jobs(request.actor, sp)
        value = [await self._document(request, sp, job) for job in found]
        return Listing(request, _of(sp), JOB, self._tokens).answer(value)

    async def count(self, request: Request) -> Answer:
        """How many there are."""
        return number(len(await self._apps.synchronization.jobs(request.actor, await self._find(request))))

    async def create(self, request: Request) -> Answer:
        """201."""
        sp, body = await self._find(request), request.json()
        only(body, "templateId", "id", "schedule", "status", "synchronizationJobSettings", "schema")
        try:
            job = await self._apps.synchronization.create_job(request.actor, sp, text(body, "templateId"))
        except TemplateNotFound as error:  # it is named in the body, so the address is not what is wrong
            raise BadRequest(str(error)) from error
        return await self._shown(request, sp, job, status=201)

    async def read(self, request: Request) -> Answer:
        """One job with its status."""
        sp, job = await self._job(request)
        return await self._shown(request, sp, job)

    async def update(self, request: Request) -> Answer:
        """200 with the job; its schedule's interval and its settings can be changed."""
        (sp, job), body = await self._job(request), request.json()
        only(body, "id", "templateId", "schedule", "synchronizationJobSettings", "status", "schema", "bulkUpload")
        if body.get("templateId") not in (None, job.template_id):
            raise BadRequest("'templateId' of a job cannot be changed.")
        changes = {**_schedule(body.get("schedule")), **_settings(body.get("synchronizationJobSettings"))}
        if changes:
            job, _ = await self._apps.provisioning.change_settings(request.actor, job.id, changes)
        return await self._shown(request, sp, job)

    async def delete(self, request: Request) -> Answer:
        """204."""
        sp, job = await self._job(request)
        removed = await self._apps.synchronization.delete_job(request.actor, sp, job.id)
        await self._apps.provisioning.forget_jobs(request.actor, removed)
        return no_content()

    async def start(self, request: Request) -> Answer:
        """204, also when it is started already."""
        _, job = await self._job(request)
        await self._apps.provisioning.start(request.actor, job.id)
        return no_content()

    async def pause(self, request: Request) -> Answer:
        """204; a running cycle goes on to its end."""
        _, job = await self._job(request)
        await self._apps.provisioning.pause(request.actor, job.id)
        return no_content()

    async def restart(self, request: Request) -> Answer:
        """204. Without criteria it is the portal's Restart."""
        (_, job), body = await self._job(request), request.json_or_empty()
        only(body, "criteria")
        criteria = body.get("criteria") or {}
        if not isinstance(criteria, dict):
            raise BadRequest("'criteria' is an object.")
        only(criteria, "resetScope")
        scope = criteria.get("resetScope") or ""
        if isinstance(scope, list):
            scope = ", ".join(map(str, scope))
        if not isinstance(scope, str):
            raise BadRequest("'resetScope' is a text, such as 'Full' or 'Watermark, Escrows'.")
        await self._apps.provisioning.restart(request.actor, job.id, scope)
        return no_content()

    async def validate(self, request: Request) -> Answer:
        """204, or 400 with the code of what is wrong."""
        sp, job = await self._job(request)
        return await self._validate(request, sp, job)

    async def validate_before(self, request: Request) -> Answer:
        """The same before there is a job."""
        sp = await self._find(request)
        found = await self._apps.synchronization.jobs(request.actor, sp)
        return await self._validate(request, sp, found[0] if found else None, before=True)

    async def provision_on_demand(self, request: Request) -> Answer:
        """200 with two JSON documents as texts: how it ended, and the whole story."""
        (_, job), body = await self._job(request), request.json()
        kind, subject, members = _subject(job, body)
        self._throttle(job.id)
        done = await self._apps.on_demand.provision(request.actor, job.id, subject, kind=kind, member_ids=members)
        pair = {name: msgspec.json.encode(made).decode() for name, made in _pair(done).items()}
        return document({"@odata.context": context(request, "microsoft.graph.stringKeyStringValuePair"), **pair})

    async def bulk_upload(self, request: Request) -> Answer:
        """An error: nothing is provisioned into this directory."""
        await self._job(request)
        raise BadRequest(
            "bulkUpload is for jobs of API-driven inbound provisioning. This job provisions from the directory into an "
            "application.",
            code="UnsupportedApiOperation",
        )

    async def connections(self, request: Request) -> Answer:
        """Beta: an error, as in Graph; connections are read one by one."""
        await self._job(request)
        raise BadRequest("Connections cannot be listed. Name one: objectConnections('{id of the source object}').")

    async def connection(self, request: Request) -> Answer:
        """Beta: which target object stands for a source object."""
        _, job = await self._job(request)
        found = await self._apps.connections.connection(request.actor, job, request.params["object"])
        where = context(request, "objectConnections", entity=True)
        return document({"@odata.context": where, **views.connection(found)})

    async def forget_connection(self, request: Request) -> Answer:
        """Beta: 204, also when there is none (any more); 409 unless the job is paused."""
        _, job = await self._job(request)
        await self._apps.connections.forget(request.actor, job, request.params["object"])
        return no_content()

    async def _job(self, request: Request) -> tuple[ServicePrincipal, Job]:
        sp = await self._find(request)
        return sp, await self._apps.synchronization.job(request.actor, sp, request.params["job"])

    async def _shown(self, request: Request, sp: ServicePrincipal, job: Job, *, status: int = 200) -> Answer:
        options = request.options(JOB)
        found = await self._document(request, sp, job)
        return entity(request, _of(sp), selected(found, options, JOB), options, status=status)

    async def _document(self, request: Request, sp: ServicePrincipal, job: Job) -> dict[str, Any]:
        found = await self._apps.provisioning.status(request.actor, job.id)
        if request.options(JOB).expand:
            found["schema"] = await self._apps.synchronization.schema(request.actor, sp, job.id)
        return found

    async def _validate(
        self, request: Request, sp: ServicePrincipal, job: Job | None, *, before: bool = False
    ) -> Answer:
        body = request.json_or_empty()
        only(body, "applicationIdentifier", "templateId", "useSavedCredentials", "credentials")
        saved = body.get("useSavedCredentials")
        if saved not in (None, True, False):
            raise BadRequest("'useSavedCredentials' is true or false.")
        # The stored ones are tried too where none are given: the portal's Test Connection on a saved configuration.
        pairs = None if saved or not body.get("credentials") else read_pairs(body["credentials"], "credentials")
        template = text(body, "templateId", required=False)
        if not template:
            template = job.template_id if job else self._apps.synchronization.templates(request.actor, sp)[0].id
        try:
            result = await self._apps.credential_checks.check(request.actor, sp, template, pairs, job)
        except TemplateNotFound as error:
            raise BadRequest(str(error)) from error
        if not result.ok:
            raise _refused(result, before=before)
        return no_content()

    def _throttle(self, job_id: str) -> None:
        now = asyncio.get_running_loop().time()
        asked = self._asked.setdefault(job_id, deque(maxlen=_CALLS))
        if len(asked) == _CALLS and now - asked[0] < _SECONDS:
            wait = max(1, round(_SECONDS - (now - asked[0])))
            message = f"Provision on demand takes {_CALLS} calls in {_SECONDS:.0f} seconds."
            raise Throttled(message, headers={"retry-after": str(wait)})
        asked.append(now)
        if len(self._asked) > 1_000:
            self._asked = {id_: times for id_, times in self._asked.items() if now - times[-1] < _SECONDS}


def _of(sp: ServicePrincipal) -> str:
    return f"servicePrincipals('{sp.id}')/synchronization/jobs"


def _pair(done: Any) -> dict[str, Any]:
    return {"key": key_document(done), "value": value_document(done)}


def _refused(result: ConnectionResult, *, before: bool) -> BadRequest:
    text_ = f"{result.message} {result.hint or ''}".strip()
    details = [Detail(result.code, "credentials", result.cause)]
    return BadRequest(text_, code="CredentialValidationUnavailable" if before else result.code, details=details)


def _schedule(given: object) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadRequest("'schedule' is an object.")
    only(given, "expiration", "interval", "state")
    interval = text(given, "interval", required=False)
    return {"interval": interval} if interval else {}


def _settings(given: object) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, list):
        raise BadRequest("'synchronizationJobSettings' is a list of objects with 'name' and 'value'.")
    changes: dict[str, str] = {}
    for one in given:
        if not isinstance(one, dict):
            raise BadRequest("'synchronizationJobSettings' is a list of objects with 'name' and 'value'.")
        only(one, "name", "value")
        name = text(one, "name")
        if name != _THRESHOLD:
            raise BadRequest(f"There is no job setting {name[:100]!r} that can be changed; there is {_THRESHOLD}.")
        changes["delete-threshold-value"] = text(one, "value")
    return changes


def _subject(job: Job, body: dict[str, Any]) -> tuple[Kind | None, str, list[str] | None]:
    """The one object that is to be provisioned: its kind, its id, and of a group the members that are named."""
    only(body, "parameters")
    [parameters] = _only_one(body.get("parameters"), "parameters")
    only(parameters, "ruleId", "subjects")
    rule = text(parameters, "ruleId").partition("#")[0]
    mappings = {one.rule_id: one for one in (job.schema.user, job.schema.group) if one is not None}
    if rule not in mappings:
        raise BadRequest(f"The schema has no rule {rule[:100]!r}; there are {', '.join(mappings)}.")
    [subject] = _only_one(parameters.get("subjects"), "subjects")
    only(subject, "objectId", "objectTypeName", "links")
    named = text(subject, "objectTypeName", required=False) or mappings[rule].source
    kind = _KINDS.get(named.casefold())
    if kind is None or kind != mappings[rule].source:
        raise BadRequest(f"'objectTypeName' is {mappings[rule].source} for this rule, not {named[:100]!r}.")
    return kind, text(subject, "objectId"), _members(subject.get("links"))


def _members(links: object) -> list[str] | None:
    if links is None:
        return None
    if not isinstance(links, dict):
        raise BadRequest("'links' is an object.")
    only(links, "members", "manager", "owners")
    members = links.get("members")
    if members is None:
        return None
    if not isinstance(members, list) or not all(isinstance(one, dict) for one in members):
        raise BadRequest("'members' is a list of objects with 'objectId'.")
    return [text(cast("dict[str, Any]", one), "objectId") for one in members]


def _only_one(given: object, name: str) -> list[dict[str, Any]]:
    if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0], dict):
        raise BadRequest(f"'{name}' is a list with exactly one object: one is provisioned at a time.")
    return given
