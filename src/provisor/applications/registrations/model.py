"""Registrations, their nouns: an application as its maker registers it, and who owns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from provisor.applications.model import ServicePrincipal
from provisor.applications.registrations.properties import MULTI_TENANT, ApplicationProperties

OwnerType = Literal["User", "ServicePrincipal"]


@dataclass(frozen=True, slots=True)
class Application:
    """An application, registered in one tenant. ``template_id``: of the gallery app that it was made of, else empty."""

    id: str
    tenant_id: str
    app_id: str
    template_id: str
    display_name: str
    sign_in_audience: str
    created_at: int
    properties: ApplicationProperties

    @property
    def multi_tenant(self) -> bool:
        """May people of other tenants sign in to it? Their first consent makes its service principal there."""
        return self.sign_in_audience in MULTI_TENANT

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """Every address that a browser may be sent back to, of whichever platform."""
        own = self.properties
        return (*own.web.redirect_uris, *own.spa.redirect_uris, *own.public_client.redirect_uris)


@dataclass(frozen=True, slots=True)
class Instance:
    """A service principal with the registration that it is an instance of; null when that one is gone."""

    application: Application | None
    service_principal: ServicePrincipal


@dataclass(frozen=True, slots=True)
class Owner:
    """Who may manage an application, or a service principal, without a directory role."""

    id: str
    type: OwnerType
    display_name: str


@dataclass(frozen=True, slots=True)
class RemovedApplication:
    """What deleting an application took away, with its service principal in its own tenant, where it had one. The
    provisioning state of ``job_ids`` is the engine's to remove."""

    application: Application
    service_principal: ServicePrincipal | None
    job_ids: tuple[str, ...]
