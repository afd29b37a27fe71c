"""Pages of the authority: authorize, the consent page, ``adminconsent`` and logout."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from provisor.signin.errors import BadToken
from provisor.signin.model import Session
from provisor.signin.openid.authorize import Returned
from provisor.signin.openid.errors import Refusal, declined, invalid_request
from provisor.signin.openid.model import AuthorizationRequest, Consent, Granted
from provisor.web.addresses import base_of
from provisor.web.html.guard import Guard, form_of
from provisor.web.html.templating import render
from provisor.web.services import WebSettings
from provisor.web.signin.browser import let_out
from provisor.web.signin.services import SignInServices
from provisor.web.signin.targets import source_of

_NO_STORE = {"cache-control": "no-store"}


class ConsentPages:
    """Where applications send people. ``guard``: of the directory's realm."""

    def __init__(self, guard: Guard, services: SignInServices, settings: WebSettings) -> None:
        self._guard = guard
        self._services = services
        self._settings = settings

    def routes(self) -> list[Route]:
        wrap, post, both = self._guard.open, ["POST"], ["GET", "POST"]
        return [
            Route("/{tenant}/oauth2/v2.0/authorize", wrap(self._authorize)),
            Route("/{tenant}/oauth2/v2.0/consent", wrap(self._decide), methods=post),
            Route("/{tenant}/v2.0/adminconsent", wrap(self._admin_consent)),
            Route("/{tenant}/v2.0/adminconsent/decide", wrap(self._decide_for_all), methods=post),
            Route("/{tenant}/oauth2/v2.0/logout", wrap(self._logout), methods=both),
            Route("/{tenant}/v2.0/logout", wrap(self._logout), methods=both),
        ]

    # authorize

    async def _authorize(self, request: Request) -> Response:
        return await self._answer(request, request.url.query, decided=False)

    async def _decide(self, request: Request) -> Response:
        """The consent page's form: the same request again, with what the person decided."""
        return await self._answer(request, form_of(request).raw("request"), decided=True)

    async def _answer(self, request: Request, query: str, *, decided: bool) -> Response:
        session: Session | None = request.state.session
        try:
            asked = await self._services.authorization.read(
                request.path_params["tenant"], _params(query), base_of(request, self._settings)
            )
            if decided and form_of(request).raw("decision") != "accept":
                raise Returned(asked, declined())
            outcome = await self._services.authorization.decide(asked, session, decided=decided)
            if outcome is None or session is None:
                return self._to_sign_in(request, query, asked.login_hint)
            if isinstance(outcome, Consent):
                if not decided:
                    return self._consent_page(request, outcome, asked.redirect_uri, query, "oauth2/v2.0/consent")
                for_all = outcome.for_all and form_of(request).ticked("for_all")
                await self._services.consents.allow(outcome, asked.wanted, session, for_all=for_all)
                outcome = Granted(outcome.scopes)
            code = await self._services.issuing.code(asked, outcome, session)
        except Returned as returned:
            said = {"error": returned.refusal.error, "error_description": returned.refusal.description}
            return self._back(request, returned.request, said)
        except Refusal as refusal:
            return self._refused(request, refusal)
        return self._back(request, asked, {"code": code})

    def _back(self, request: Request, asked: AuthorizationRequest, said: dict[str, str]) -> Response:
        """Send the browser to the client with the answer, in the way that it asked for."""
        values = {**said, **({} if asked.state is None else {"state": asked.state})}
        if asked.response_mode == "form_post":
            source = source_of(asked.redirect_uri)
            return render(
                request,
                "signin/form_post.html",
                form_action=() if source is None else (source,),
                action=asked.redirect_uri,
                values=values,
                name=asked.application.display_name,
            )
        return RedirectResponse(_with(asked.redirect_uri, values, asked.response_mode), 303, headers=_NO_STORE)

    # adminconsent

    async def _admin_consent(self, request: Request) -> Response:
        return await self._answer_admin(request, request.url.query, decided=False)

    async def _decide_for_all(self, request: Request) -> Response:
        return await self._answer_admin(request, form_of(request).raw("request"), decided=True)

    async def _answer_admin(self, request: Request, query: str, *, decided: bool) -> Response:
        session: Session | None = request.state.session
        params = _params(query)
        try:
            asked = await self._services.authorization.read_admin_consent(
                request.path_params["tenant"], params, base_of(request, self._settings)
            )
            if decided and form_of(request).raw("decision") != "accept":
                said = {"error": "consent_required", "error_description": declined().description}
                return self._back_admin(asked, said)
            if session is None or asked.tenant.id not in (None, session.realm_id):
                return self._to_sign_in(request, query, "")
            consent = await self._services.consents.for_everybody(asked.application, session, asked.wanted)
            if not decided:
                page = "v2.0/adminconsent/decide"
                return self._consent_page(request, consent, asked.redirect_uri, query, page, admin=True)
            await self._services.consents.allow(consent, asked.wanted, session, for_all=True)
        except Refusal as refusal:
            return self._refused(request, refusal)
        return self._back_admin(asked, {"tenant": session.realm_id, "scope": " ".join(consent.scopes)})

    def _back_admin(self, asked: AuthorizationRequest, said: dict[str, str]) -> Response:
        state = {} if asked.state is None else {"state": asked.state}
        address = _with(asked.redirect_uri, {"admin_consent": "True", **said, **state}, "query")
        return RedirectResponse(address, 303, headers=_NO_STORE)

    # logout

    async def _logout(self, request: Request) -> Response:
        """RP-initiated logout. Without a token of ours that names the client and the person, the person is asked."""
        form = form_of(request)
        query = form.raw("request") if request.method == "POST" else request.url.query
        params = _params(query)
        session: Session | None = request.state.session
        hint = params.get("id_token_hint", "")
        try:
            client_id, subject = await self._services.authority.read_hint(hint) if hint else ("", "")
        except BadToken:
            client_id, subject = "", ""
        client_id = client_id or params.get("client_id", "")
        back = await self._services.authorization.logout_target(
            client_id, params.get("post_logout_redirect_uri", ""), base_of(request, self._settings)
        )
        if session is not None and request.method != "POST" and subject != session.subject_id:
            source = None if back is None else source_of(back)
            return render(
                request,
                "signin/logout.html",
                form_action=() if source is None else (source,),
                action=request.url.path,
                request_query=query,
            )
        to = f"{self._guard.shell.sign_in}?again="
        if back is not None:
            to = _with(back, {"state": params["state"]} if "state" in params else {}, "query")
        return await let_out(request, self._services, "tenant", to)

    # What they share

    def _to_sign_in(self, request: Request, query: str, login_hint: str) -> Response:
        """Sign in, and come back with the same request; what asked for signing in has been done by then."""
        pairs = [(name, value) for name, value in _pairs(query) if name != "prompt"]
        prompts = set(_params(query).get("prompt", "").split()) - {"login", "select_account"}
        if prompts:
            pairs.append(("prompt", " ".join(sorted(prompts))))
        path = request.url.path.removesuffix("/decide").replace("/oauth2/v2.0/consent", "/oauth2/v2.0/authorize")
        to = f"{path}?{urlencode(pairs, quote_via=quote)}"
        address = f"{self._guard.shell.sign_in}?again=&next={quote(to, safe='')}"
        if login_hint:
            address += f"&login_hint={quote(login_hint[:300], safe='')}"
        return RedirectResponse(address, 303, headers=_NO_STORE)

    def _consent_page(
        self, request: Request, consent: Consent, redirect_uri: str, query: str, page: str, *, admin: bool = False
    ) -> Response:
        tenant = request.path_params["tenant"]
        source = source_of(redirect_uri)
        return render(
            request,
            "signin/consent.html",
            status=200 if consent.can else 403,
            form_action=() if source is None else (source,),
            consent=consent,
            admin=admin,
            action=f"/{tenant}/{page}",
            request_query=query,
            host=urlsplit(redirect_uri).netloc or redirect_uri.partition(":")[0],
            again=self._to_sign_in(request, query, "").headers["location"],
        )

    def _refused(self, request: Request, refusal: Refusal) -> Response:
        return render(request, "signin/refused.html", status=refusal.status, refusal=refusal)


def _pairs(query: str) -> list[tuple[str, str]]:
    """Raises ``Refusal`` for a query that nobody would send."""
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        raise invalid_request("The request has too many parameters.") from None


def _params(query: str) -> Mapping[str, str]:
    """The parameters, each of which comes once (RFC 6749 section 3.1). Raises ``Refusal``."""
    pairs = _pairs(query)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise invalid_request("A parameter of the request is there twice.")
    return found


def _with(address: str, values: Mapping[str, str], mode: str) -> str:
    """The address with these values in its query or its fragment; what it had stays."""
    parts = urlsplit(address)
    coded = urlencode(values, quote_via=quote)
    if mode == "fragment":
        return urlunsplit(parts._replace(fragment=coded))
    query = "&".join(part for part in (parts.query, coded) if part)
    return urlunsplit(parts._replace(query=query))
