"""The app side of this program as an application of many tenants: whose consent is "Sign up with Microsoft".

In Entra ID such an application is registered by the vendor of the gallery app, in the vendor's tenant. Here the vendor
is this very installation: the application is registered in no tenant, when it is first asked for, and its secret
derives from the server's key, so that there is nothing to set up.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from provisor.applications.gallery import Template
from provisor.applications.registrations.making import from_template
from provisor.applications.registrations.model import Application
from provisor.applications.registrations.properties import ApplicationProperties, Web
from provisor.applications.registrations.service import Registrations
from provisor.clock import Clock
from provisor.security.actor import operator

TEMPLATE = "dialpad"
VENDOR_GRANT = "vendor"
CALLBACK = "/company/sign-in/microsoft/callback"
# The tenant of the vendor, which is none of this directory's.
TENANT_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:provisor:vendor"))


class Vendor:
    """The built-in application. ``secret``: the server's, which only this server itself uses."""

    def __init__(self, registrations: Registrations, template: Template, secret: str, clock: Clock) -> None:
        self._registrations = registrations
        self._template = template
        self._clock = clock
        self.secret = secret
        self.app_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:provisor:vendor:{template.id}"))

    async def application(self, base: str) -> Application:
        """The application, whose one redirect URI is this server's own."""
        found = await self._registrations.registered(operator(), self.app_id)
        if found is None:
            found = await self._registrations.publish(operator(), self._made())
        return replace(found, properties=_properties(found, base))

    def _made(self) -> Application:
        draft, _ = from_template(self._template, TENANT_ID, self._template.display_name, self._clock.now_ms())
        return replace(draft, app_id=self.app_id, sign_in_audience="AzureADMultipleOrgs")


def _properties(application: Application, base: str) -> ApplicationProperties:
    own = application.properties
    web = Web(home_page_url=f"{base}/company", redirect_uris=(base + CALLBACK,))
    return ApplicationProperties(app_roles=own.app_roles, web=web)
