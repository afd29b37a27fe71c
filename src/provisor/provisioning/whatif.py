"""Steps scoping and processing as a what-if: what a job's filter and mappings make of one user. Nothing is sent."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from provisor.applications.model import DEFAULT_ACCESS, Assignment, Job
from provisor.applications.schema import AttributeMapping
from provisor.applications.scoping import MEMBER_OF, ScopeVerdict, evaluate
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.directory.attributes import source_values
from provisor.directory.model import User
from provisor.directory.service import Directory
from provisor.expressions.compile import Step
from provisor.expressions.errors import EvaluationError
from provisor.expressions.values import Context, Result
from provisor.provisioning.entitlement import Grounds, decide
from provisor.provisioning.mapping import APP_ROLES, SOFT_DELETED, Get, role_values, with_computed
from provisor.provisioning.model import Entitlement, Source
from provisor.security.actor import Actor


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One mapping's value as the log would show it (``NO_FLOW``: left out), or why there is none.

    ``steps``: of a function, every sub-expression that was evaluated, in order, itself last.
    """

    mapping: AttributeMapping
    value: Result
    error: str | None
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one user: the scope's verdict clause by clause, the entitlement, and every mapping."""

    user: User
    verdict: ScopeVerdict
    entitlement: Entitlement
    soft_deleted: bool
    mappings: Sequence[Evaluated]


class WhatIf:
    """Evaluates a job's schema for somebody. What would be asked of the target is answered as if nobody were there."""

    def __init__(self, directory: Directory, applications: Applications, clock: Clock) -> None:
        self._directory = directory
        self._applications = applications
        self._clock = clock

    async def user(self, actor: Actor, job: Job, ref: str) -> Answer:
        """One user, by id, user principal name or display name. Raises ``NotFound``, ``EvaluationError`` for a filter
        that takes too long."""
        user = await self._directory.find_user(actor, job.tenant_id, ref)
        assignments = (await self._applications.entitled(actor, job, [user.id])).get(user.id, [])
        groups = (await self._directory.groups_of(actor, job.tenant_id, [user.id])).get(user.id, [])
        roles = await self._roles(actor, job, assignments)
        get = with_computed(source_values(user), {MEMBER_OF: groups, APP_ROLES: roles})
        verdict = evaluate(job.schema.user.scope, get)
        entitlement = _entitlement(job, user, assignments, verdict)
        active = user.account_enabled and user.deleted_at is None
        soft_deleted = not (active and entitlement.in_scope)
        context = Context(
            now_ms=self._clock.now_ms,
            random=random.SystemRandom(),
            uuid=lambda: str(uuid.uuid4()),
            default_domain=await self._domain(actor, job.tenant_id),
            is_taken=lambda value: False,
        )
        known = with_computed(get, {SOFT_DELETED: str(soft_deleted)})
        rows = [_evaluated(row, known, context) for row in job.schema.user.attribute_mappings]
        return Answer(user, verdict, entitlement, soft_deleted, rows)

    async def _roles(self, actor: Actor, job: Job, assignments: Sequence[Assignment]) -> list[dict[str, str]]:
        app = await self._applications.find(actor, job.tenant_id, job.id)
        return role_values(app.service_principal.app_roles, {assignment.app_role_id for assignment in assignments})

    async def _domain(self, actor: Actor, tenant_id: str) -> str:
        return (await self._directory.find_tenant(actor, tenant_id)).domain


def _entitlement(job: Job, user: User, assignments: Sequence[Assignment], verdict: ScopeVerdict) -> Entitlement:
    source = Source(user.id, "User", exists=True)
    details = {str(reason): str(reason.passed) for reason in verdict.reasons}
    return decide(
        source,
        Grounds(
            sync_all=job.settings.sync_all,
            role_ids=[assignment.app_role_id for assignment in assignments],
            default_access_provisioned=job.settings.default_access_provisioned,
            filter_passed=verdict.passed,
            filter_details=msgspec.json.encode(details).decode(),
            default_access=DEFAULT_ACCESS,
        ),
    )


def _evaluated(row: AttributeMapping, get: Get, context: Context) -> Evaluated:
    if row.source_type == "None":
        return Evaluated(row, row.default_value, None, ())
    steps = row.source.explain(get, context) if row.source_type == "Function" else ()
    try:
        value = row.source.evaluate(get, context)
    except EvaluationError as error:
        return Evaluated(row, None, error.message, steps)
    return Evaluated(row, row.source.for_log(value), None, steps)
