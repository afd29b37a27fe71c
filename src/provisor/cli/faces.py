"""Serving: what the HTTP faces are given of the wired services, the rows of the status pages included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from provisor.cli.output import moment
from provisor.security.actor import operator

if TYPE_CHECKING:
    from provisor.app.services import AppServices
    from provisor.provisioning.model import Cycle
    from provisor.web.asgi import Front
    from provisor.web.graph.services import GraphServices
    from provisor.web.services import Section


def make_app(services: AppServices) -> Front:
    """The ASGI application of this process."""
    from provisor.security.outbound import parse_networks
    from provisor.web.asgi import create_app
    from provisor.web.company.services import CompanyServices
    from provisor.web.services import Services, WebSettings
    from provisor.web.signin.services import SignInServices

    settings = services.settings

    async def ready() -> None:
        await services.directory.tenants(operator())

    async def portal() -> Sequence[Section]:
        return await _portal(services)

    async def company() -> Sequence[Section]:
        return await _company(services)

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
            ready=ready,
            portal=portal,
            company=company,
            clients=services.clients,
            requests=services.requests,
            outbox=services.outbox,
            sessions=services.sessions,
            setup=services.setup,
            sign_in=SignInServices(services.accounts, services.sessions, services.joining),
            company_portal=CompanyServices(
                services.companies,
                services.clients,
                services.resources,
                services.browsing,
                services.requests,
                services.outbox,
                services.webhooks,
                services.links,
                services.clock,
                settings.public_url,
            ),
            admin=services,
            graph=_graph(services),
        )
    )


def _graph(services: AppServices) -> GraphServices:
    from provisor.web.graph.services import GraphServices

    return GraphServices(
        directory=services.directory,
        search=services.search,
        links=services.directory_links,
        extensions=services.extensions,
        authenticator=services.authority,
        passwords=services.given_passwords,
        sealer=services.sealer,
        clock=services.clock,
        apps=services,
        public_url=services.settings.public_url,
    )


async def _portal(services: AppServices) -> Sequence[Section]:
    from provisor.web.services import Section

    me = operator()
    tenants, jobs = [], []
    for tenant in await services.directory.tenants(me):
        counts = await services.directory.counts(me, tenant.id)
        tenants.append((tenant.name, tenant.domain, str(counts.users), str(counts.groups), str(counts.memberships)))
        for app in await services.applications.apps(me, tenant.id):
            if not app.has_job:
                continue
            state = await services.provisioning.state(me, app.job_id)
            last = await services.provisioning.cycles(me, app.job_id, 1)
            jobs.append(
                (tenant.name, app.service_principal.display_name, state.code, *_last_cycle(last[0] if last else None))
            )
    return [
        Section(
            "Tenants",
            ("Name", "Domain", "Users", "Groups", "Memberships"),
            tenants,
            "No tenant yet. Begin with: provisor tenant create NAME --domain DOMAIN",
        ),
        Section(
            "Provisioning",
            ("Tenant", "App", "State", "Last cycle", "Created", "Updated", "Disabled", "Failed", "Ended"),
            jobs,
            "No app yet. Add one with: provisor app add TEMPLATE --tenant-url URL",
        ),
    ]


async def _company(services: AppServices) -> Sequence[Section]:
    from provisor.web.services import Section

    me = operator()
    companies, keys = [], []
    for company in await services.companies.companies(me):
        counts = await services.resources.counts(me, company.id)
        companies.append((company.name, str(counts.users), str(counts.groups), str(counts.memberships)))
        for key in await services.companies.keys(me, company.id):
            state = "revoked" if key.revoked_at is not None else f"until {key.expires_on}"
            keys.append((company.name, key.name, f"{key.start}…", state, moment(key.last_used_at) or "never"))
    return [
        Section(
            "Companies",
            ("Name", "Users", "Groups", "Memberships"),
            companies,
            "No company yet. Begin with: provisor company create NAME --admin EMAIL",
        ),
        Section("API keys", ("Company", "Name", "Begins", "Works", "Last used"), keys, "No key yet."),
    ]


def _last_cycle(cycle: Cycle | None) -> tuple[str, ...]:
    if cycle is None:
        return ("none yet", "", "", "", "", "")
    counts = cycle.counts or {}
    numbers = (str(counts.get(name, "")) for name in ("created", "updated", "disabled", "failed"))
    return (f"{cycle.kind}, {cycle.state}", *numbers, moment(cycle.ended_at) or "")
