"""An application that asks the authority: its registration, its requests, and how it redeems what it gets."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.integration.signin.browser import Browser, Page

from provisor.app.services import AppServices
from provisor.security.actor import operator
from provisor.security.permissions import GRAPH_APP_ID, permissions

BACK = "https://app.example/back?a=b"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class App:
    """A registered application with a secret."""

    client_id: str
    object_id: str
    secret: str
    tenant: str

    def address(self, tenant: str | None = None, **changes: str | None) -> str:
        """An authorize address; a parameter of null is left out."""
        params = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": "openid profile offline_access User.Read",
            "state": "the state",
            "nonce": "the nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        query = urlencode({name: value for name, value in params.items() if value is not None})
        return f"/{tenant or self.tenant}/oauth2/v2.0/authorize?{query}"

    def form(self, code: str, **changes: str | None) -> dict[str, str]:
        """The form that redeems a code."""
        values = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "client_secret": self.secret,
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            **changes,
        }
        return {name: value for name, value in values.items() if value is not None}


async def register(services: AppServices, tenant: str, name: str = "Sample", **properties: Any) -> App:
    """An application of the tenant with a service principal and a secret, unless ``properties`` say otherwise."""
    web = {"redirectUris": [BACK]}
    made = await services.registrations.register(operator(), tenant, {"displayName": name, "web": web, **properties})
    await services.registrations.instantiate_application(operator(), tenant, made.app_id)
    secret = await services.passwords.add(operator(), made, display_name="test")
    return App(made.app_id, made.id, secret.text, tenant)


def required(*names: str, kind: str = "Scope") -> list[dict[str, Any]]:
    """What a registration asks of the API."""
    ids = [permissions()[name].scope_id if kind == "Scope" else permissions()[name].role_id for name in names]
    return [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": [{"id": one, "type": kind} for one in ids]}]


def answered(page: Page) -> dict[str, str]:
    """What the client is told by the redirect that the browser stopped at."""
    assert page.location, page.text
    parts = urlsplit(page.location)
    return {name: values[0] for name, values in parse_qs(parts.fragment or parts.query).items()}


async def accept(browser: Browser, page: Page, **choices: str) -> Page:
    """Press Accept on a consent page."""
    [form] = [one for one in page.forms if one.action.endswith(("/consent", "/decide"))]
    return await browser.send(page, form.action, decision="accept", **choices)


async def code_of(browser: Browser, app: App, **changes: str | None) -> str:
    """Ask, and accept what is asked for."""
    page = await browser.get(app.address(**changes))
    if page.forms:
        page = await accept(browser, page)
    return answered(page)["code"]


async def redeem(browser: Browser, app: App, form: dict[str, str], tenant: str | None = None) -> tuple[int, Any]:
    """Ask the token address."""
    answer = await browser.client.post(f"/{tenant or app.tenant}/oauth2/v2.0/token", data=form)
    return answer.status_code, answer.json()
