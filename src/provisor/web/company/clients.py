"""Company portal: OAuth clients, each with one secret or several, so that one can be replaced while another works."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.errors import NotFound
from provisor.provider.clients.model import ClientSecret, OAuthClient
from provisor.signin.model import Session
from provisor.web.company.keys import DIALECTS, State, in_a_year
from provisor.web.company.navigation import CLIENTS
from provisor.web.company.pages import Pages
from provisor.web.html.flash import redirect
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.html.templating import render
from provisor.web.oauth.token import TOKEN_PATH


def routes(pages: Pages) -> list[Route]:
    """The list, one client, and what is done with them."""
    here = pages.services

    async def show_list(request: Request, session: Session) -> Response:
        found = await here.clients.clients(session.actor, session.realm_id)
        now = here.clock.now_ms()
        return render(
            request, "company/clients.html", clients=[(one, _client_state(one, now)) for one in reversed(found)]
        )

    async def show_add(request: Request, session: Session) -> Response:
        return _add_page(request, Form.filled(expires=in_a_year(here.clock.now_ms()), dialect="entra"), 200)

    async def add(request: Request, session: Session) -> Response:
        form = form_of(request)
        name = form.text("name", "Give the client a name: who uses it.", most=100)
        expires = form.text("expires") or None
        dialect = form.choice("dialect", [value for value, _, _ in DIALECTS])
        if form.ok:
            with form.catching("name" if expires is None else "expires"):
                client, text = await here.clients.create(
                    session.actor, session.realm_id, name, expires=expires, dialect=dialect
                )
                return _shown_once(request, client, text)
        return _add_page(request, form, 422)

    async def show(request: Request, session: Session) -> Response:
        return await _page(request, session, Form.filled(expires=in_a_year(here.clock.now_ms())), 200)

    async def add_secret(request: Request, session: Session) -> Response:
        form = form_of(request)
        expires = form.text("expires") or None
        if form.ok:
            with form.catching("expires"):
                client, _, text = await here.clients.add_secret(
                    session.actor, session.realm_id, (await _client(request, session)).id, expires=expires
                )
                return _shown_once(request, client, text)
        return await _page(request, session, form, 422)

    async def ask_revoke_secret(request: Request, session: Session) -> Response:
        client = await _client(request, session)
        secret = request.path_params["secret"]
        return _ask(
            request,
            f"Revoke this secret of {client.name}?",
            "Tokens that were given for it stop working at once. The client's other secrets go on.",
            f"{CLIENTS}/{client.id}/secrets/{secret}/revoke",
            f"{CLIENTS}/{client.id}",
        )

    async def revoke_secret(request: Request, session: Session) -> Response:
        client = await _client(request, session)
        secret = request.path_params["secret"]
        await here.clients.revoke_secret(session.actor, session.realm_id, client.id, secret)
        return redirect(request, f"{CLIENTS}/{client.id}", "The secret was revoked, and the tokens given for it.")

    async def ask_revoke(request: Request, session: Session) -> Response:
        client = await _client(request, session)
        return _ask(
            request,
            f"Revoke the client {client.name}?",
            "All its secrets and tokens stop working at once. A client that was revoked cannot be brought back.",
            f"{CLIENTS}/{client.id}/revoke",
            CLIENTS,
        )

    async def revoke(request: Request, session: Session) -> Response:
        client = await here.clients.revoke(session.actor, session.realm_id, (await _client(request, session)).id)
        return redirect(request, CLIENTS, f"The client {client.name!r} was revoked.")

    async def _client(request: Request, session: Session) -> OAuthClient:
        for client in await here.clients.clients(session.actor, session.realm_id):
            if client.id == request.path_params["id"]:
                return client
        raise NotFound("There is no such client.", hint="See the list of clients.")

    async def _page(request: Request, session: Session, form: Form, status: int) -> Response:
        client = await _client(request, session)
        now = here.clock.now_ms()
        return render(
            request,
            "company/client.html",
            status=status,
            form=form,
            client=client,
            state=_client_state(client, now),
            secrets=[(secret, _secret_state(secret, now)) for secret in reversed(client.secrets)],
            token_url=pages.address(request) + TOKEN_PATH,
            scim_url=pages.scim_url(request),
        )

    def _shown_once(request: Request, client: OAuthClient, text: str) -> Response:
        return render(
            request,
            "company/client_made.html",
            client=client,
            text=text,
            token_url=pages.address(request) + TOKEN_PATH,
            scim_url=pages.scim_url(request),
        )

    return [
        pages.get(CLIENTS, show_list),
        *pages.both(f"{CLIENTS}/add", show_add, add),
        pages.get(f"{CLIENTS}/{{id}}", show),
        pages.post(f"{CLIENTS}/{{id}}/secrets", add_secret),
        *pages.both(f"{CLIENTS}/{{id}}/secrets/{{secret}}/revoke", ask_revoke_secret, revoke_secret),
        *pages.both(f"{CLIENTS}/{{id}}/revoke", ask_revoke, revoke),
    ]


def _client_state(client: OAuthClient, now: int) -> State:
    if client.revoked_at is not None:
        return State("Revoked", "secondary")
    if not any(secret.works(now) for secret in client.secrets):
        return State("Does not work", "red", "None of its secrets works any more: add one.")
    return State("Works", "green")


def _secret_state(secret: ClientSecret, now: int) -> State:
    if secret.revoked_at is not None:
        return State("Revoked", "secondary")
    return State("Works", "green") if secret.works(now) else State("Expired", "secondary")


def _add_page(request: Request, form: Form, status: int) -> Response:
    return render(request, "company/client_add.html", status=status, form=form, dialects=DIALECTS)


def _ask(request: Request, title: str, text: str, action: str, back: str) -> Response:
    return render(
        request,
        "confirm.html",
        form=Form.empty(),
        title=title,
        text=[text],
        action=action,
        verb="Revoke",
        danger=True,
        back=back,
        fields={},
    )
