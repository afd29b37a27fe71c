"""Company portal: authentication. The SCIM address, and the three kinds of what calls with a credential."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.errors import NotFound
from provisor.signin.model import Session
from provisor.web.company.keys import state_of
from provisor.web.company.navigation import ACCOUNTS, AUTHENTICATION
from provisor.web.company.pages import Pages
from provisor.web.html.flash import redirect
from provisor.web.html.forms import Form
from provisor.web.html.templating import render
from provisor.web.oauth.token import TOKEN_PATH


def routes(pages: Pages) -> list[Route]:
    """The page that leads to them, and service accounts."""
    here = pages.services

    async def show(request: Request, session: Session) -> Response:
        now = here.clock.now_ms()
        keys = await here.companies.listed_keys(session.actor, session.realm_id)
        clients = await here.clients.clients(session.actor, session.realm_id)
        accounts = await here.companies.service_accounts(session.actor, session.realm_id)
        states = [state_of(one, now).kind for one in keys]
        return render(
            request,
            "company/authentication.html",
            scim_url=pages.scim_url(request),
            token_url=pages.address(request) + TOKEN_PATH,
            working=states.count("green") + states.count("yellow"),
            broken=states.count("red"),
            clients=sum(one.revoked_at is None for one in clients),
            accounts=len(accounts),
        )

    async def show_accounts(request: Request, session: Session) -> Response:
        accounts = await here.companies.service_accounts(session.actor, session.realm_id)
        keys = await here.companies.listed_keys(session.actor, session.realm_id)
        now = here.clock.now_ms()
        working = {
            account.id: sum(
                one.key.service_account_id == account.id and state_of(one, now).kind in ("green", "yellow")
                for one in keys
            )
            for account in accounts
        }
        return render(request, "company/accounts.html", accounts=accounts, working=working)

    async def ask_remove(request: Request, session: Session) -> Response:
        account = await _account(request, session)
        return render(
            request,
            "confirm.html",
            form=Form.empty(),
            title=f"Remove the service account {account}?",
            text=["Its API keys stop working at once, and the list of keys says why."],
            action=f"{ACCOUNTS}/{request.path_params['id']}/remove",
            verb="Remove",
            danger=True,
            back=ACCOUNTS,
            fields={},
        )

    async def remove(request: Request, session: Session) -> Response:
        account = await _account(request, session)
        await here.companies.remove_service_account(session.actor, session.realm_id, account)
        return redirect(request, ACCOUNTS, f"The service account {account!r} was removed. Its keys stopped working.")

    async def _account(request: Request, session: Session) -> str:
        for account in await here.companies.service_accounts(session.actor, session.realm_id):
            if account.id == request.path_params["id"]:
                return account.name
        raise NotFound("There is no such service account.", hint="It may have been removed already.")

    return [
        pages.get(AUTHENTICATION, show),
        pages.get(ACCOUNTS, show_accounts),
        *pages.both(f"{ACCOUNTS}/{{id}}/remove", ask_remove, remove),
    ]
