"""``provisor app``: enterprise applications from the gallery, and who is assigned to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.output import facts, table
from provisor.cli.session import read_text_argument, session
from provisor.errors import Conflict, NotFound
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.applications.gallery import Template
    from provisor.applications.model import App, CredentialsChange, PrincipalType
    from provisor.connector.check import ConnectionResult

commands = typer.Typer(no_args_is_help=True, help="Enterprise applications, and who is assigned to them.")

Tenant = Annotated[
    str | None, typer.Option("--tenant", help="Its id, name or domain. Not needed if there is only one.")
]
AppRef = Annotated[str, typer.Argument(metavar="APP", help="App id, service principal id, job id or name.")]
Principals = Annotated[
    list[str] | None,
    typer.Argument(metavar="USER-OR-GROUP...", help="Ids, user principal names or display names.", show_default=False),
]


@commands.command()
def add(
    context: typer.Context,
    template: Annotated[str, typer.Argument(help="An app of the gallery, by its id; scim for any SCIM app.")],
    tenant: Tenant = None,
    name: Annotated[str | None, typer.Option(help="What it is called. [default: the entry's name]")] = None,
    tenant_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The app's SCIM address. [default: the entry's, where it has one]")
    ] = None,
    secret_token_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Holds the Secret Token; - is standard input. It never is an argument."),
    ] = None,
) -> None:
    """Add an app from the gallery, with its provisioning job."""
    here = session(context)
    token = None if secret_token_file is None else read_text_argument(secret_token_file).strip()

    async def work(services: AppServices) -> App:
        found = await services.directory.find_tenant(operator(), tenant)
        return await services.applications.add(operator(), found.id, template, name, tenant_url, token)

    made = here.run(work)
    here.output.show(_document(made), lambda: [_facts(made)])


@commands.command("gallery")
def show_gallery(context: typer.Context) -> None:
    """The apps that are known here, each with the form of its SCIM address."""
    here = session(context)

    async def work(services: AppServices) -> list[Template]:
        return services.applications.templates()

    found = here.run(work)
    document = [
        {
            "id": entry.id,
            "name": entry.display_name,
            "publisher": entry.publisher,
            "tenant_url": entry.tenant_url or entry.tenant_url_form,
            "credential": entry.credential,
            "notes": list(entry.notes),
            "sources": [source.url for source in entry.sources],
        }
        for entry in found
    ]

    def people() -> Iterable[RenderableType]:
        rows = [(entry.id, entry.display_name, entry.tenant_url or entry.tenant_url_form or "-") for entry in found]
        yield table(("Id", "Name", "Tenant URL"), rows)
        yield "Add one: provisor app add ID --tenant-url URL --secret-token-file FILE"

    here.output.show(document, people)


@commands.command("list")
def list_(context: typer.Context, tenant: Tenant = None) -> None:
    """A tenant's apps."""
    here = session(context)

    async def work(services: AppServices) -> list[App]:
        found = await services.directory.find_tenant(operator(), tenant)
        return await services.applications.apps(operator(), found.id)

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "The tenant has no app yet. Add one: provisor app add TEMPLATE --tenant-url URL"
            return
        rows = [
            (a.service_principal.display_name, a.service_principal.template_id, _scope(a), a.service_principal.app_id)
            for a in found
        ]
        yield table(("Name", "Template", "Scope", "Id"), rows)

    here.output.show([_document(app) for app in found], people)


@commands.command()
def credentials(
    context: typer.Context,
    app: AppRef,
    tenant: Tenant = None,
    tenant_url: Annotated[str | None, typer.Option(metavar="URL", help="The app's SCIM address.")] = None,
    secret_token_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Holds the Secret Token; - is standard input.")
    ] = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Save them although the target refuses them; the job will not start.")
    ] = False,
) -> None:
    """Change the Tenant URL, the Secret Token, or both, once the target has accepted them.

    Another scheme, host or port forgets the stored token.
    """
    here = session(context)
    if tenant_url is None and secret_token_file is None:
        raise typer.BadParameter("Give --tenant-url, --secret-token-file, or both.")
    token = None if secret_token_file is None else read_text_argument(secret_token_file).strip()

    async def work(services: AppServices) -> tuple[CredentialsChange, ConnectionResult]:
        found = await services.directory.find_tenant(operator(), tenant)
        job_id = (await services.applications.find(operator(), found.id, app)).job.id
        return await services.provisioning.save_credentials(
            operator(), job_id, tenant_url, token, unverified=unverified
        )

    change, result = here.run(work)
    if not result.ok:
        here.output.messages.print(f"Warning: {result.message}", markup=False, soft_wrap=True)

    def people() -> Iterable[RenderableType]:
        stored = "stored" if change.has_secret else "none"
        yield facts([("Tenant URL", change.base_address), ("Secret Token", stored)])
        if change.secret_cleared:
            yield "The address is another server's, so the stored token was forgotten. Enter it again."

    document = {
        "tenant_url": change.base_address,
        "has_secret_token": change.has_secret,
        "secret_token_cleared": change.secret_cleared,
    }
    here.output.show(document, people)


@commands.command()
def remove(
    context: typer.Context,
    app: AppRef,
    tenant: Tenant = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove an app with its job. Accounts in the target stay as they are."""
    here = session(context)
    if not yes:
        typer.confirm(f"Remove the app {app} with its job, its credentials and its log?", abort=True, err=True)

    async def work(services: AppServices) -> str:
        found = await services.directory.find_tenant(operator(), tenant)
        removed = await services.applications.remove(operator(), found.id, app)
        await services.provisioning.forget(operator(), removed)
        return removed.service_principal.display_name

    name = here.run(work)
    here.output.show({"name": name, "removed": True}, lambda: [f"{name} is removed. Its accounts stay as they are."])


@commands.command()
def assign(
    context: typer.Context,
    app: AppRef,
    principals: Principals = None,
    everybody: Annotated[bool, typer.Option("--all", help="Scope: all users and groups, assigned or not.")] = False,
    tenant: Tenant = None,
) -> None:
    """Assign people and groups (a group counts for its direct members), or set the scope to all."""
    here = session(context)
    names = principals or []
    if not names and not everybody:
        raise typer.BadParameter("Name users or groups, or give --all.")

    async def work(services: AppServices) -> tuple[App, int, int]:
        from provisor.applications.errors import AlreadyAssigned

        me = operator()
        where = (await services.directory.find_tenant(me, tenant)).id
        found = await services.applications.find(me, where, app)
        resolved = [await _principal(services, where, name) for name in names]
        assigned = 0
        for principal_id, kind in resolved:
            try:
                await services.applications.assign(me, where, found.service_principal.id, principal_id, kind)
            except AlreadyAssigned:
                continue
            assigned += 1
        if everybody:
            await services.applications.set_sync_all(me, found.job.id, True)
        return await services.applications.find(me, where, app), assigned, len(resolved) - assigned

    found, assigned, before = here.run(work)

    def people() -> Iterable[RenderableType]:
        yield f"{assigned} assigned to {found.service_principal.display_name}, {before} were before."
        if everybody:
            yield "Its scope is all users and groups."

    here.output.show({**_document(found), "assigned": assigned, "unchanged": before}, people)


@commands.command()
def unassign(
    context: typer.Context,
    app: AppRef,
    principals: Principals = None,
    everybody: Annotated[bool, typer.Option("--all", help="Scope: only who is assigned, not all any more.")] = False,
    tenant: Tenant = None,
) -> None:
    """Take assignments away. Who has access through a group keeps it."""
    here = session(context)
    names = principals or []
    if not names and not everybody:
        raise typer.BadParameter("Name users or groups, or give --all.")

    async def work(services: AppServices) -> tuple[App, int]:
        me = operator()
        where = (await services.directory.find_tenant(me, tenant)).id
        found = await services.applications.find(me, where, app)
        gone = 0
        for principal_id, _ in [await _principal(services, where, name) for name in names]:
            gone += await services.applications.unassign(me, where, found.service_principal.id, principal_id)
        if everybody:
            await services.applications.set_sync_all(me, found.job.id, False)
        return await services.applications.find(me, where, app), gone

    found, gone = here.run(work)

    def people() -> Iterable[RenderableType]:
        yield f"{gone} assignments of {found.service_principal.display_name} taken away."
        if everybody:
            yield "Its scope is who is assigned."

    here.output.show({**_document(found), "unassigned": gone}, people)


async def _principal(services: AppServices, tenant_id: str, name: str) -> tuple[str, PrincipalType]:
    """The user or group that is meant. Raises ``NotFound``, ``Conflict`` where it can be both."""
    from provisor.directory.groups import GroupNotFound
    from provisor.directory.users import UserNotFound

    found: list[tuple[str, PrincipalType]] = []
    try:
        found.append(((await services.directory.find_user(operator(), tenant_id, name)).id, "User"))
    except UserNotFound:
        found.clear()
    try:
        found.append(((await services.directory.find_group(operator(), tenant_id, name)).id, "Group"))
    except GroupNotFound as error:
        if not found:
            raise NotFound(
                f"There is no user or group {name!r} in this directory.",
                hint="Give an id, a user principal name or a display name.",
            ) from error
    if len(found) > 1:
        raise Conflict(f"{name!r} is a person and a group.", hint=f"Give the id: {found[0][0]} or {found[1][0]}.")
    return found[0]


def _document(app: App) -> dict[str, Any]:
    return {
        "id": app.service_principal.app_id,
        "service_principal": app.service_principal.id,
        "job": app.job_id if app.has_job else None,
        "name": app.service_principal.display_name,
        "template": app.service_principal.template_id,
        "sync_all": app.has_job and app.job.settings.sync_all,
    }


def _facts(app: App) -> RenderableType:
    return facts(
        [
            ("app", app.service_principal.display_name),
            ("id", app.service_principal.app_id),
            ("service principal", app.service_principal.id),
            ("job", app.job_id if app.has_job else "none"),
            ("scope", _scope(app)),
        ]
    )


def _scope(app: App) -> str:
    if not app.has_job:
        return "none: it has no provisioning job"
    return "all users and groups" if app.job.settings.sync_all else "assigned users and groups"
