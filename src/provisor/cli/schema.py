"""``provisor schema``: a job's mappings and scoping filters, in the JSON that Entra exports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.job import JobRef, Tenant, find_job
from provisor.cli.output import table
from provisor.cli.session import read_text_argument, session
from provisor.errors import InvalidInput
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.applications.model import Job

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
