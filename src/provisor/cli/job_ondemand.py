"""``provisor job on-demand``: one user or group now, with every step told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from provisor.cli.job import JobRef, Tenant, find_job
from provisor.cli.output import facts, plain, table
from provisor.cli.session import session
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.provisioning.ondemand.model import OnDemandResult

ObjectRef = Annotated[
    str, typer.Argument(metavar="OBJECT", help="A user or group: id, user principal name or display name.")
]
ObjectType = Annotated[
    Literal["user", "group"] | None, typer.Option("--type", help="Where both a user and a group have the name.")
]


def register(commands: typer.Typer) -> None:
    """Add this command to ``provisor job``."""
    commands.command("on-demand")(on_demand)


def kind_of(name: Literal["user", "group"] | None) -> Literal["User", "Group"] | None:
    """The option's word as the service's."""
    return None if name is None else "User" if name == "user" else "Group"


def on_demand(
    context: typer.Context, job: JobRef, subject: ObjectRef, tenant: Tenant = None, of_type: ObjectType = None
) -> None:
    """Provision one user or group now, whatever the job's state, and show each step.

    The object is read from the target: what somebody changed there is shown, and set right. A group comes with all of
    its members. Exit status 1 when it fails.
    """
    here = session(context)

    async def work(services: AppServices) -> OnDemandResult:
        found = await find_job(services, tenant, job)
        return await services.on_demand.provision(operator(), found.id, subject, kind=kind_of(of_type))

    result = here.run(work)

    members = ", ".join(f"{n} {name}" for name, n in result.members.items())

    def people() -> Iterable[RenderableType]:
        yield facts(
            [
                ("who", f"{result.name} ({result.kind}, {result.source_id})"),
                ("result", f"{result.result}: {result.action}"),
                *([("why", f"{result.error_code}: {result.error_message}")] if result.error_code else []),
                *([("do", result.recommended_action)] if result.recommended_action else []),
                ("in the target", result.target_id or "nothing"),
                *([("members", members)] if members else []),
            ]
        )
        for step in result.steps:
            yield plain(f"{step.type}: {step.description} ({step.status})")
            if step.details:
                yield facts((f"  {name}", value) for name, value in step.details.items())
        if result.drift:
            yield table(
                ("Changed in the target", "confirmed", "found"),
                [(one.attribute, one.acknowledged, one.found) for one in result.drift],
            )
        if result.modified:
            yield table(("Modified", "old", "new"), [(one.name, one.old, one.new) for one in result.modified])

    from provisor.provisioning.ondemand.document import key_document, value_document

    here.output.show({**key_document(result), **value_document(result)}, people)
    if result.result == "Failure":
        raise typer.Exit(1)
