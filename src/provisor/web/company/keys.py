"""Company portal: API keys. A key's text is on one page, once: the answer to the form that made it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisor.errors import NotFound
from provisor.provider.model import ApiKey, ListedKey
from provisor.signin.model import Session
from provisor.web.company.navigation import KEYS
from provisor.web.company.pages import Pages
from provisor.web.html.flash import redirect
from provisor.web.html.forms import Form
from provisor.web.html.guard import form_of
from provisor.web.html.templating import render

_YEAR = timedelta(days=365)
DIALECTS = (
    ("entra", "Microsoft Entra ID, Okta and others", "Takes what real provisioners send. Choose this if unsure."),
    ("lenient", "The same, and members in any order", "Members that are not there yet are left out, not refused."),
    ("rfc", "Nothing but the standard", "Whatever RFC 7643 and RFC 7644 do not say is refused."),
)


@dataclass(frozen=True, slots=True)
class State:
    """How a credential does, in a word, with the colour of its badge and what there is to know of it."""

    word: str
    kind: str
    note: str | None = None


def state_of(listed: ListedKey, now: int) -> State:
    """How a key does."""
    key = listed.key
    if key.revoked_at is not None:
        return State("Revoked", "secondary")
    if now >= key.expires_at:
        return State("Expired", "secondary")
    if listed.owner.trouble is not None:
        return State("Does not work", "red", listed.warning)
    return State("Expires soon", "yellow", listed.warning) if listed.warning else State("Works", "green")


def routes(pages: Pages) -> list[Route]:
    """The list, and what is done with keys."""
    here = pages.services

    async def show_list(request: Request, session: Session) -> Response:
        keys = await here.companies.listed_keys(session.actor, session.realm_id)
        now = here.clock.now_ms()
        return render(
            request,
            "company/keys.html",
            keys=[(one, state_of(one, now)) for one in reversed(keys)],
            scim_url=pages.scim_url(request),
        )

    async def show_add(request: Request, session: Session) -> Response:
        form = Form.filled(expires=in_a_year(here.clock.now_ms()), owner="me", dialect="entra", account="provisioning")
        return _add_page(request, form, 200)

    async def add(request: Request, session: Session) -> Response:
        form = form_of(request)
        name = form.text("name", "Give the key a name: what it is for.", most=100)
        expires = form.text("expires", "Give the last day on which it works.")
        for_account = form.choice("owner", ("me", "account")) == "account"
        account = form.text("account", "Give the service account a name.", most=100) if for_account else None
        dialect = form.choice("dialect", [value for value, _, _ in DIALECTS])
        if form.ok:
            with form.catching("expires"):
                key, text = await here.companies.create_key(
                    session.actor,
                    session.realm_id,
                    name=name,
                    expires=expires,
                    administrator=None if for_account else await _email(session),
                    service_account=account,
                    dialect=dialect,
                )
                return _shown_once(request, key, text)
        return _add_page(request, form, 422)

    async def ask_revoke(request: Request, session: Session) -> Response:
        return _ask_revoke(request, (await _key(session, request.path_params["id"])).key, Form.empty(), 200)

    async def revoke(request: Request, session: Session) -> Response:
        key = await here.companies.revoke_key(session.actor, session.realm_id, request.path_params["id"])
        return redirect(request, KEYS, f"The key {key.name!r} was revoked. Requests with it are refused from now on.")

    async def ask_rotate(request: Request, session: Session) -> Response:
        key = (await _key(session, request.path_params["id"])).key
        return _rotate_page(request, key, Form.filled(expires=in_a_year(here.clock.now_ms())), 200)

    async def rotate(request: Request, session: Session) -> Response:
        form = form_of(request)
        old = (await _key(session, request.path_params["id"])).key
        expires = form.text("expires", "Give the last day on which the new key works.")
        if form.ok:
            with form.catching("expires"):
                key, text = await here.companies.rotate_key(session.actor, session.realm_id, old.id, expires=expires)
                return _shown_once(request, key, text, old)
        return _rotate_page(request, old, form, 422)

    def _shown_once(request: Request, key: ApiKey, text: str, old: ApiKey | None = None) -> Response:
        return render(request, "company/key_made.html", key=key, text=text, old=old, scim_url=pages.scim_url(request))

    async def _email(session: Session) -> str:
        people = await here.companies.administrators(session.actor, session.realm_id)
        found = next((person.email for person in people if person.id == session.subject_id), None)
        if found is None:
            raise NotFound("You do not belong to this company any more.", hint="Sign in again.")
        return found

    async def _key(session: Session, key_id: str) -> ListedKey:
        for listed in await here.companies.listed_keys(session.actor, session.realm_id):
            if listed.key.id == key_id:
                return listed
        raise NotFound("There is no such key.", hint="See the list of keys.")

    return [
        pages.get(KEYS, show_list),
        *pages.both(f"{KEYS}/add", show_add, add),
        *pages.both(f"{KEYS}/{{id}}/revoke", ask_revoke, revoke),
        *pages.both(f"{KEYS}/{{id}}/rotate", ask_rotate, rotate),
    ]


def in_a_year(now_ms: int) -> str:
    """The day a year from now, as a date field has it."""
    return f"{datetime.fromtimestamp(now_ms / 1000, UTC) + _YEAR:%Y-%m-%d}"


def _add_page(request: Request, form: Form, status: int) -> Response:
    return render(request, "company/key_add.html", status=status, form=form, dialects=DIALECTS)


def _ask_revoke(request: Request, key: ApiKey, form: Form, status: int) -> Response:
    return render(
        request,
        "confirm.html",
        status=status,
        form=form,
        title=f"Revoke the key {key.name}?",
        text=[
            f"Whoever uses {key.start}… is refused from now on. A key that was revoked cannot be brought back.",
            "To replace a key without an interruption, rotate it first, enter the new one there, then revoke this.",
        ],
        action=f"{KEYS}/{key.id}/revoke",
        verb="Revoke",
        danger=True,
        back=KEYS,
        fields={},
    )


def _rotate_page(request: Request, key: ApiKey, form: Form, status: int) -> Response:
    return render(request, "company/key_rotate.html", status=status, form=form, key=key)
