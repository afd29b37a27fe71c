"""Pages of signing in, all of them as routes."""

from __future__ import annotations

from starlette.routing import Route

from provisor.web.company.navigation import SHELL as COMPANY
from provisor.web.html.guard import Guard
from provisor.web.html.shell import PLAIN
from provisor.web.oauth.authority import AuthorityAddresses
from provisor.web.portal.navigation import SHELL as PORTAL
from provisor.web.services import Services
from provisor.web.signin.account import AccountPages
from provisor.web.signin.consent import ConsentPages
from provisor.web.signin.microsoft import MicrosoftPages
from provisor.web.signin.pages import SignInPages
from provisor.web.signin.services import SignInServices
from provisor.web.signin.welcome import WelcomePages


def routes(services: Services, sign_in: SignInServices) -> list[Route]:
    """Both portals' pages."""
    portal, company, plain = (Guard(shell, services.sessions, services.settings) for shell in (PORTAL, COMPANY, PLAIN))
    return [
        *SignInPages(portal, sign_in).routes(),
        *SignInPages(company, sign_in).routes(),
        *WelcomePages(plain, company, sign_in).routes(),
        *AccountPages(portal, sign_in).routes(),
        *AccountPages(company, sign_in).routes(),
        *MicrosoftPages(company, sign_in, services.settings).routes(),
        *ConsentPages(portal, sign_in, services.settings).routes(),
        *AuthorityAddresses(sign_in, services.settings, services.clock).routes(),
    ]
