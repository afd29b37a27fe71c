"""``provisor oauth-client``: OAuth 2.0 client credentials of companies, for provisioners that take nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.apikey import Dialect, scim_url
from provisor.cli.output import facts, moment, table
from provisor.cli.session import Session, session
from provisor.clock import iso
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.app.settings import Settings
    from provisor.provider.clients.model import ClientSecret, OAuthClient

commands = typer.Typer(no_args_is_help=True, help="OAuth 2.0 clients of companies, beside API keys.")

Company = Annotated[str | None, typer.Option("--company", help="Its id or name. Not needed where there is only one.")]
Expires = Annotated[
    str | None, typer.Option(metavar="DATE", help="The secret's last day (UTC). [default: until it is revoked]")
]
Client = Annotated[str, typer.Argument(help="Its client id or name.")]


@commands.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="What it is for.")],
    company: Company = None,
    expires: Expires = None,
    dialect: Dialect = "entra",
) -> None:
    """Make a client, and show its secret, this once."""
    here = session(context)

    async def work(services: AppServices) -> tuple[OAuthClient, str]:
        found = await services.companies.find_company(operator(), company)
        return await services.clients.create(operator(), found.id, name, expires=expires, dialect=dialect)

    client, text = here.run(work)
    _show_once(here, client, client.secrets[0], text)


@commands.command("add-secret")
def add_secret(context: typer.Context, client: Client, company: Company = None, expires: Expires = None) -> None:
    """Give a client a further secret, and show it, this once. The others go on working."""
    here = session(context)

    async def work(services: AppServices) -> tuple[OAuthClient, ClientSecret, str]:
        found = await services.companies.find_company(operator(), company)
        return await services.clients.add_secret(operator(), found.id, client, expires=expires)

    _show_once(here, *here.run(work))


@commands.command()
def revoke(
    context: typer.Context,
    client: Client,
    company: Company = None,
    secret: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this secret, and the tokens that were given for it.")
    ] = None,
) -> None:
    """Stop a client, its secrets and its tokens from working, within two seconds everywhere."""
    here = session(context)

    async def work(services: AppServices) -> OAuthClient:
        found = await services.companies.find_company(operator(), company)
        if secret is not None:
            return await services.clients.revoke_secret(operator(), found.id, client, secret)
        return await services.clients.revoke(operator(), found.id, client)

    revoked = here.run(work)
    what = f"{revoked.name} ({revoked.id})" if secret is None else f"The secret {secret} of {revoked.name}"
    here.output.show(
        {"client_id": revoked.id, "name": revoked.name, "secret": secret, "revoked": True},
        lambda: [f"{what} is revoked."],
    )


@commands.command("list")
def list_(context: typer.Context, company: Company = None) -> None:
    """A company's clients and the state of their secrets."""
    here = session(context)

    async def work(services: AppServices) -> list[OAuthClient]:
        found = await services.companies.find_company(operator(), company)
        return await services.clients.clients(operator(), found.id)

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "The company has no client yet. Make one: provisor oauth-client create --name NAME"
            return
        yield table(
            ("Name", "Client id", "State", "Last used", "Secret", "Made", "Its state"),
            [
                (
                    one.name,
                    one.id,
                    "revoked" if one.revoked_at is not None else "active",
                    moment(one.last_used_at) or "never",
                    secret.id,
                    moment(secret.created_at),
                    _state(secret),
                )
                for one in found
                for secret in one.secrets
            ],
        )

    here.output.show([_document(client) for client in found], people)


def token_url(settings: Settings) -> str:
    """The address where clients get their tokens."""
    from provisor.web.oauth.token import TOKEN_PATH

    return scim_url(settings).removesuffix("/scim/v2") + TOKEN_PATH


def _show_once(here: Session, client: OAuthClient, secret: ClientSecret, text: str) -> None:
    settings = here.settings()
    document = {
        "client_id": client.id,
        "client_secret": text,
        "token_url": token_url(settings),
        "scim_url": scim_url(settings),
        "name": client.name,
        "secret": _secret(secret),
    }

    def people() -> Iterable[RenderableType]:
        yield facts(
            [
                ("client id", client.id),
                ("client secret", text),
                ("", "This is the only time that it is shown."),
                ("token address", document["token_url"]),
                ("SCIM address", document["scim_url"]),
                ("name", client.name),
            ]
        )

    here.output.show(document, people)


def _document(client: OAuthClient) -> dict[str, Any]:
    return {
        "client_id": client.id,
        "name": client.name,
        "dialect": client.dialect,
        "state": "active" if client.revoked_at is None else "revoked",
        "created": iso(client.created_at),
        "last_used": None if client.last_used_at is None else iso(client.last_used_at),
        "secrets": [_secret(secret) for secret in client.secrets],
    }


def _secret(secret: ClientSecret) -> dict[str, Any]:
    return {
        "id": secret.id,
        "state": _state(secret),
        "created": iso(secret.created_at),
        "expires": None if secret.expires_at is None else iso(secret.expires_at),
    }


def _state(secret: ClientSecret) -> str:
    from provisor.clock import SystemClock

    if secret.revoked_at is not None:
        return "revoked"
    return "active" if secret.works(SystemClock().now_ms()) else "expired"
