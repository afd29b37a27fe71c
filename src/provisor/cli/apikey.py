"""``provisor apikey``: what a provisioner calls a company's SCIM address with. A key's text is shown once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.output import facts, moment, plain, table
from provisor.cli.session import Session, session
from provisor.clock import iso
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.app.settings import Settings
    from provisor.provider.model import ApiKey, ListedKey

commands = typer.Typer(no_args_is_help=True, help="API keys of companies: the Secret Token that a provisioner needs.")

Company = Annotated[str | None, typer.Option("--company", help="Its id or name. Not needed where there is only one.")]
Expires = Annotated[str, typer.Option(metavar="DATE", help="The last day on which it works (UTC), as 2027-12-31.")]
Dialect = Annotated[
    str, typer.Option(help="What is tolerated of whoever uses it: 'entra', 'rfc' (nothing but the standard), …")
]
Key = Annotated[str, typer.Argument(help="Its id or name.")]


@commands.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="What it is for.")],
    expires: Expires,
    company: Company = None,
    as_: Annotated[
        str | None,
        typer.Option("--as", metavar="EMAIL", help="Whose key it is. [default: the first administrator's]"),
    ] = None,
    service_account: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Instead of a person: an account that goes on when people leave; made where missing."
        ),
    ] = None,
    dialect: Dialect = "entra",
) -> None:
    """Make a key and show it, this once."""
    here = session(context)

    async def work(services: AppServices) -> tuple[ApiKey, str]:
        found = await services.companies.find_company(operator(), company)
        return await services.companies.create_key(
            operator(),
            found.id,
            name=name,
            expires=expires,
            administrator=as_,
            service_account=service_account,
            dialect=dialect,
        )

    _show_once(here, *here.run(work))


@commands.command()
def rotate(context: typer.Context, key: Key, expires: Expires, company: Company = None) -> None:
    """Make a second key of the same name. The first works on until it expires or is revoked."""
    here = session(context)

    async def work(services: AppServices) -> tuple[ApiKey, str]:
        found = await services.companies.find_company(operator(), company)
        return await services.companies.rotate_key(operator(), found.id, key, expires=expires)

    _show_once(here, *here.run(work))


@commands.command()
def revoke(context: typer.Context, key: Key, company: Company = None) -> None:
    """Stop a key from working, within two seconds everywhere."""
    here = session(context)

    async def work(services: AppServices) -> ApiKey:
        found = await services.companies.find_company(operator(), company)
        return await services.companies.revoke_key(operator(), found.id, key)

    revoked = here.run(work)
    here.output.show(
        {"id": revoked.id, "name": revoked.name, "revoked": True},
        lambda: [f"{revoked.name} ({revoked.id}) is revoked."],
    )


@commands.command("list")
def list_(context: typer.Context, company: Company = None) -> None:
    """A company's keys, without their text: whose they are, their last use, and what is wrong with them."""
    here = session(context)

    async def work(services: AppServices) -> list[ListedKey]:
        found = await services.companies.find_company(operator(), company)
        return await services.companies.listed_keys(operator(), found.id)

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "The company has no key yet. Make one: provisor apikey create --name NAME --expires DATE"
            return
        rows = [
            (k.name, f"{k.start}…", _owner(one), k.expires_on, _state(k), moment(k.last_used_at) or "never", k.id)
            for one in found
            for k in [one.key]
        ]
        yield table(("Name", "Begins", "Belongs to", "Expires", "State", "Last used", "Id"), rows)
        for one in found:
            if one.warning is not None:
                yield f"Warning: the key {plain(one.key.name)} ({one.key.id}): {plain(one.warning)}"

    here.output.show([_listed(one) for one in found], people)


def scim_url(settings: Settings) -> str:
    """The address that a provisioner is given."""
    return f"{settings.address}/scim/v2"


def _show_once(here: Session, key: ApiKey, text: str) -> None:
    url = scim_url(here.settings())

    def people() -> Iterable[RenderableType]:
        yield facts(
            [
                ("key", text),
                ("", "This is the only time that it is shown."),
                ("SCIM address", url),
                ("name", key.name),
                ("works until", f"{key.expires_on} (UTC)"),
                ("id", key.id),
            ]
        )

    document = {"id": key.id, "key": text, "scim_url": url, "name": key.name, "expires": key.expires_on}
    here.output.show(document, people)


def _owner(listed: ListedKey) -> str:
    owner = listed.owner
    if owner.is_service_account:
        return "service account" if owner.name is None else f"{owner.name} (service account)"
    return owner.name or ""


def _listed(listed: ListedKey) -> dict[str, Any]:
    owner = listed.owner
    kind = "serviceAccount" if owner.is_service_account else "administrator"
    return {**_document(listed.key), "owner": {"type": kind, "name": owner.name}, "warning": listed.warning}


def _document(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "start": key.start,
        "expires": key.expires_on,
        "dialect": key.dialect,
        "state": _state(key),
        "created": iso(key.created_at),
        "last_used": None if key.last_used_at is None else iso(key.last_used_at),
    }


def _state(key: ApiKey) -> str:
    from provisor.clock import SystemClock

    if key.revoked_at is not None:
        return "revoked"
    return "expired" if SystemClock().now_ms() >= key.expires_at else "active"
