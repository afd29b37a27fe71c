"""``provisor webhook``: where a company's changes are sent to, and from where on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.output import facts, moment, table
from provisor.cli.session import session
from provisor.clock import iso
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.events.webhooks.model import Webhook

commands = typer.Typer(no_args_is_help=True, help="Webhooks of companies: their changes, sent to the product.")

Company = Annotated[str | None, typer.Option("--company", help="Its id or name. Not needed where there is only one.")]
Id = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id.")]


@commands.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Where changes are POSTed to.")],
    company: Company = None,
    after: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Send the changes after this number. [default: new ones]")
    ] = None,
) -> None:
    """Send a company's changes to an address. Shows the secret that they are signed with, this once."""
    here = session(context)

    async def work(services: AppServices) -> tuple[Webhook, str]:
        found = await services.companies.find_company(operator(), company)
        return await services.webhooks.add(operator(), found.id, url, after=after)

    webhook, text = here.run(work)
    here.output.show(
        {**_document(webhook), "secret": text},
        lambda: [
            facts(
                [
                    ("webhook", webhook.id),
                    ("address", webhook.url),
                    ("secret", text),
                    ("", "This is the only time that it is shown."),
                    ("begins after", webhook.position),
                ]
            )
        ],
    )


@commands.command("list")
def list_(context: typer.Context, company: Company = None) -> None:
    """A company's webhooks: how far each has come, and how its last delivery went."""
    here = session(context)

    async def work(services: AppServices) -> list[Webhook]:
        found = await services.companies.find_company(operator(), company)
        return await services.webhooks.webhooks(operator(), found.id)

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "The company has no webhook yet. Add one: provisor webhook add URL"
            return
        yield table(
            ("Address", "Sent up to", "State", "Failures", "Last answer", "Last taken", "Id"),
            [
                (
                    one.url,
                    one.position,
                    one.paused or "active",
                    one.failures,
                    one.last_answer or "",
                    moment(one.delivered_at) or "never",
                    one.id,
                )
                for one in found
            ],
        )

    here.output.show([_document(webhook) for webhook in found], people)


@commands.command()
def replay(
    context: typer.Context,
    webhook: Id,
    company: Company = None,
    after: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="After this number. [default: where it stopped]")
    ] = None,
) -> None:
    """Send changes again from any point on; also ends a pause."""
    here = session(context)

    async def work(services: AppServices) -> int:
        found = await services.companies.find_company(operator(), company)
        return await services.webhooks.replay(operator(), found.id, webhook, after=after)

    position = here.run(work)
    here.output.show({"id": webhook, "position": position}, lambda: [f"Goes on after {position}."])


@commands.command()
def remove(context: typer.Context, webhook: Id, company: Company = None) -> None:
    """Send it nothing any more."""
    here = session(context)

    async def work(services: AppServices) -> Webhook:
        found = await services.companies.find_company(operator(), company)
        return await services.webhooks.remove(operator(), found.id, webhook)

    gone = here.run(work)
    here.output.show({"id": gone.id, "url": gone.url, "removed": True}, lambda: [f"{gone.url} is removed."])


def _document(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "created": iso(webhook.created_at),
        "position": webhook.position,
        "paused": webhook.paused,
        "failures": webhook.failures,
        "last_answer": webhook.last_answer,
        "last_delivered": None if webhook.delivered_at is None else iso(webhook.delivered_at),
    }
