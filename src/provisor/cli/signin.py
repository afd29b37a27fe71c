"""``provisor token``, ``role`` and ``admin``: tokens for automation, rights of people, and the way back in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.output import facts, moment, table
from provisor.cli.session import session
from provisor.clock import iso
from provisor.errors import InvalidInput, NotFound
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.directory.model import Tenant
    from provisor.signin.links.model import NewLink
    from provisor.signin.people import PersonKey
    from provisor.signin.roles.model import RoleGrant
    from provisor.signin.service import IssuedToken
    from provisor.signin.store import AppTokenRow

token_commands = typer.Typer(no_args_is_help=True, help="Bearer tokens for the Graph-compatible API.")
role_commands = typer.Typer(no_args_is_help=True, help="Directory roles: who may administer what in a tenant.")
admin_commands = typer.Typer(no_args_is_help=True, help="The way back in for an administrator who is locked out.")

TenantOption = Annotated[
    str | None, typer.Option("--tenant", help="Its id, name or domain. Not needed where there is only one.")
]
User = Annotated[str, typer.Argument(metavar="USER", help="An id, user principal name or display name.")]
Role = Annotated[str, typer.Argument(metavar="ROLE", help="Its name, like 'User Administrator'.")]


@token_commands.command("create")
def create_token(
    context: typer.Context,
    tenant: TenantOption = None,
    hours: Annotated[int, typer.Option(help="How long it lives.")] = 1,
) -> None:
    """Make a token with every permission in a tenant, and show it, this once."""
    here = session(context)

    async def work(services: AppServices) -> IssuedToken:
        found = await services.directory.find_tenant(operator(), tenant)
        return await services.authority.create_token(operator(), found.id, hours, await services.address())

    made = here.run(work)

    def people() -> Iterable[RenderableType]:
        # As it is: broken lines could not be copied.
        here.output.line(made.text)
        yield f"It lives until {moment(made.expires_at)}. Revoke it with: provisor token revoke {made.id}"

    here.output.show({"id": made.id, "token": made.text, "expires": iso(made.expires_at)}, people)


@token_commands.command("list")
def list_tokens(context: typer.Context, tenant: TenantOption = None) -> None:
    """The tokens that were made so and have not expired."""
    here = session(context)

    async def work(services: AppServices) -> list[AppTokenRow]:
        found = await services.directory.find_tenant(operator(), tenant)
        return await services.authority.tokens(operator(), found.id)

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "No token lives."
            return
        yield table(
            ("Id", "Made", "Expires", "Revoked"),
            [(t.id, moment(t.created_at), moment(t.expires_at), moment(t.revoked_at)) for t in found],
        )

    here.output.show([_token(one) for one in found], people)


@token_commands.command("revoke")
def revoke_token(
    context: typer.Context,
    token: Annotated[str, typer.Argument(metavar="ID", help="The id that 'list' shows.")],
    tenant: TenantOption = None,
) -> None:
    """Stop a token from working, within two seconds everywhere."""
    here = session(context)

    async def work(services: AppServices) -> None:
        found = await services.directory.find_tenant(operator(), tenant)
        await services.authority.revoke_token(operator(), found.id, token)

    here.run(work)
    here.output.show({"id": token, "revoked": True}, lambda: [f"The token {token} is revoked."])


@token_commands.command("rotate-keys")
def rotate_keys(context: typer.Context, tenant: TenantOption = None) -> None:
    """Sign a tenant's tokens with a new key from now on. Tokens of the old key go on until they end."""
    here = session(context)

    async def work(services: AppServices) -> tuple[Tenant, str]:
        found = await services.directory.find_tenant(operator(), tenant)
        return found, await services.authority.rotate_keys(operator(), found.id)

    found, key_id = here.run(work)
    here.output.show({"tenant": found.id, "key": key_id}, lambda: [f"{found.name} signs with the key {key_id} now."])


@role_commands.command("grant")
def grant(context: typer.Context, role: Role, user: User, tenant: TenantOption = None) -> None:
    """Give a person a directory role."""
    here = session(context)

    async def work(services: AppServices) -> dict[str, Any]:
        found = await services.directory.find_tenant(operator(), tenant)
        person, name, new = await services.roles.grant(operator(), found.id, user, role)
        return {"user": person.id, "userPrincipalName": person.user_principal_name, "role": name, "new": new}

    made = here.run(work)
    said = "is" if made["new"] else "was already"
    here.output.show(made, lambda: [f"{made['userPrincipalName']} {said} {made['role']}."])


@role_commands.command("revoke")
def revoke(context: typer.Context, role: Role, user: User, tenant: TenantOption = None) -> None:
    """Take a directory role away from a person."""
    here = session(context)

    async def work(services: AppServices) -> dict[str, Any]:
        found = await services.directory.find_tenant(operator(), tenant)
        person, name = await services.roles.revoke(operator(), found.id, user, role)
        return {"user": person.id, "userPrincipalName": person.user_principal_name, "role": name, "revoked": True}

    gone = here.run(work)
    here.output.show(gone, lambda: [f"{gone['userPrincipalName']} is no longer {gone['role']}."])


@role_commands.command("list")
def list_roles(context: typer.Context, tenant: TenantOption = None) -> None:
    """Who has which directory role."""
    here = session(context)

    async def work(services: AppServices) -> list[RoleGrant]:
        found = await services.directory.find_tenant(operator(), tenant)
        return await services.roles.grants(operator(), found.id)

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "Nobody has a role yet. Give one: provisor role grant 'Global Administrator' USER"
            return
        yield table(
            ("Name", "User principal name", "Role", "Given by", "Since"),
            [(g.display_name, g.user_principal_name, g.role, g.granted_by, moment(g.granted_at)) for g in found],
        )

    here.output.show([_grant(one) for one in found], people)


@admin_commands.command("reset")
def reset(
    context: typer.Context,
    person: Annotated[
        str | None,
        typer.Argument(
            metavar="PERSON", help="A user principal name, or an administrator's e-mail address in a company."
        ),
    ] = None,
    tenant: TenantOption = None,
    company: Annotated[
        str | None, typer.Option(help="Its id or name, where the person is a company's administrator.")
    ] = None,
) -> None:
    """A new one-time link to set a password. Using it takes away the second factor as well."""
    here = session(context)

    async def work(services: AppServices) -> tuple[NewLink, str, str]:
        found, name = await _person(services, person, tenant, company)
        link = await services.links.for_person(operator(), found)
        return link, name, await services.address()

    link, name, base = here.run(work)
    url = base + link.path

    def people() -> Iterable[RenderableType]:
        yield facts([("person", name), ("works until", moment(link.link.expires_at))])
        here.output.line(url)

    here.output.show({"person": name, "sign_in": url, "expires": iso(link.link.expires_at)}, people)


async def _person(
    services: AppServices, person: str | None, tenant: str | None, company: str | None
) -> tuple[PersonKey, str]:
    """Whom the words mean, and how they are called. Raises ``NotFound``, ``InvalidInput`` where it is unclear."""
    if tenant is not None and company is not None:
        raise InvalidInput("A person belongs to a tenant or to a company.", hint="Give --tenant or --company.")
    found: list[tuple[PersonKey, str, str]] = []
    if company is None:
        found += await _of_tenants(services, person, tenant)
    if tenant is None:
        found += await _of_companies(services, person, company)
    if not found:
        raise NotFound(
            f"There is no administrator {person!r}." if person else "There is no administrator yet.",
            hint="'provisor role list' shows those of a tenant. A tenant's first: provisor role grant ROLE USER.",
        )
    if len(found) > 1:
        names = ", ".join(f"{name} of {realm}" for _, name, realm in found[:5])
        raise InvalidInput(
            f"That can be {len(found)} people: {names}.", hint="Name the person, and --tenant or --company."
        )
    return found[0][0], found[0][1]


async def _of_tenants(
    services: AppServices, person: str | None, tenant: str | None
) -> list[tuple[PersonKey, str, str]]:
    from provisor.signin.people import PersonKey

    me = operator()
    tenants = (
        await services.directory.tenants(me) if tenant is None else [await services.directory.find_tenant(me, tenant)]
    )
    found: dict[PersonKey, tuple[str, str]] = {}
    for one in tenants:
        if person is None:
            for grant in await services.roles.grants(me, one.id):
                found[PersonKey("tenant", one.id, grant.user_id)] = (grant.user_principal_name, one.name)
        else:
            for user in (await services.directory.users_by_upn(me, one.id, [person])).values():
                found[PersonKey("tenant", one.id, user.id)] = (user.user_principal_name, one.name)
    return [(key, name, realm) for key, (name, realm) in found.items()]


async def _of_companies(
    services: AppServices, person: str | None, company: str | None
) -> list[tuple[PersonKey, str, str]]:
    from provisor.signin.people import PersonKey

    me = operator()
    companies = (
        await services.companies.companies(me)
        if company is None
        else [await services.companies.find_company(me, company)]
    )
    return [
        (PersonKey("company", one.id, administrator.id), administrator.email, one.name)
        for one in companies
        for administrator in await services.companies.administrators(me, one.id)
        if person is None or administrator.email == person.lower()
    ]


def _token(token: AppTokenRow) -> dict[str, Any]:
    return {
        "id": token.id,
        "created": iso(token.created_at),
        "expires": iso(token.expires_at),
        "revoked": None if token.revoked_at is None else iso(token.revoked_at),
    }


def _grant(grant: RoleGrant) -> dict[str, Any]:
    return {
        "user": grant.user_id,
        "userPrincipalName": grant.user_principal_name,
        "displayName": grant.display_name,
        "role": grant.role,
        "grantedBy": grant.granted_by,
        "granted": iso(grant.granted_at),
    }
