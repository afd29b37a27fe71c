"""``provisor company schema``: a company's own SCIM schemas, extensions and resource types."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from provisor.cli.output import table
from provisor.cli.session import session
from provisor.errors import InvalidInput
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.provider.resources.custom.model import Definition

commands = typer.Typer(no_args_is_help=True, help="A company's own SCIM schemas, extensions and resource types.")

Company = Annotated[str | None, typer.Option("--company", help="Its id or name. Not needed where there is only one.")]


@commands.command()
def add(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON: a schema, a resource type, or an array of them.")
    ],
    company: Company = None,
    extends: Annotated[
        str | None, typer.Option(metavar="TYPE", help="The resource type that the schema extends: User or Group.")
    ] = None,
    required: Annotated[bool, typer.Option("--required", help="Every new resource must have the extension.")] = False,
) -> None:
    """Add schemas in the form of RFC 7643, sections 6 and 7. Servers that run know them within two seconds."""
    here = session(context)
    try:
        document = msgspec.json.decode(file.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} is not JSON: {error}.", hint="Write a schema as /Schemas shows them.") from error

    async def work(services: AppServices) -> list[Definition]:
        found = await services.companies.find_company(operator(), company)
        return await services.resources.custom.add(operator(), found.id, document, extends=extends, required=required)

    added = here.run(work)
    here.output.show(
        [_document(one) for one in added], lambda: [f"{one.id} {_purpose(one)} from now on." for one in added]
    )


@commands.command("list")
def list_(context: typer.Context, company: Company = None) -> None:
    """The company's own schemas. The built-in ones are not listed."""
    here = session(context)

    async def work(services: AppServices) -> list[Definition]:
        found = await services.companies.find_company(operator(), company)
        return await services.resources.custom.definitions(operator(), found.id)

    found = here.run(work)

    def people() -> Iterable[RenderableType]:
        if not found:
            yield "The company has no schemas of its own. Add one: provisor company schema add FILE --extends User"
            return
        yield table(("Schema", "What for"), [(one.id, _purpose(one)) for one in found])

    here.output.show([_document(one) for one in found], people)


@commands.command()
def remove(
    context: typer.Context,
    schema: Annotated[str, typer.Argument(metavar="URN", help="The schema's id.")],
    company: Company = None,
) -> None:
    """Remove a schema that no resource has values of."""
    here = session(context)

    async def work(services: AppServices) -> Definition:
        found = await services.companies.find_company(operator(), company)
        return await services.resources.custom.remove(operator(), found.id, schema)

    gone = here.run(work)
    here.output.show({"id": gone.id, "removed": True}, lambda: [f"{gone.id} is gone."])


def _purpose(definition: Definition) -> str:
    parts = []
    if definition.resource_type is not None:
        parts.append(
            f"is the resource type {definition.resource_type['name']} at {definition.resource_type['endpoint']}"
        )
    for kind, required in definition.extends.items():
        parts.append(f"extends {kind}{' and is required' if required else ''}")
    return ", ".join(parts)


def _document(definition: Definition) -> dict[str, Any]:
    return {
        "id": definition.id,
        "extends": [{"resource_type": kind, "required": required} for kind, required in definition.extends.items()],
        "resource_type": definition.resource_type,
        "attributes": [attribute["name"] for attribute in definition.schema["attributes"]],
    }
