"""Company portal: schemas, extensions and resource types of the company's own."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.errors import NotFound
from provisor.provider.resources.custom.model import Definition
from provisor.signin.model import Session
from provisor.web.company.navigation import SCHEMAS
from provisor.web.company.pages import Pages
from provisor.web.html.flash import redirect
from provisor.web.html.forms import PAGE, Form
from provisor.web.html.guard import form_of, text_of
from provisor.web.html.templating import render


def routes(pages: Pages) -> list[Route]:
    """The list, one schema, adding and removing."""
    custom = pages.services.resources.custom

    async def show_list(request: Request, session: Session) -> Response:
        found = await custom.definitions(session.actor, session.realm_id)
        return render(request, "company/schemas.html", definitions=found)

    async def show_one(request: Request, session: Session) -> Response:
        one = await _definition(request, session)
        document = {"schema": one.schema, "extends": one.extends, "resourceType": one.resource_type}
        text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
        return render(request, "company/schema.html", one=one, document=text)

    async def show_add(request: Request, session: Session) -> Response:
        return render(request, "company/schema_add.html", form=Form.filled(extends="User"))

    async def add(request: Request, session: Session) -> Response:
        form = form_of(request)
        document = _document(form)
        extends = form.choice("extends", ("User", "Group", "none"))
        if form.ok:
            with form.catching("document"):
                added = await custom.add(
                    session.actor,
                    session.realm_id,
                    document,
                    extends=None if extends == "none" else extends,
                    required=form.ticked("required"),
                )
                names = ", ".join(one.id for one in added)
                return redirect(request, SCHEMAS, f"Added {names}. Provisioners see it from now on.")
        return render(request, "company/schema_add.html", status=422, form=form)

    async def ask_remove(request: Request, session: Session) -> Response:
        one = await _definition(request, session)
        return render(
            request,
            "confirm.html",
            form=Form.empty(),
            title="Remove this schema?",
            text=[one.id, "It can only be removed while no user, group or other resource has values of it."],
            action=f"{SCHEMAS}/remove",
            verb="Remove",
            danger=True,
            back=SCHEMAS,
            fields={"urn": one.id},
        )

    async def remove(request: Request, session: Session) -> Response:
        one = await custom.remove(session.actor, session.realm_id, form_of(request).raw("urn"))
        return redirect(request, SCHEMAS, f"{one.id} was removed.")

    async def _definition(request: Request, session: Session) -> Definition:
        urn = text_of(request, "urn", 500).lower()
        for one in await custom.definitions(session.actor, session.realm_id):
            if one.id.lower() == urn:
                return one
        raise NotFound("The company has no such schema of its own.", hint="It may have been removed already.")

    return [
        pages.get(SCHEMAS, show_list),
        pages.get(f"{SCHEMAS}/one", show_one),
        *pages.both(f"{SCHEMAS}/add", show_add, add),
        *pages.both(f"{SCHEMAS}/remove", ask_remove, remove),
    ]


def _document(form: Form) -> Any:
    text = form.raw("document").strip()
    if not text:
        form.fail("document", "Paste the schema, as JSON.")
        return None
    if len(text) > PAGE:
        form.fail("document", f"This is too long: {len(text):,} characters. At most {PAGE:,} fit.")
        return None
    try:
        return msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError) as error:
        form.fail("document", f"This is not JSON: {error}.")
        return None
