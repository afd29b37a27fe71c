"""``provisor migrate``, ``backup``, ``restore`` and ``secrets``: the database itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisor.cli.output import moment
from provisor.cli.session import read_text_argument, session
from provisor.clock import SystemClock, iso
from provisor.security.actor import operator

if TYPE_CHECKING:
    from provisor.app.services import AppServices
    from provisor.app.upkeep.rotation import Rotated

secrets = typer.Typer(no_args_is_help=True, help="The key that stored secrets are sealed with.")


def register(commands: typer.Typer) -> None:
    """Add the commands of this module."""
    commands.command()(migrate)
    commands.command()(backup)
    commands.command()(restore)
    commands.add_typer(secrets, name="secrets")


def migrate(context: typer.Context) -> None:
    """Bring the database to this program's version."""
    here = session(context)

    async def work(services: AppServices) -> str:
        # Whoever opens the database migrates it; this command does nothing else.
        return services.database.dialect

    engine = here.run(work)
    here.output.show({"engine": engine, "current": True}, lambda: ["The database is of this program's version."])


def backup(context: typer.Context, file: Annotated[Path, typer.Argument(help="A new file.")]) -> None:
    """Copy an embedded database, also while it serves. Keep secret.key too, and not beside the copy."""
    from provisor.app.upkeep.copies import backup as make

    here = session(context)
    copy = asyncio.run(make(here.settings(), file, SystemClock()))
    here.output.show(
        {"file": str(copy.path), "bytes": copy.size, "made": iso(copy.made_at), "key": copy.key_id},
        lambda: [
            f"{copy.path}: {copy.size:,} bytes, the state of {moment(copy.made_at)}.",
            f"Its secrets are sealed with the key {copy.key_id}: keep that key, apart from the copy.",
        ],
    )


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What 'provisor backup' made.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a copy in the place of the embedded database. Stop every server and worker before."""
    from provisor.app.upkeep.copies import restore as put
    from provisor.app.upkeep.store import UpkeepStore

    here = session(context)
    settings = here.settings()
    if not yes:
        typer.confirm(f"Put {file} in the place of the database in {settings.lock_dir}?", abort=True, err=True)
    copy, aside = asyncio.run(put(settings, file, SystemClock()))

    async def settle(services: AppServices) -> None:
        now = services.clock.now_ms()
        await UpkeepStore(services.database).settle_after_restore(copy.made_at, actor=operator(), at=now)

    here.run(settle)
    here.output.show(
        {"made": iso(copy.made_at), "replaced": None if aside is None else str(aside)},
        lambda: [
            f"The database is in the state of {moment(copy.made_at)}. Every job begins with a full cycle.",
            *([f"What was there before is kept in {aside}."] if aside else []),
        ],
    )


@secrets.command()
def rotate(
    context: typer.Context,
    new_key_file: Annotated[
        str | None,
        typer.Option(help="The new key's file, or - for standard input; needed where PROVISOR_SECRET_KEY is set."),
    ] = None,
) -> None:
    """Seal every stored secret with a new key. Stop every server and worker before. API keys stay valid."""
    from provisor.app.upkeep.rotation import rotate as seal

    here = session(context)
    given = None if new_key_file is None else read_text_argument(new_key_file)

    async def work(services: AppServices) -> Rotated:
        return await seal(services, operator(), given)

    done = here.run(work)
    here.output.show(
        {"secrets": done.secrets, "before": done.before, "after": done.after},
        lambda: [
            f"{done.secrets} secrets are sealed with the key {done.after} now, and no more with {done.before}.",
            *(["Put the new key into PROVISOR_SECRET_KEY before anything starts again."] if done.in_variable else []),
        ],
    )
