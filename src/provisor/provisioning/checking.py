"""Test Connection with credentials that are given or stored, before there is a job and with one.

Graph's ``validateCredentials``: reference graph-synchronization-api.md sections 5.4 and 18.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from provisor.applications.gallery import Template
from provisor.applications.model import Credentials, Job, JobSettings, ServicePrincipal
from provisor.applications.service import oauth_client
from provisor.applications.synchronization import keys
from provisor.applications.synchronization.service import Synchronization
from provisor.connector.check import ConnectionResult, diagnose
from provisor.connector.client import ScimClient
from provisor.connector.errors import TargetError
from provisor.errors import InvalidInput
from provisor.security.actor import Actor

OAUTH_CLIENT_CREDENTIALS = "OAuth2ClientCredentialsGrant"


class MissingCredential(InvalidInput):
    """A credential that is needed was not given."""


class Probes(Protocol):
    """Makes a client that is used once; ``app.targets`` does."""

    async def probe(self, template: Template, credentials: Credentials, dialect: str) -> ScimClient:
        """Raises ``InvalidInput`` for a Tenant URL that is none."""


class CredentialChecks:
    """Tries credentials out. Methods check the actor's rights in the service principal's tenant."""

    def __init__(self, synchronization: Synchronization, probes: Probes) -> None:
        self._synchronization = synchronization
        self._probes = probes

    async def check(
        self,
        actor: Actor,
        sp: ServicePrincipal,
        template_id: str,
        pairs: Sequence[tuple[str, str]] | None,
        job: Job | None = None,
    ) -> ConnectionResult:
        """Look for somebody who cannot exist. ``pairs``: null for the stored credentials.

        Raises ``MissingCredential``, ``InvalidSecrets``, ``TemplateNotFound``; what the target says is the result.
        """
        template = self._synchronization.template(actor, sp, template_id)
        if pairs is None:
            values = await self._synchronization.saved(actor, sp)
        else:
            values = await self._synchronization.completed(actor, sp, pairs)
        if template.tenant_url:
            values.setdefault(keys.BASE_ADDRESS, template.tenant_url)
        credentials = credentials_of(template, values)
        dialect = job.settings.dialect if job else JobSettings().dialect
        try:
            client = await self._probes.probe(template, credentials, dialect)
        except TargetError as error:  # no access token
            return diagnose(error, "User", users_answered=False)
        user, group = _matching(template, job, groups=client.capabilities.groups)
        return await client.test(user, group)

    async def acquire(self, actor: Actor, sp: ServicePrincipal, pairs: Sequence[tuple[str, str]]) -> None:
        """Ask the target's authority for an access token with these credentials, and store them when it gives one.

        Only client credentials: no app of the gallery has a page to sign in at that would give an authorization code.
        Raises ``MissingCredential``, ``InvalidInput``, and ``TargetError`` when there is no token.
        """
        given = await self._synchronization.completed(actor, sp, pairs)
        if given.get("Oauth2AuthorizationCode"):
            raise InvalidInput(
                f"{sp.display_name} does not take authorization codes.",
                hint="Give client credentials (Oauth2ClientId, Oauth2ClientSecret), or a Secret Token.",
            )
        template = self._synchronization.templates(actor, sp)[0]
        kind = {"AuthenticationType": OAUTH_CLIENT_CREDENTIALS}
        values = {**await self._synchronization.saved(actor, sp), **given, **kind}
        await self._probes.probe(template, credentials_of(template, values), JobSettings().dialect)
        await self._synchronization.set_secrets(actor, sp, [*pairs, *kind.items()], replace=False)


def credentials_of(template: Template, values: Mapping[str, str]) -> Credentials:
    """What the connector needs of these values. Raises ``MissingCredential``."""
    address, token = values.get(keys.BASE_ADDRESS), values.get(keys.SECRET_TOKEN)
    oauth = oauth_client(values)
    if values.get("AuthenticationType", "").casefold().startswith("oauth2") and oauth is None:
        needed = ("Oauth2TokenExchangeUri", "Oauth2ClientId", "Oauth2ClientSecret")
        missing = ", ".join(name for name in needed if not values.get(name))
        raise MissingCredential(f"The credential {missing or needed[0]} is required, and is missing.")
    given = {keys.BASE_ADDRESS: address, keys.SECRET_TOKEN: token or oauth}
    for name, value in given.items():
        if not value and template.requires(name):
            raise MissingCredential(f"The credential {name} is required, and is missing.")
    return Credentials(address or "", token or None, oauth=oauth)


def _matching(template: Template, job: Job | None, *, groups: bool) -> tuple[str, str]:
    """The attributes that users and groups are matched by."""
    if job is not None:
        user = [row.target for row in job.schema.user.matching]
        group = [row.target for row in job.schema.group.matching] if job.schema.group and groups else []
    else:
        user = [row.target for row in template.user.mappings if row.match]
        group = [row.target for row in template.group.mappings if row.match] if template.group and groups else []
    return (user or ["userName"])[0], (group or ["displayName"])[0]
