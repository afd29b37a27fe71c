"""Explanations, step scoping: assignment by assignment, also those that do not count, and clause by clause."""

from __future__ import annotations

from collections.abc import Sequence

from provisor.applications.model import DEFAULT_ACCESS, Assignment
from provisor.applications.scoping import evaluate as evaluate_scope
from provisor.expressions.errors import EvaluationError
from provisor.provisioning.explaining.model import ClauseLine, Ground
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.model import Kind
from provisor.provisioning.notes import Item
from provisor.provisioning.run import Run


async def grounds_of(run: Run, kind: Kind, source_id: str) -> list[Ground]:
    """What speaks for an object, and what looks as if it did."""
    if kind == "Group":
        assigned = await run.applications.assigned_groups(run.actor, run.job, [source_id])
        if assigned:
            return [Ground("assigned itself", source_id, "", counts=True)]
        found = (await run.directory.groups_by_id(run.actor, run.job.tenant_id, [source_id])).get(source_id)
        if found is not None and not found.security_enabled:
            why = "it is no security group"
            return [Ground("itself", source_id, "", counts=False, why=why)]
        return []
    assignments = (await run.applications.entitled(run.actor, run.job, [source_id])).get(source_id, [])
    roles = await _role_names(run, assignments)
    grounds = [_ground(run, source_id, one, roles) for one in assignments]
    if not run.job.settings.nested_groups:
        grounds += await _nested(run, source_id, {ground.principal_id for ground in grounds})
    return grounds


def clauses_of(item: Item, mappings: Mappings) -> tuple[bool, list[ClauseLine], str | None]:
    """The filter's verdict, clause by clause; or why there is none."""
    if item.fault is not None:
        return False, [], item.fault
    try:
        verdict = evaluate_scope(mappings.mapping.scope, item.source.get)
    except EvaluationError as error:
        return False, [], str(error)
    lines = [
        ClauseLine(
            filter=reason.group,
            clause=" ".join(
                part for part in (reason.clause.attribute, reason.clause.operator.name, reason.clause.value) if part
            ),
            seen=None if reason.value in (None, "", []) else str(reason.value),
            passed=reason.passed,
        )
        for reason in verdict.reasons
    ]
    return verdict.passed, lines, None


def _ground(run: Run, source_id: str, one: Assignment, roles: dict[str, str]) -> Ground:
    own = one.principal_id == source_id
    counts = one.app_role_id != DEFAULT_ACCESS or run.job.settings.default_access_provisioned
    return Ground(
        through="assigned itself" if own else f"member of the assigned group {one.principal_display_name}",
        principal_id=one.principal_id,
        role=roles.get(one.app_role_id, "Default Access"),
        counts=counts,
        why=None if counts else "an assignment without a role (Default Access) does not count in this job",
    )


async def _role_names(run: Run, assignments: Sequence[Assignment]) -> dict[str, str]:
    if all(one.app_role_id == DEFAULT_ACCESS for one in assignments):
        return {}
    app = await run.applications.find(run.actor, run.job.tenant_id, run.job.id)
    return {role.id: role.display_name for role in app.service_principal.app_roles}


async def _nested(run: Run, source_id: str, known: set[str]) -> list[Ground]:
    """Groups that hold a group of theirs and are assigned: they do not count without the setting."""
    tenant = run.job.tenant_id
    own = (await run.directory.groups_of(run.actor, tenant, [source_id])).get(source_id, [])
    above = {parent for found in (await run.directory.groups_of(run.actor, tenant, own)).values() for parent in found}
    assigned = await run.applications.assigned_groups(run.actor, run.job, above - known) if above - known else set()
    names = await run.directory.groups_by_id(run.actor, tenant, sorted(assigned))
    why = "it is a member of a group inside this one, and the job does not look into nested groups"
    return [
        Ground(f"below the assigned group {group.display_name}", id_, "", counts=False, why=why)
        for id_, group in names.items()
    ]
