"""Steps scoping and processing, before a mapping is saved: what an expression gives, and whom a filter lets pass.

Nothing is saved and nothing is sent. The portal's expression builder and scoping filter editor ask this while a person
types; ``whatif.py`` answers for what is saved already.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provisor.applications.model import DEFAULT_ACCESS, Assignment, Job
from provisor.applications.schema_editing import FilterEdit, set_scope, source_attributes
from provisor.applications.schema_reader import read_schema
from provisor.applications.scoping import MEMBER_OF, Scope, ScopeVerdict, evaluate
from provisor.applications.service import Applications
from provisor.clock import Clock
from provisor.directory.attributes import group_source_values, source_values
from provisor.directory.model import Group, User
from provisor.directory.service import Directory
from provisor.errors import InvalidInput
from provisor.expressions.compile import Step
from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.errors import EvaluationError
from provisor.expressions.values import Context, Get, Result
from provisor.provisioning.entitlement import Grounds, decide
from provisor.provisioning.mapping import APP_ROLES, SOFT_DELETED, role_values, with_computed
from provisor.provisioning.model import Kind, Source
from provisor.security.actor import Actor, Right

# How many objects one look at a filter tells by name, of those that pass and of those that do not.
NAMED = 20


@dataclass(frozen=True, slots=True)
class Tried:
    """What an expression gives for one object: the value (``NO_FLOW``: left out) with every step, or why none."""

    name: str
    value: Result
    error: str | None
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Judged:
    """One object and the filter's verdict on it. ``assigned``: it would be in scope if the filter lets it pass."""

    id: str
    name: str
    verdict: ScopeVerdict
    assigned: bool


@dataclass(frozen=True, slots=True)
class ScopePage:
    """A part of the directory under a filter.

    ``looked_at`` live objects, of which ``passed`` the filter, of which ``in_scope`` are assigned as well. ``passing``
    and ``failing`` name at most ``NAMED``. ``after``: where the next part begins, null at the end.
    """

    looked_at: int
    passed: int
    in_scope: int
    passing: Sequence[Judged]
    failing: Sequence[Judged]
    after: str | None


class Tryout:
    """Tries what is not saved. Methods check the actor's rights in the job's tenant."""

    def __init__(self, directory: Directory, applications: Applications, clock: Clock) -> None:
        self._directory = directory
        self._applications = applications
        self._clock = clock

    async def expression(self, actor: Actor, job: Job, kind: Kind, text: str, ref: str) -> Tried:
        """The value of an expression for a user or group. Raises ``ExpressionError``, ``InvalidInput``, ``NotFound``.

        A target that would be asked (``SelectUniqueValue``) is taken for one in which nobody has the value.
        """
        actor.require(Right.SYNCHRONIZATION_READ, job.tenant_id)
        compiled = compile_expression(text)
        known = {one["name"] for one in source_attributes(job.schema.document, kind)}
        if unknown := sorted(compiled.attributes - known):
            raise InvalidInput(f"The directory has no attribute [{unknown[0]}] of a {kind.lower()}.")
        name, get = await self._values(actor, job, kind, ref)
        context = Context(
            now_ms=self._clock.now_ms,
            random=random.SystemRandom(),
            uuid=lambda: str(uuid.uuid4()),
            default_domain=(await self._directory.find_tenant(actor, job.tenant_id)).domain,
            is_taken=lambda value: False,
        )
        steps = compiled.explain(get, context)
        try:
            value = compiled.evaluate(get, context)
        except EvaluationError as error:
            return Tried(name, None, error.message, steps)
        return Tried(name, compiled.for_log(value), None, steps)

    async def scope(
        self, actor: Actor, job: Job, kind: Kind, filters: Sequence[FilterEdit], after: str | None, limit: int
    ) -> ScopePage:
        """What these filters make of the next ``limit`` objects after that id. Raises ``InvalidSchema`` for filters
        that cannot be used, ``EvaluationError`` for a regular expression that takes too long."""
        actor.require(Right.SYNCHRONIZATION_READ, job.tenant_id)
        mapping = read_schema(set_scope(job.schema.document, kind, filters)).mapping(kind)
        scope = mapping.scope if mapping is not None else None
        found: Sequence[User | Group]
        if kind == "User":
            found = await self._directory.users_after(actor, job.tenant_id, after, limit)
        else:
            found = await self._directory.groups_after(actor, job.tenant_id, after, limit)
        live = [one for one in found if one.deleted_at is None]
        judged = await self._judged(actor, job, kind, scope, live)
        passing = [one for one in judged if one.verdict.passed]
        return ScopePage(
            looked_at=len(judged),
            passed=len(passing),
            in_scope=sum(one.assigned for one in passing),
            passing=passing[:NAMED],
            failing=[one for one in judged if not one.verdict.passed][:NAMED],
            after=found[-1].id if len(found) == limit else None,
        )

    async def _judged(
        self, actor: Actor, job: Job, kind: Kind, scope: Scope | None, live: Sequence[User | Group]
    ) -> list[Judged]:
        ids = [one.id for one in live]
        groups: Mapping[str, list[str]] = {}
        if scope is not None and scope.needs_groups:
            groups = await self._directory.groups_of(actor, job.tenant_id, ids)
        entitled = await self._entitled(actor, job, kind, ids)
        judged = []
        for one in live:
            values = source_values(one) if isinstance(one, User) else group_source_values(one)
            verdict = evaluate(scope, with_computed(values, {MEMBER_OF: groups.get(one.id, [])}))
            name = one.user_principal_name if isinstance(one, User) else one.display_name
            judged.append(Judged(one.id, name, verdict, one.id in entitled))
        return judged

    async def _entitled(self, actor: Actor, job: Job, kind: Kind, ids: Sequence[str]) -> set[str]:
        if job.settings.sync_all:
            return set(ids)
        if kind == "Group":
            return await self._applications.assigned_groups(actor, job, ids)
        found = await self._applications.entitled(actor, job, ids)
        return {id_ for id_, assignments in found.items() if _counts(job, id_, assignments)}

    async def _values(self, actor: Actor, job: Job, kind: Kind, ref: str) -> tuple[str, Get]:
        if kind == "Group":
            group = await self._directory.find_group(actor, job.tenant_id, ref)
            return group.display_name, group_source_values(group)
        user = await self._directory.find_user(actor, job.tenant_id, ref)
        assignments = (await self._applications.entitled(actor, job, [user.id])).get(user.id, [])
        app = await self._applications.find(actor, job.tenant_id, job.id)
        roles = role_values(app.service_principal.app_roles, {one.app_role_id for one in assignments})
        entitled = job.settings.sync_all or _counts(job, user.id, assignments)
        groups = (await self._directory.groups_of(actor, job.tenant_id, [user.id])).get(user.id, [])
        get = with_computed(source_values(user), {MEMBER_OF: groups, APP_ROLES: roles})
        passed = evaluate(job.schema.user.scope, get).passed
        active = user.account_enabled and user.deleted_at is None and entitled and passed
        return user.user_principal_name, with_computed(get, {SOFT_DELETED: str(not active)})


def _counts(job: Job, user_id: str, assignments: Sequence[Assignment]) -> bool:
    """Do these assignments entitle the user, leaving the filter aside?"""
    grounds = Grounds(
        sync_all=job.settings.sync_all,
        role_ids=[one.app_role_id for one in assignments],
        default_access_provisioned=job.settings.default_access_provisioned,
        filter_passed=True,
        filter_details="{}",
        default_access=DEFAULT_ACCESS,
    )
    return decide(Source(user_id, "User", exists=True), grounds).in_scope
