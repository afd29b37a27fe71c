"""``provisor job``, what a person decides: stop, settings, who is whose account, and the end of a job."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.job import JobRef, Tenant, find_job, show_status
from provisor.cli.output import facts, moment, plain, table
from provisor.cli.session import session
from provisor.clock import iso
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.provisioning.decisions.model import Decision
    from provisor.provisioning.model import Escrow


def register(commands: typer.Typer) -> None:
    """Add these commands to ``provisor job``."""
    for name, command in (
        ("stop", stop),
        ("settings", settings),
        ("set", set_),
        ("pending", pending),
        ("decide", decide),
        ("escrows", escrows),
        ("delete", delete),
    ):
        commands.command(name)(command)


def stop(context: typer.Context, job: JobRef, tenant: Tenant = None) -> None:
    """Stop now: no further request after two seconds. Start goes on where it was."""
    here = session(context)

    async def work(services: AppServices) -> dict[str, Any]:
        found = await find_job(services, tenant, job)
        await services.provisioning.stop(operator(), found.id)
        return await services.provisioning.status(operator(), found.id)

    show_status(here, here.run(work))


def settings(context: typer.Context, job: JobRef, tenant: Tenant = None) -> None:
    """A job's settings, as "set" takes them."""
    from provisor.provisioning.settings import SETTINGS

    here = session(context)

    async def work(services: AppServices) -> dict[str, str]:
        found = await find_job(services, tenant, job)
        return await services.provisioning.settings(operator(), found.id)

    shown = here.run(work)

    def people() -> Iterable[RenderableType]:
        rows = [(key, shown[key], setting.values, setting.about) for key, setting in SETTINGS.items()]
        yield table(("Setting", "Is", "Takes", "About"), rows)

    here.output.show(shown, people)


def set_(
    context: typer.Context,
    job: JobRef,
    changes: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE...", help="scope=all, interval=20m, … (see: job settings)")
    ],
    tenant: Tenant = None,
) -> None:
    """Change settings; a change of who is in scope takes effect at once."""
    here = session(context)
    texts: dict[str, str] = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise typer.BadParameter(f"{change!r} is not KEY=VALUE.")
        texts[key] = value

    async def work(services: AppServices) -> tuple[dict[str, str], list[str]]:
        found = await find_job(services, tenant, job)
        _, warnings = await services.provisioning.change_settings(operator(), found.id, texts)
        return await services.provisioning.settings(operator(), found.id), warnings

    shown, warnings = here.run(work)
    for warning in warnings:
        here.output.messages.print(f"Warning: {warning}", markup=False, soft_wrap=True)
    here.output.show(shown, lambda: [facts(shown.items())])


def pending(
    context: typer.Context,
    job: JobRef,
    tenant: Tenant = None,
    everything: Annotated[bool, typer.Option("--all", help="With what was decided and still holds.")] = False,
) -> None:
    """Who could be several accounts in the target: for a person to decide."""
    here = session(context)

    async def work(services: AppServices) -> list[Decision]:
        found = await find_job(services, tenant, job)
        return await services.decisions.pending(operator(), found.id, decided=everything)

    waiting = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not waiting:
            yield "There is nothing to decide."
            return
        rows = [
            (one.display_name, f"{one.attribute} = {one.value}", account["id"], _account(account), one.choice or "")
            for one in waiting
            for account in one.candidates
        ]
        yield table(("Who", "Found by", "Account", "Which is", "Decided"), rows)
        yield plain("Decide: provisor job decide JOB WHO link ACCOUNT, … create, or … ignore")

    here.output.show([_document(one) for one in waiting], people)


def decide(
    context: typer.Context,
    job: JobRef,
    who: Annotated[str, typer.Argument(help='The object\'s id or name, as "pending" shows it.')],
    choice: Annotated[str, typer.Argument(help="link, create or ignore.")],
    account: Annotated[str | None, typer.Argument(help="With link: the account's id in the target.")] = None,
    tenant: Tenant = None,
) -> None:
    """Link somebody to one of the accounts, create a new one, or leave them out."""
    here = session(context)

    async def work(services: AppServices) -> Decision:
        found = await find_job(services, tenant, job)
        return await services.decisions.decide(operator(), found.id, who, choice, account)

    made = here.run(work)
    words = {"link": f"is linked to {made.target_id}", "create": "gets a new account", "ignore": "is left out"}
    here.output.show(_document(made), lambda: [plain(f"{made.display_name} {words[made.choice or 'ignore']}.")])


def escrows(
    context: typer.Context,
    job: JobRef,
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
) -> None:
    """What failed or waits, and when it is tried again."""
    here = session(context)

    async def work(services: AppServices) -> list[Escrow]:
        found = await find_job(services, tenant, job)
        return await services.provisioning.escrows(operator(), found.id, limit)

    found = here.run(work)
    document = [
        {
            "sourceId": one.source_id,
            "objectType": one.kind,
            "attempts": one.attempts,
            "failedFirstDateTime": None if one.failed_first_at is None else iso(one.failed_first_at),
            "nextAttemptDateTime": iso(one.due_at),
            "errorCode": one.code,
            "message": one.message,
        }
        for one in found
    ]

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "Nothing fails, and nothing waits."
            return
        rows = [(one.kind, one.source_id, one.attempts, moment(one.due_at), one.code, one.message) for one in found]
        yield table(("Type", "Id", "Tries", "Next", "Code", "Why"), rows)

    here.output.show(document, people)


def delete(
    context: typer.Context,
    job: JobRef,
    tenant: Tenant = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget all of a job: links, queue, cycles, log, credentials, mappings. The app and its accounts stay."""
    here = session(context)
    if not yes:
        typer.confirm(f"Forget all of the job {job}?", abort=True, err=True)

    async def work(services: AppServices) -> str:
        found = await find_job(services, tenant, job)
        await services.provisioning.delete(operator(), found.id)
        return found.id

    job_id = here.run(work)
    here.output.show({"id": job_id, "deleted": True}, lambda: [plain(f"The job {job_id} is as new.")])


def _account(account: Any) -> str:
    shown = [str(account[name]) for name in ("userName", "displayName") if account.get(name)]
    return ", ".join(shown) + ("" if account.get("active", True) else " (disabled)")


def _document(decision: Decision) -> dict[str, Any]:
    return {
        "sourceId": decision.source_id,
        "objectType": decision.kind,
        "displayName": decision.display_name,
        "reason": decision.reason,
        "attribute": decision.attribute,
        "value": decision.value,
        "candidates": [dict(candidate) for candidate in decision.candidates],
        "found": iso(decision.found_at),
        "choice": decision.choice,
        "targetId": decision.target_id,
        "decidedBy": decision.decided_by,
        "decided": None if decision.decided_at is None else iso(decision.decided_at),
    }
