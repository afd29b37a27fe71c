"""``provisor job``: provisioning jobs. Names of states, fields and reset scopes are Entra's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.joblog import logs
from provisor.cli.output import facts, plain
from provisor.cli.session import Session, session
from provisor.clock import iso, span
from provisor.errors import NotFound
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.applications.model import Job
    from provisor.connector.check import ConnectionResult
    from provisor.provisioning.model import Cycle

commands = typer.Typer(no_args_is_help=True, help="Provisioning jobs: test, start, pause, watch.")

JobRef = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or its app's id or name.")]
Tenant = Annotated[
    str | None, typer.Option("--tenant", help="Its id, name or domain. Not needed if there is only one.")
]


@commands.command("test")
def check_connection(context: typer.Context, job: JobRef, tenant: Tenant = None) -> None:
    """Test Connection: look for somebody who cannot exist. Exit status 1 unless the target answers as it should."""
    here = session(context)

    async def work(services: AppServices) -> ConnectionResult:
        found = await find_job(services, tenant, job)
        return await services.provisioning.test(operator(), found.id)

    result = here.run(work)
    document = {
        "ok": result.ok,
        "cause": result.cause,
        "code": result.code,
        "message": result.message,
        "hint": result.hint,
        "request": result.exchange.request_line if result.exchange else None,
        "status": result.exchange.status if result.exchange else None,
    }

    def people() -> Iterable[RenderableType]:
        if result.ok:
            yield plain(result.message)

    if not result.ok:
        here.output.messages.print(f"Error: {result.message}", markup=False, soft_wrap=True)
        if result.hint:
            here.output.messages.print(result.hint, markup=False, soft_wrap=True)
    here.output.show(document, people)
    if not result.ok:
        raise typer.Exit(1)


@commands.command()
def start(
    context: typer.Context,
    job: JobRef,
    tenant: Tenant = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow one cycle to its end; run it here when no worker is alive.")
    ] = False,
) -> None:
    """Provisioning on: an initial cycle, or on from where it stood. Lifts a quarantine.

    With --wait, exit status 1 when the cycle is broken off or an object fails.
    """
    here = session(context)
    if wait:
        _start_and_wait(here, job, tenant)
        return

    async def work(services: AppServices) -> dict[str, Any]:
        found = await find_job(services, tenant, job)
        await services.provisioning.start(operator(), found.id)
        return await services.provisioning.status(operator(), found.id)

    show_status(here, here.run(work))


def _start_and_wait(here: Session, job: str, tenant: str | None) -> None:
    from provisor.cli.cycles import balance, cause, reasons
    from provisor.cli.working import cycle_document, follow, troubles, went_well, worker_here_or_elsewhere

    messages = here.output.messages

    def busy() -> None:
        messages.print("Another process is the worker of this database; it runs the cycle.", markup=False)

    async def work(services: AppServices) -> tuple[Job, Cycle, dict[str, Any], Sequence[Mapping[str, Any]]]:
        me = operator()
        found = await find_job(services, tenant, job)
        async with worker_here_or_elsewhere(services, busy):
            cycle = await follow(
                services,
                found.id,
                lambda: services.provisioning.start(me, found.id),
                messages,
                found.display_name,
            )
        status = await services.provisioning.status(me, found.id)
        return found, cycle, status, await troubles(services, found.id, cycle.id)

    found, cycle, status, entries = here.run(work)

    def people() -> Iterable[RenderableType]:
        yield balance([cycle])
        yield from reasons(entries)

    here.output.show({**status, "cycle": cycle_document(cycle)}, people)
    if went_well(cycle):
        return
    if why := cause(cycle, found.display_name):
        messages.print(f"Error: {why}", markup=False, soft_wrap=True)
    else:
        failed = (cycle.counts or {}).get("failed", 0)
        messages.print(f"Error: {failed} objects failed. They are tried again by themselves.", markup=False)
    raise typer.Exit(1)


@commands.command()
def pause(context: typer.Context, job: JobRef, tenant: Tenant = None) -> None:
    """Provisioning off. The running cycle goes on to its end; nothing is forgotten."""
    here = session(context)

    async def work(services: AppServices) -> dict[str, Any]:
        found = await find_job(services, tenant, job)
        await services.provisioning.pause(operator(), found.id)
        return await services.provisioning.status(operator(), found.id)

    show_status(here, here.run(work))


@commands.command()
def restart(
    context: typer.Context,
    job: JobRef,
    tenant: Tenant = None,
    reset_scope: Annotated[
        str,
        typer.Option(
            metavar="SCOPES",
            help="None, ConnectorDataStore, Escrows, Watermark, QuarantineState, Full or ForceDeletes, comma separated."
            " [default: QuarantineState,Watermark,Escrows, which keeps the links]",
        ),
    ] = "",
) -> None:
    """Look at every object anew."""
    here = session(context)

    async def work(services: AppServices) -> dict[str, Any]:
        found = await find_job(services, tenant, job)
        await services.provisioning.restart(operator(), found.id, reset_scope)
        return await services.provisioning.status(operator(), found.id)

    show_status(here, here.run(work))


@commands.command()
def status(context: typer.Context, job: JobRef, tenant: Tenant = None) -> None:
    """Where a job stands, as Graph's synchronizationJob."""
    here = session(context)

    async def work(services: AppServices) -> dict[str, Any]:
        found = await find_job(services, tenant, job)
        known = await services.learning.of(operator(), found.id)
        refused = [
            {
                "capability": one.capability,
                "value": one.value,
                "detail": one.detail,
                "first": iso(one.first_at),
                "last": iso(one.last_at),
                "times": one.times,
            }
            for one in known.refused
        ]
        document = await services.provisioning.status(operator(), found.id)
        target = {"profile": dict(known.profile), "refused": refused, "notes": list(known.notes)}
        running = await services.provisioning.progress(operator(), found.id) or None
        return {**document, "running": running, "target": target}

    show_status(here, here.run(work))


commands.command()(logs)


def _under_way(running: Mapping[str, Any]) -> Iterable[tuple[str, object]]:
    """How fast a running cycle is, and what its target has asked for."""
    if not running:
        return
    if running["objectsPerSecond"]:
        left = "" if running["etaSeconds"] is None else f", about {span(running['etaSeconds'])} to go"
        yield "pace", f"{running['objectsPerSecond']} objects a second{left}"
    pacing = running["pacing"]
    if pacing["requestsPerSecond"]:
        rate, asked = pacing["requestsPerSecond"], pacing["throttled"]
        yield "the target takes", f"about {rate} requests a second; {asked} answers asked for less"
    if pacing["atOnce"]:
        yield "requests at once", f"{pacing['atOnce']}, since its answers took long"
    if pacing["pausedUntil"]:
        yield "paused until", iso(pacing["pausedUntil"])


async def find_job(services: AppServices, tenant: str | None, ref: str) -> Job:
    """By its id, whosesoever it is, else the job of an app of the tenant. Raises ``ProvisorError``."""
    if tenant is None:
        try:
            return await services.applications.job(operator(), ref)
        except NotFound:
            tenant = None  # then it is an app's name or id
    where = await services.directory.find_tenant(operator(), tenant)
    return (await services.applications.find(operator(), where.id, ref)).job


def show_status(here: Session, document: dict[str, Any]) -> None:
    def people() -> Iterable[RenderableType]:
        now = document["status"]
        last = now["lastExecution"] or {}
        entries = ", ".join(f"{one['value']} {one['key']}s" for one in now["synchronizedEntryCountByType"])
        pairs: list[tuple[str, object]] = [
            ("job", document["id"]),
            ("state", now["code"]),
            ("schedule", f"{document['schedule']['interval']}, and at once when something changes"),
            ("in the target", entries or "nothing yet"),
        ]
        if last:
            pairs.append(("last cycle", f"{last['state']}, ended {last['timeEnded']}, {last['countExports']} exports"))
        if last.get("error"):
            pairs.append(("error", last["error"]["message"]))
        if now["nextAttempt"] and not now["quarantine"]:  # whose story names it
            pairs.append(("next attempt", f"{now['nextAttempt']}; starting the job makes one at once"))
        pairs += [
            ("running", f"{one['completedUnits']} of {one['totalUnits']} {one['units']}") for one in now["progress"]
        ]
        pairs += list(_under_way(document.get("running") or {}))
        if now["quarantine"]:
            story = now["quarantine"]
            pairs.append(("quarantine", f"{story['error']['message']} Next attempt: {story['nextAttempt']}."))
            if exchange := story["exchange"]:
                sent, back = exchange["requestBody"] or "", exchange["responseBody"]
                pairs.append(("what was sent", f"{exchange['request']} {sent}".rstrip()))
                pairs.append(("what came back", f"{exchange['status'] or 'nothing'} {back}".rstrip()))
            pairs.append(("what lifts it", story["lift"]))
        if now["credentials"]["state"] in ("unverified", "refused"):
            pairs.append(("credentials", f"{now['credentials']['state']}: {now['credentials']['message']}"))
        if now["undecided"]:
            pairs.append(("to decide", f"{now['undecided']} objects: provisor job pending JOB"))
        pairs += [
            (
                f"refuses {one['capability']}",
                f"{one['value']}: {one['detail']} ({one['times']} times, last {one['last']})",
            )
            for one in document.get("target", {}).get("refused", ())
        ]
        yield facts(pairs)

    here.output.show(document, people)
