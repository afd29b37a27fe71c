"""``provisor migrate``: the database itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from provisor.cli.session import session

if TYPE_CHECKING:
    from provisor.app.services import AppServices


def register(commands: typer.Typer) -> None:
    """Add the commands of this module."""
    commands.command()(migrate)


def migrate(context: typer.Context) -> None:
    """Bring the database to this program's version."""
    here = session(context)

    async def work(services: AppServices) -> str:
        # Whoever opens the database migrates it; this command does nothing else.
        return services.database.dialect

    engine = here.run(work)
    here.output.show({"engine": engine, "current": True}, lambda: ["The database is of this program's version."])
