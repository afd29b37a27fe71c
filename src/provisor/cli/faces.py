"""Serving: what the HTTP faces are given of the wired services."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provisor.app.services import AppServices
    from provisor.web.asgi import Front
    from provisor.web.graph.services import GraphServices
    from provisor.web.signin.services import SignInServices


def make_app(services: AppServices) -> Front:
    """The ASGI application of this process."""
    from provisor.security.outbound import parse_networks
    from provisor.web.asgi import create_app
    from provisor.web.company.services import CompanyServices
    from provisor.web.services import Services, WebSettings

    settings = services.settings

    return create_app(
        Services(
            companies=services.companies,
            resources=services.resources,
            clock=services.clock,
            settings=WebSettings(
                public_url=settings.public_url,
                metrics_token=settings.metrics_token,
                trusted_proxies=parse_networks(settings.trusted_proxies),
            ),
            ready=services.ready,
            measure=services.meters.exposition,
            clients=services.clients,
            requests=services.requests,
            outbox=services.outbox,
            sessions=services.sessions,
            setup=services.setup,
            sign_in=_sign_in(services),
            company_portal=CompanyServices(
                services.companies,
                services.clients,
                services.resources,
                services.browsing,
                services.requests,
                services.outbox,
                services.webhooks,
                services.links,
                services.audit,
                services.mail,
                services.clock,
                settings.public_url,
            ),
            admin=services,
            graph=_graph(services),
        )
    )


def _sign_in(services: AppServices) -> SignInServices:
    from provisor.web.signin.services import SignInServices

    return SignInServices(
        accounts=services.accounts,
        sessions=services.sessions,
        joining=services.joining,
        authority=services.authority,
        keyring=services.keyring,
        authorization=services.authorization,
        consents=services.consents,
        issuing=services.issuing,
        federation=services.federation,
    )


def _graph(services: AppServices) -> GraphServices:
    from provisor.web.graph.services import GraphServices

    return GraphServices(
        directory=services.directory,
        search=services.search,
        links=services.directory_links,
        tracking=services.tracking,
        extensions=services.extensions,
        registrations=services.registrations,
        authenticator=services.authority,
        passwords=services.given_passwords,
        sealer=services.sealer,
        clock=services.clock,
        apps=services,
        public_url=services.settings.public_url,
    )
