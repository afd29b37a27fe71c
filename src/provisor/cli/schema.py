"""``provisor schema``: a job's mappings and scoping filters, in the JSON that Entra exports, and all its versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.job import JobRef, Tenant, find_job
from provisor.cli.output import moment, plain, table
from provisor.cli.session import read_text_argument, session
from provisor.errors import InvalidInput
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.applications.model import Job, SchemaDiff, SchemaVersion
    from provisor.provisioning.whatif import Answer, Evaluated

commands = typer.Typer(no_args_is_help=True, help="Attribute mappings and scoping filters of a job.")


@commands.command()
def get(context: typer.Context, job: JobRef, tenant: Tenant = None) -> None:
    """A job's schema. Take --output json to keep it, or to edit it and put it back."""
    here = session(context)

    async def work(services: AppServices) -> Job:
        return await find_job(services, tenant, job)

    _show(context, here.run(work))


@commands.command()
def put(
    context: typer.Context,
    job: JobRef,
    file: Annotated[str, typer.Argument(help="A JSON file; - is standard input.")],
    tenant: Tenant = None,
) -> None:
    """Replace a job's schema. The next cycle looks at every object anew."""
    here = session(context)
    document = _parsed(file)

    async def work(services: AppServices) -> Job:
        found = await find_job(services, tenant, job)
        return await services.applications.set_schema(operator(), found.id, document)

    _show(context, here.run(work))


@commands.command()
def evaluate(
    context: typer.Context,
    job: JobRef,
    user: Annotated[str, typer.Option(help="Whom to evaluate: an id, a user principal name or a display name.")],
    tenant: Tenant = None,
) -> None:
    """What the filter and every mapping make of one user, sub-expressions included. Nothing is sent or changed."""
    here = session(context)

    async def work(services: AppServices) -> Answer:
        from provisor.provisioning.whatif import WhatIf

        found = await find_job(services, tenant, job)
        what_if = WhatIf(services.directory, services.applications, services.clock)
        return await what_if.user(operator(), found, user)

    answer = here.run(work)
    document = {
        "user": answer.user.user_principal_name,
        "inScope": answer.entitlement.in_scope,
        "isSoftDeleted": answer.soft_deleted,
        "reason": answer.entitlement.reason,
        "details": dict(answer.entitlement.details),
        "clauses": [{"clause": str(one), "value": one.value, "passed": one.passed} for one in answer.verdict.reasons],
        "mappings": [_mapping(one) for one in answer.mappings],
    }

    def people() -> Iterable[RenderableType]:
        yield plain(_scope_sentence(answer))
        if answer.verdict.reasons:
            rows = [(str(one), one.value, "passed" if one.passed else "not passed") for one in answer.verdict.reasons]
            yield table(("Clause", "Value", "Verdict"), rows, title="Scoping filter")
        yield table(("Target", "Source", "Value"), _mapping_rows(answer), title="Mappings")

    here.output.show(document, people)


@commands.command()
def versions(context: typer.Context, job: JobRef, tenant: Tenant = None) -> None:
    """Every schema that the job has or had, newest first."""
    here = session(context)

    async def work(services: AppServices) -> list[SchemaVersion]:
        found = await find_job(services, tenant, job)
        return await services.applications.schema_versions(operator(), found.id)

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        yield table(("Version", "When", "Who"), [(one.version, moment(one.created_at), one.actor) for one in found])

    here.output.show(
        [{"version": one.version, "actor": one.actor, "createdAt": moment(one.created_at)} for one in found], people
    )


@commands.command()
def diff(
    context: typer.Context,
    job: JobRef,
    before: Annotated[int | None, typer.Argument(min=1, help="A version; left out: the one before.")] = None,
    after: Annotated[int | None, typer.Argument(min=1, help="A version; left out: the present one.")] = None,
    tenant: Tenant = None,
) -> None:
    """What differs between two versions; with none named, what the last save changed."""
    here = session(context)

    async def work(services: AppServices) -> SchemaDiff:
        found = await find_job(services, tenant, job)
        return await services.applications.schema_diff(operator(), found.id, before, after)

    found = here.run(work)
    changes = [{"where": str(one), "before": one.before, "after": one.after} for one in found.changes]

    def people() -> Iterable[RenderableType]:
        if not changes:
            yield f"Versions {found.before} and {found.after} do not differ."
            return
        rows = [(one["where"], _brief(one["before"]), _brief(one["after"])) for one in changes]
        yield table(("Where", f"Version {found.before}", f"Version {found.after}"), rows)

    here.output.show({"before": found.before, "after": found.after, "changes": changes}, people)


@commands.command()
def restore(
    context: typer.Context,
    job: JobRef,
    version: Annotated[int | None, typer.Argument(min=1, help="The version to save again.")] = None,
    tenant: Tenant = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="The gallery's own mappings; scoping filters go.")
    ] = False,
) -> None:
    """Save an earlier version, or the gallery's defaults, as the newest. The next cycle looks at every object anew."""
    here = session(context)
    if (version is None) is not defaults:
        raise InvalidInput("Give a version, or --defaults.", hint="'provisor schema versions JOB' lists the versions.")

    async def work(services: AppServices) -> Job:
        found = await find_job(services, tenant, job)
        if version is None:
            return await services.applications.restore_default_schema(operator(), found.id)
        return await services.applications.restore_schema_version(operator(), found.id, version)

    _show(context, here.run(work))


def _scope_sentence(answer: Answer) -> str:
    name = answer.user.user_principal_name
    if answer.entitlement.in_scope:
        return f"{name} is in scope{', but not active in the directory' if answer.soft_deleted else ''}."
    return f"{name} is not in scope: {answer.entitlement.reason}."


def _mapping(one: Evaluated) -> dict[str, Any]:
    from provisor.expressions.values import NO_FLOW

    return {
        "target": one.mapping.target,
        "type": one.mapping.source_type,
        "source": one.mapping.source_text,
        "flows": one.error is None and one.value is not NO_FLOW,
        "value": None if one.value is NO_FLOW else one.value,
        "error": one.error,
        "steps": [
            {"expression": step.text, "value": None if step.value is NO_FLOW else step.value, "error": step.error}
            for step in one.steps
        ],
    }


def _mapping_rows(answer: Answer) -> Iterable[tuple[str, str, str]]:
    for one in answer.mappings:
        found = _mapping(one)
        yield found["target"], found["source"] or "(none)", _told(found)
        # The last step is the whole expression, which has just been told.
        for step in found["steps"][:-1]:
            yield "", f"    {step['expression']}", _told({"flows": True, **step})


def _told(found: dict[str, Any]) -> str:
    if found["error"]:
        return f"fails: {found['error']}"
    return _brief(found["value"]) if found["flows"] else "(left out)"


def _brief(value: Any) -> str:
    """A value on one line; what is long is cut."""
    import json

    text = "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _parsed(file: str) -> dict[str, Any]:
    import json

    try:
        document = json.loads(read_text_argument(file))
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"{file} is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).", hint="Nothing was saved."
        ) from error
    if not isinstance(document, dict):
        raise InvalidInput(f"{file} holds no JSON object.", hint="Take what 'provisor schema get' prints.")
    return document


def _show(context: typer.Context, job: Job) -> None:
    def people() -> Iterable[RenderableType]:
        for mapping in (job.schema.user, job.schema.group):
            if mapping is None:
                continue
            rows = [
                (row.target, row.source_text, row.matching_priority or "", row.flow_type)
                for row in mapping.attribute_mappings
            ]
            switched = "" if mapping.enabled else " (off)"
            yield table(("Target", "Source", "Matching", "Applied"), rows, title=f"{mapping.name}{switched}")

    session(context).output.show(dict(job.schema.document), people)
