"""``provisor job logs``: the provisioning log of a job, by what is asked for, on the screen or into files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from provisor.cli.output import table
from provisor.cli.session import moment_option, session
from provisor.errors import InvalidInput
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.provisioning.log.model import Entry, LogFilter

_FORMATS = ("csv", "jsonl")
Status = Literal["success", "failure", "skipped", "warning"]
Action = Literal["create", "update", "disable", "delete", "stagedDelete", "other"]


def logs(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or its app: an id or a name.")],
    tenant: Annotated[str | None, typer.Option(help="The tenant, where there are several.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many entries at most.")] = 50,
    status: Annotated[Status | None, typer.Option(help="Only entries that ended so.")] = None,
    action: Annotated[Action | None, typer.Option(help="Only what was done, or tried, in this way.")] = None,
    error_code: Annotated[str | None, typer.Option(help="Only this error code or skip reason.")] = None,
    cycle: Annotated[str | None, typer.Option(help="Only this cycle's.")] = None,
    change: Annotated[str | None, typer.Option(help="Only this change's.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this user's or group's: an id.")] = None,
    name: Annotated[str | None, typer.Option(help="Only those whose name contains this.")] = None,
    target: Annotated[str | None, typer.Option(help="Only this object's of the target: its id there.")] = None,
    since: Annotated[str | None, typer.Option(help="Not before this moment: 2026-01-31T12:00:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this moment.")] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write all of it to this file (jsonl), or into this folder (csv).")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv: three files, joined by the change id; jsonl: an entry a line.  [default: jsonl where the name "
            "ends so, else csv]",
        ),
    ] = None,
) -> None:
    """The provisioning log, newest first."""
    here = session(context)
    if format_ is None:
        format_ = "jsonl" if export is not None and export.suffix == ".jsonl" else "csv"
    if format_ not in _FORMATS:
        raise InvalidInput(f"--format is {format_!r}.", hint="Give csv or jsonl.")
    begin, end = moment_option(since, "--since"), moment_option(until, "--until")

    async def asked(services: AppServices) -> tuple[str, LogFilter]:
        from provisor.cli.job import find_job
        from provisor.provisioning.log.model import LogFilter

        found = await find_job(services, tenant, job)
        return found.tenant_id, LogFilter(
            job_id=found.id,
            cycle_id=cycle,
            change_id=change,
            status=status,
            action=action,
            error_code=error_code,
            source_id=source,
            target_id=target,
            source_name=name,
            since=begin,
            until=end,
        )

    if export is not None:
        where = export

        async def write(services: AppServices) -> tuple[int, list[str]]:
            from provisor.provisioning.log.export import Export

            tenant_id, wanted = await asked(services)
            files = Export(where, "csv" if format_ == "csv" else "jsonl")
            try:
                async for entries in services.log.pages(operator(), tenant_id, wanted):
                    files.write(entries)
            finally:
                files.close()
            return files.written, [str(path) for path in files.files]

        written, paths = here.run(write)
        here.output.show({"entries": written, "files": paths}, lambda: [f"{written} entries: {', '.join(paths)}"])
        return

    async def read(services: AppServices) -> Sequence[Entry]:
        tenant_id, wanted = await asked(services)
        return await services.log.latest(operator(), tenant_id, wanted, limit)

    entries = here.run(read)

    def people() -> Iterable[RenderableType]:
        if not entries:
            yield "No entry."
            return
        yield table(("When", "What", "Status", "Who", "Why or what"), [_row(entry) for entry in entries])

    here.output.show(entries, people)


def _row(entry: Entry) -> tuple[str, ...]:
    status: dict[str, Any] = entry["provisioningStatusInfo"]
    information = status.get("errorInformation")
    if information:
        why = f"{information['errorCode']}: {information['reason'] or ''}"
    else:
        why = ", ".join(change["displayName"] for change in entry["modifiedProperties"])
    who = entry["sourceIdentity"]
    return (entry["activityDateTime"], entry["provisioningAction"], status["status"], who["displayName"], why)
