"""``provisor job create|delete``: a job for an app that has none, and an end to one whose app stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from provisor.cli.job import JobRef, Tenant, find_job
from provisor.cli.output import facts
from provisor.cli.session import session
from provisor.security.actor import operator

if TYPE_CHECKING:
    from provisor.app.services import AppServices
    from provisor.applications.model import Job

AppRef = Annotated[str, typer.Argument(metavar="APP", help="App id, service principal id or name.")]
TemplateOption = Annotated[
    str | None, typer.Option(help="A synchronization template of the app. [default: the app's own]")
]


def register(commands: typer.Typer) -> None:
    """Add these commands to ``provisor job``."""
    commands.command()(create)
    commands.command()(delete)


def create(context: typer.Context, app: AppRef, tenant: Tenant = None, template: TemplateOption = None) -> None:
    """Give an app that was made over Graph its provisioning job, with the credentials that were entered before."""
    here = session(context)

    async def work(services: AppServices) -> Job:
        me = operator()
        where = await services.directory.find_tenant(me, tenant)
        sp = (await services.applications.find(me, where.id, app)).service_principal
        chosen = template or services.synchronization.templates(me, sp)[0].id
        return await services.synchronization.create_job(me, sp, chosen)

    made = here.run(work)
    document = {"id": made.id, "template": made.template_id, "service_principal": made.service_principal_id}
    here.output.show(document, lambda: [facts([("job", made.id), ("template", made.template_id)])])


def delete(context: typer.Context, job: JobRef, tenant: Tenant = None) -> None:
    """End a job for good, with its credentials, links and log. The app and the accounts in the target stay."""
    here = session(context)

    async def work(services: AppServices) -> Job:
        me = operator()
        found = await find_job(services, tenant, job)
        app = await services.applications.find(me, found.tenant_id, found.id)
        removed = await services.synchronization.delete_job(me, app.service_principal, found.id)
        await services.provisioning.forget_jobs(me, removed)
        return found

    gone = here.run(work)
    document = {"id": gone.id, "deleted": True}
    here.output.show(document, lambda: [f"The job of {gone.display_name} is deleted. Its accounts stay as they are."])
