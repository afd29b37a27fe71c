"""``provisor company``: the companies of the app side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli import companyrequests
from provisor.cli.output import facts, moment, table
from provisor.cli.session import session
from provisor.clock import iso
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.provider.model import Company
    from provisor.provider.resources.model import Counts

commands = typer.Typer(no_args_is_help=True, help="Companies of the app side, each with its users, groups and keys.")
companyrequests.register(commands)


@commands.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the company is called.")],
    admin: Annotated[
        str | None,
        typer.Option(metavar="EMAIL", help="Its first administrator, for whom a link to sign in once is printed."),
    ] = None,
) -> None:
    """Make a company."""
    here = session(context)

    async def work(services: AppServices) -> tuple[Company, str | None, str | None]:
        company = await services.companies.create_company(operator(), name, admin)
        people = await services.companies.administrators(operator(), company.id)
        path = await services.setup.company_link(company.id)
        if not people or path is None:
            return company, None, None
        return company, people[0].email, await services.address() + path

    company, administrator, sign_in = here.run(work)

    def people() -> Iterable[RenderableType]:
        yield facts([("company", company.name), ("id", company.id), ("administrator", administrator)])
        if sign_in is not None:
            # As it is: broken lines could not be copied.
            here.output.line(sign_in)

    document = {"id": company.id, "name": company.name, "admin": administrator, "sign_in": sign_in}
    here.output.show(document, people)


@commands.command("list")
def list_(context: typer.Context) -> None:
    """All companies, with what they have."""
    here = session(context)

    async def work(services: AppServices) -> list[tuple[Company, Counts]]:
        found = await services.companies.companies(operator())
        return [(company, await services.resources.counts(operator(), company.id)) for company in found]

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "There is no company yet. Make one: provisor company create NAME --admin EMAIL"
            return
        yield table(
            ("Name", "Users", "Groups", "Memberships", "Id", "Made"),
            [(c.name, n.users, n.groups, n.memberships, c.id, moment(c.created_at)) for c, n in found],
        )

    here.output.show([_document(company, counts) for company, counts in found], people)


@commands.command()
def delete(
    context: typer.Context,
    company: Annotated[str, typer.Argument(help="Its id or name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a company with its people, keys, users and groups."""
    here = session(context)
    if not yes:
        typer.confirm(f"Delete the company {company} with everything in it?", abort=True, err=True)

    async def work(services: AppServices) -> Company:
        return await services.upkeep.delete_company(operator(), company)

    gone = here.run(work)
    here.output.show({"id": gone.id, "name": gone.name, "deleted": True}, lambda: [f"{gone.name} ({gone.id}) is gone."])


def _document(company: Company, counts: Counts) -> dict[str, Any]:
    return {
        "id": company.id,
        "name": company.name,
        "created": iso(company.created_at),
        "users": counts.users,
        "groups": counts.groups,
        "memberships": counts.memberships,
    }
