"""``provisor directory``: people and groups in and out, in Entra's own CSV formats."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisor.cli.output import facts, table
from provisor.cli.session import session
from provisor.errors import InvalidInput
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.directory.files.report import ImportReport

commands = typer.Typer(no_args_is_help=True, help="People and groups, in Entra's CSV formats.")

# Some 600,000 people.
_MOST_BYTES = 128 << 20
_LONGEST_NAME = 80

Tenant = Annotated[
    str | None, typer.Option("--tenant", help="Its id, name or domain. Not needed if there is only one.")
]


@commands.command("import")
def import_(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", exists=True, dir_okay=False, help="Bulk-create, members or download-users CSV."
        ),
    ],
    tenant: Tenant = None,
    group: Annotated[
        str | None, typer.Option(metavar="NAME", help="The group that members files fill; made where it is missing.")
    ] = None,
) -> None:
    """Bring files into the directory. With any fault in any of them, every one is told and nothing is applied."""
    here = session(context)

    async def work(services: AppServices) -> ImportReport:
        from provisor.directory.files.importing import import_files
        from provisor.directory.files.report import InputFile

        found = await services.directory.find_tenant(operator(), tenant)
        sources = [InputFile(str(file), _read(file), group) for file in files]
        return await import_files(services.directory, operator(), found.id, sources)

    report = here.run(work)
    if report.errors:
        messages = here.output.messages
        for fault in report.errors:
            messages.print(
                fault_line(fault.file, fault.line, fault.column, fault.message), markup=False, soft_wrap=True
            )
        count = len(report.errors)
        messages.print(f"Nothing was imported: {count} fault{'s' if count > 1 else ''}.", style="bold red")

    def people() -> Iterable[RenderableType]:
        if report.errors:
            return
        pairs = [("created", report.created), ("updated", report.updated), ("unchanged", report.unchanged)]
        yield facts(pairs)
        if report.groups:
            rows = [(g.name, "new" if g.created else "was there", g.added, g.unchanged) for g in report.groups]
            yield table(("Group", "", "Members added", "Members before"), rows)
        if report.passwords_ignored:
            yield (
                f"{report.passwords_ignored} initial passwords were not stored. Whoever is to sign in here sets one by "
                "a one-time link: provisor admin reset PERSON"
            )
        if report.columns_ignored:
            yield f"Columns that only the directory itself fills were left out: {', '.join(report.columns_ignored)}."

    import msgspec

    here.output.show(msgspec.to_builtins(report), people)
    if report.errors:
        raise typer.Exit(1)


@commands.command()
def export(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Where to. [default: standard output]")] = None,
    tenant: Tenant = None,
    group: Annotated[str | None, typer.Option(metavar="NAME", help="A group's members instead of all users.")] = None,
) -> None:
    """Write all users (download-users format) or a group's members (bulk-import format)."""
    here = session(context)
    if file is None and here.output.as_json:
        raise typer.BadParameter("With --output json, standard output has a JSON document: name a FILE.")

    async def work(services: AppServices) -> int:
        from provisor.directory.files.exporting import export_members, export_users

        found = await services.directory.find_tenant(operator(), tenant)
        if group is None:
            return await _write(file, export_users(services.directory, operator(), found.id))
        chosen = await services.directory.find_group(operator(), found.id, group)
        return await _write(file, export_members(services.directory, operator(), found.id, chosen.id))

    size = here.run(work)
    if file is not None:
        here.output.show({"file": str(file), "bytes": size}, lambda: [f"{file}: {size:,} bytes."])


def fault_line(file: str, line: int, column: str | None, message: str) -> str:
    """``users.csv:3: userPrincipalName: …``, as compilers write it; line 0 is the whole file."""
    place = f"{file}:{line}" if line else file
    if not column:
        return f"{place}: {message}"
    # What stands in a file that is none of these is not let loose on a terminal.
    return f"{place}: {column[:_LONGEST_NAME] if column.isprintable() else ascii(column[:_LONGEST_NAME])}: {message}"


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.", hint="Nothing was imported.") from error
    if len(content) > _MOST_BYTES:
        raise InvalidInput(
            f"{file} has more than {_MOST_BYTES >> 20} MiB.",
            hint="Nothing was imported. See that it is the right file, or split it.",
        )
    return content


async def _write(file: Path | None, pieces: AsyncIterator[str]) -> int:
    size = 0
    if file is None:
        async for piece in pieces:
            size += sys.stdout.buffer.write(piece.encode())
        sys.stdout.buffer.flush()
        return size
    # Beside it first, so that a broken export never stands where a whole one stood.
    draft = file.with_name(f".{file.name}.part")
    try:
        with draft.open("wb") as target:
            async for piece in pieces:
                size += target.write(piece.encode())
        draft.replace(file)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.", hint="Name another file.") from error
    finally:
        draft.unlink(missing_ok=True)
    return size
