"""The command line's entry: global options, the list of commands, and what becomes of errors.

Exit status: 0 done, 1 the operation failed (said why), 2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from provisor import __version__
from provisor.cli import (
    apikey,
    app,
    audit,
    certify,
    company,
    company_schema,
    demo,
    directory,
    job,
    job_control,
    job_explain,
    job_guards,
    job_making,
    job_ondemand,
    job_plan,
    maintenance,
    oauthclient,
    schema,
    serve,
    signin,
    tenant,
    webhook,
    worker,
)
from provisor.cli.output import Output
from provisor.cli.session import Format, Session, debugging, hoisted
from provisor.errors import ProvisorError

commands = typer.Typer(
    name="provisor",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="--data, --database-url and --output may also stand after the command.",
)
for noun in (demo, serve, worker, maintenance, certify):
    noun.register(commands)
for name, group in (
    ("tenant", tenant.commands),
    ("company", company.commands),
    ("apikey", apikey.commands),
    ("oauth-client", oauthclient.commands),
    ("webhook", webhook.commands),
    ("directory", directory.commands),
    ("app", app.commands),
    ("job", job.commands),
    ("schema", schema.commands),
    ("audit", audit.commands),
    ("token", signin.token_commands),
    ("role", signin.role_commands),
    ("admin", signin.admin_commands),
):
    commands.add_typer(group, name=name)
job_control.register(job.commands)
job_explain.register(job.commands)
job_guards.register(job.commands)
job_making.register(job.commands)
job_ondemand.register(job.commands)
job_plan.register(job.commands)
company.commands.add_typer(company_schema.commands, name="schema")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"provisor {__version__}")
        raise typer.Exit


@commands.callback()
def options(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(envvar="PROVISOR_DATA", help="Folder of the embedded database.  [default: ./provisor-data]"),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            envvar="PROVISOR_DATABASE_URL", show_envvar=True, help="postgresql://USER@HOST/NAME instead of SQLite."
        ),
    ] = None,
    output: Annotated[
        Format, typer.Option(envvar="PROVISOR_OUTPUT", help="Tables for people, or one JSON document.")
    ] = "table",
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Both sides of SCIM provisioning: a directory that provisions, and a SCIM 2.0 service provider."""
    made = context.obj
    context.obj = Session(data, database_url, made if isinstance(made, Output) else Output(as_json=output == "json"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends with ``SystemExit``."""
    words = hoisted(sys.argv[1:] if arguments is None else arguments)
    output = Output(as_json=_wants_json(words))
    try:
        commands(words, prog_name="provisor", obj=output)
    except ProvisorError as error:
        output.failed(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Who read our output has seen enough; what Python still holds back for it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except SystemExit as end:
        if end.code == 2:
            output.failed_silently("WrongUse", "The command was not used rightly; standard error says how.")
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence: no stack trace reaches a person
        _bug(error, output)
        sys.exit(1)


def _bug(error: Exception, output: Output) -> None:
    message = f"{type(error).__name__}: {error}. This is a bug in Provisor."
    output.messages.print(f"Error: {message}", markup=False, soft_wrap=True)
    if debugging():
        traceback.print_exception(error)
    else:
        output.messages.print("Run it again with PROVISOR_DEBUG=1 to see where it happened.", markup=False)
    output.failed_silently("Bug", message)


def _wants_json(words: Sequence[str]) -> bool:
    """Known before the words are understood, for what is said when they are not."""
    wanted = os.environ.get("PROVISOR_OUTPUT", "")
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--output":
            wanted = following
        elif word.startswith("--output="):
            wanted = word.partition("=")[2]
    return wanted == "json"
