"""``provisor tenant``: the organisations of the identity side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.output import facts, moment, table
from provisor.cli.session import session
from provisor.clock import iso
from provisor.errors import Conflict, ProvisorError
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.directory.model import Tenant

commands = typer.Typer(no_args_is_help=True, help="Organisations of the identity side, each with its directory.")


@commands.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the organisation is called.")],
    domain: Annotated[str, typer.Option(help="Its first domain name, as in user names.")],
    admin: Annotated[
        str | None,
        typer.Option(
            metavar="UPN", help="Also make this user, a Global Administrator, and print a link to sign in, once."
        ),
    ] = None,
) -> None:
    """Make a tenant with an empty directory."""
    here = session(context)

    async def work(services: AppServices) -> tuple[Tenant, str | None]:
        tenant = await services.directory.create_tenant(operator(), name, domain)
        if admin is None:
            return tenant, None
        try:
            return tenant, await services.address() + await services.setup.first_administrator(tenant.id, admin)
        except ProvisorError as error:
            raise Conflict(
                f"The tenant {tenant.name} ({tenant.id}) was made, its administrator was not: {error.message}",
                hint=error.hint,
            ) from error

    tenant, sign_in = here.run(work)

    def people() -> Iterable[RenderableType]:
        yield facts([("tenant", tenant.name), ("domain", tenant.domain), ("id", tenant.id), ("administrator", admin)])
        if sign_in is not None:
            # As it is: broken lines could not be copied.
            here.output.line(sign_in)

    here.output.show({**_document(tenant), "admin": admin, "sign_in": sign_in}, people)


@commands.command("list")
def list_(context: typer.Context) -> None:
    """All tenants."""
    here = session(context)

    async def work(services: AppServices) -> list[Tenant]:
        return await services.directory.tenants(operator())

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "There is no tenant yet. Make one: provisor tenant create NAME --domain DOMAIN"
            return
        yield table(("Name", "Domain", "Id", "Made"), [(t.name, t.domain, t.id, moment(t.created_at)) for t in found])

    here.output.show([_document(tenant) for tenant in found], people)


@commands.command()
def delete(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="Its id, name or domain.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a tenant with its directory, apps, jobs, secrets and logs. Accounts in targets stay as they are."""
    here = session(context)
    if not yes:
        typer.confirm(f"Delete the tenant {tenant} with everything in it?", abort=True, err=True)

    async def work(services: AppServices) -> Tenant:
        return await services.upkeep.delete_tenant(operator(), tenant)

    gone = here.run(work)
    here.output.show({"id": gone.id, "name": gone.name, "deleted": True}, lambda: [f"{gone.name} ({gone.id}) is gone."])


def _document(tenant: Tenant) -> dict[str, Any]:
    return {"id": tenant.id, "name": tenant.name, "domain": tenant.domain, "created": iso(tenant.created_at)}
