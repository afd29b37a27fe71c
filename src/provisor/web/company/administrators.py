"""Company portal: the company's people, who of them has the Admin permission, and invitations."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.errors import NotFound
from provisor.provider.model import Administrator
from provisor.signin.model import Session
from provisor.web.company.keys import State
from provisor.web.company.navigation import ADMINISTRATORS
from provisor.web.company.pages import Pages
from provisor.web.html.flash import redirect
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.html.templating import render


def routes(pages: Pages) -> list[Route]:
    """The list, invitations, and the Admin permission."""
    here = pages.services

    async def show_list(request: Request, session: Session) -> Response:
        people = await here.companies.administrators(session.actor, session.realm_id)
        return render(
            request,
            "company/administrators.html",
            people=[(one, _state(one)) for one in people],
            invitations=await here.links.invitations(session.actor, session.realm_id),
        )

    async def show_invite(request: Request, session: Session) -> Response:
        return render(request, "company/invite.html", form=Form.empty())

    async def invite(request: Request, session: Session) -> Response:
        form = form_of(request)
        email = form.text("email", "Give the e-mail address of whom to invite.")
        people = await here.companies.administrators(session.actor, session.realm_id)
        if any(one.email == email.lower() for one in people):
            form.fail("email", f"{email} belongs to this company already.")
        if form.ok:
            with form.catching("email"):
                made = await here.links.invite(session.actor, session.realm_id, email)
                return render(request, "company/invited.html", link=made.link, url=pages.address(request) + made.path)
        return render(request, "company/invite.html", status=422, form=form)

    async def withdraw(request: Request, session: Session) -> Response:
        await here.links.withdraw(session.actor, session.realm_id, request.path_params["id"])
        return redirect(request, ADMINISTRATORS, "The invitation was withdrawn; its link opens nothing any more.")

    async def ask_take(request: Request, session: Session) -> Response:
        person = await _person(request, session)
        return _ask(
            request,
            f"Take the Admin permission from {person.email}?",
            "They cannot administer the company any more, and their API keys stop working until they have it again. "
            "The list of keys says so.",
            f"{ADMINISTRATORS}/{person.id}/take",
            "Take it",
        )

    async def take(request: Request, session: Session) -> Response:
        return await _set(request, session, False)

    async def give(request: Request, session: Session) -> Response:
        return await _set(request, session, True)

    async def ask_remove(request: Request, session: Session) -> Response:
        person = await _person(request, session)
        return _ask(
            request,
            f"Remove {person.email}?",
            "They cannot sign in to the company any more, and the API keys that are theirs stop working for good.",
            f"{ADMINISTRATORS}/{person.id}/remove",
            "Remove",
        )

    async def remove(request: Request, session: Session) -> Response:
        person = await _person(request, session)
        await here.companies.remove_administrator(session.actor, session.realm_id, person.email)
        return redirect(request, ADMINISTRATORS, f"{person.email} does not belong to the company any more.")

    async def _set(request: Request, session: Session, is_admin: bool) -> Response:
        person = await _person(request, session)
        await here.companies.set_admin(session.actor, session.realm_id, person.email, is_admin)
        done = "has the Admin permission" if is_admin else "has lost the Admin permission, and so have their keys"
        to = ADMINISTRATORS if is_admin or person.id != session.subject_id else "/company"
        return redirect(request, to, f"{person.email} {done}.")

    async def _person(request: Request, session: Session) -> Administrator:
        for person in await here.companies.administrators(session.actor, session.realm_id):
            if person.id == request.path_params["id"]:
                return person
        raise NotFound("There is no such person in this company.", hint="They may have been removed already.")

    one = f"{ADMINISTRATORS}/{{id}}"
    return [
        pages.get(ADMINISTRATORS, show_list),
        *pages.both(f"{ADMINISTRATORS}/invite", show_invite, invite),
        pages.post(f"{ADMINISTRATORS}/invitations/{{id}}/withdraw", withdraw),
        *pages.both(f"{one}/take", ask_take, take),
        pages.post(f"{one}/give", give),
        *pages.both(f"{one}/remove", ask_remove, remove),
    ]


def _state(person: Administrator) -> State:
    if person.disabled_at is not None:
        return State("Disabled", "red", "Their user was disabled over SCIM, so their keys do not work.")
    return State("Admin", "green") if person.is_admin else State("Member", "secondary")


def _ask(request: Request, title: str, text: str, action: str, verb: str) -> Response:
    return render(
        request,
        "confirm.html",
        form=Form.empty(),
        title=title,
        text=[text],
        action=action,
        verb=verb,
        danger=True,
        back=ADMINISTRATORS,
        fields={},
    )
