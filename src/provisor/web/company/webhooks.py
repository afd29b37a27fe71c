"""Company portal: webhooks. Where changes are sent, how far each has come, and what it last answered."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.errors import NotFound
from provisor.events.webhooks.model import Webhook
from provisor.signin.model import Session
from provisor.web.company.keys import State
from provisor.web.company.pages import Pages
from provisor.web.html.flash import redirect
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.html.templating import render

_HERE = "/company/webhooks"
_LONGEST_URL = 2_000
_LAST = 2**53


def routes(pages: Pages) -> list[Route]:
    """The list, and what is done with webhooks."""
    here = pages.services

    async def show_list(request: Request, session: Session) -> Response:
        hooks = await here.webhooks.webhooks(session.actor, session.realm_id)
        head = (await here.outbox.span(session.actor, session.realm_id)).head
        return render(request, "company/webhooks.html", hooks=[(one, _state(one, head)) for one in hooks], head=head)

    async def show_add(request: Request, session: Session) -> Response:
        return render(request, "company/webhook_add.html", form=Form.filled(begin="now"))

    async def add(request: Request, session: Session) -> Response:
        form = form_of(request)
        url = form.text("url", "Give the address that changes are sent to.", most=_LONGEST_URL)
        whole = form.choice("begin", ("now", "first")) == "first"
        if form.ok:
            with form.catching("url"):
                after = (await here.outbox.span(session.actor, session.realm_id)).floor if whole else None
                hook, secret = await here.webhooks.add(session.actor, session.realm_id, url, after=after)
                return render(request, "company/webhook_made.html", hook=hook, secret=secret)
        return render(request, "company/webhook_add.html", status=422, form=form)

    async def ask_remove(request: Request, session: Session) -> Response:
        hook = await _hook(request, session)
        return render(
            request,
            "confirm.html",
            form=Form.empty(),
            title="Remove this webhook?",
            text=[f"Nothing is sent to {hook.url} any more.", "The changes stay, and can be read or sent elsewhere."],
            action=f"{_HERE}/{hook.id}/remove",
            verb="Remove",
            danger=True,
            back=_HERE,
            fields={},
        )

    async def remove(request: Request, session: Session) -> Response:
        hook = await here.webhooks.remove(session.actor, session.realm_id, (await _hook(request, session)).id)
        return redirect(request, _HERE, f"Nothing is sent to {hook.url} any more.")

    async def show_replay(request: Request, session: Session) -> Response:
        hook = await _hook(request, session)
        return render(request, "company/webhook_replay.html", hook=hook, form=Form.filled(after=str(hook.position)))

    async def replay(request: Request, session: Session) -> Response:
        form = form_of(request)
        hook = await _hook(request, session)
        after = form.number("after", 0, _LAST)
        if form.ok:
            with form.catching("after"):
                position = await here.webhooks.replay(session.actor, session.realm_id, hook.id, after=after)
                return redirect(request, _HERE, f"Changes after number {position} are being sent to {hook.url}.")
        return render(request, "company/webhook_replay.html", status=422, hook=hook, form=form)

    async def _hook(request: Request, session: Session) -> Webhook:
        for hook in await here.webhooks.webhooks(session.actor, session.realm_id):
            if hook.id == request.path_params["id"]:
                return hook
        raise NotFound("There is no such webhook.", hint="It may have been removed already.")

    return [
        pages.get(_HERE, show_list),
        *pages.both(f"{_HERE}/add", show_add, add),
        *pages.both(f"{_HERE}/{{id}}/remove", ask_remove, remove),
        *pages.both(f"{_HERE}/{{id}}/replay", show_replay, replay),
    ]


def _state(hook: Webhook, head: int) -> State:
    if hook.paused is not None:
        return State("Paused", "red", hook.paused)
    if hook.failures:
        return State("Failing", "yellow", f"{hook.failures} times in a row; it is tried again.")
    return State("Up to date", "green") if hook.position >= head else State("Sending", "blue")
