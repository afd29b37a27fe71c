"""Step scoping, its nouns: enterprise applications, who is assigned to them, and their provisioning jobs.

The words are Entra's: reference entra-provisioning-service.md sections 1, 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

from provisor.applications.errors import JobNotFound
from provisor.applications.registrations.properties import MemberType, ServicePrincipalProperties
from provisor.applications.schema import SyncSchema
from provisor.applications.schema_diff import SchemaChange
from provisor.errors import Forbidden

PrincipalType = Literal["User", "Group", "ServicePrincipal"]

# The role of an assignment for which none was chosen.
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class AppRole:
    """A role of one application. ``value`` is what a token carries; null where there is none.

    ``member_types``: who can have it, people and groups (``User``) or other applications.
    """

    id: str
    value: str | None
    display_name: str
    enabled: bool
    description: str | None = None
    member_types: tuple[MemberType, ...] = ("User",)


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """An enterprise application: the instance, in one tenant, of the application ``app_id``.

    ``template_id``: empty where it is of no gallery app. ``owner_tenant_id``: whose application it is; empty: its own.
    """

    id: str
    tenant_id: str
    app_id: str
    template_id: str
    display_name: str
    created_at: int
    app_roles: tuple[AppRole, ...] = ()
    owner_tenant_id: str = ""
    properties: ServicePrincipalProperties = field(default_factory=ServicePrincipalProperties)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A user, a group or another application x an application x a role. A group's counts for its direct members."""

    id: str
    tenant_id: str
    service_principal_id: str
    principal_id: str
    principal_type: PrincipalType
    principal_display_name: str
    app_role_id: str
    created_at: int


class Notification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``SyncNotificationSettings``: whom to write when the job is quarantined, and how many deletions are too many.

    ``webhook``: an address that the same messages are sent to, signed. ``digest``: once a day also what fails, with the
    causes. Without ``enabled`` nothing leaves.
    """

    enabled: bool = False
    recipients: str = ""  # one address
    webhook: str = ""
    digest: bool = False
    delete_threshold_enabled: bool = False
    delete_threshold_value: Annotated[int, msgspec.Meta(ge=1)] = 500  # deletions and disables


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is held until somebody approves it: deletes and disables within 24 hours above ``deletions`` or above
    ``deletions_percent`` of the linked objects, and updates by one cycle above ``changes_percent`` of them."""

    enabled: bool = True
    deletions: Annotated[int, msgspec.Meta(ge=0)] = 500
    deletions_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 10
    changes_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 25


class JobSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a job does beside its mappings. Nothing here is secret.

    ``sync_all``: all users and groups, not only assigned ones. ``default_access_provisioned``: an assignment without a
    role counts too. ``dialect`` names the request shapes that the connector uses. ``nested_groups``: who is in a group
    inside a group counts as if he were in the outer one. ``group_rename``: what a new name of a group does where the
    target renames none: nothing (as documented), or a new group takes the place of the old one. ``match_aliases``: an
    initial cycle looks for a person's other addresses too, where the matching attributes find nobody.
    """

    sync_all: bool = False
    skip_out_of_scope_deletions: bool = False
    interval_seconds: Annotated[int, msgspec.Meta(ge=60)] = 2400  # PT40M
    dialect: str = "provisor"
    default_access_provisioned: bool = True
    notification: Notification = Notification()
    guard: Guard = Guard()
    nested_groups: bool = False
    group_rename: Literal["Skip", "Replace"] = "Skip"
    match_aliases: bool = True


# A change of one of these changes who is in scope or what becomes of those who are not: everybody is looked at anew.
SCOPE_SETTINGS = ("sync_all", "skip_out_of_scope_deletions", "default_access_provisioned", "nested_groups")


@dataclass(frozen=True, slots=True)
class Job:
    """A synchronization job: one application, provisioned by one schema. ``schema_version`` rises with every change of
    it, ``scope_version`` with every change of one of the ``SCOPE_SETTINGS``."""

    id: str
    tenant_id: str
    service_principal_id: str
    template_id: str
    display_name: str
    created_at: int
    schema: SyncSchema
    schema_version: int
    settings: JobSettings
    scope_version: int = 0


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """A schema that a job has or had: who saved it, and when. Version 1 is the one that the app came with."""

    version: int
    actor: str
    created_at: int


@dataclass(frozen=True, slots=True)
class SchemaDiff:
    """What saving ``after`` changed, seen from ``before``: the numbers of two versions of one job."""

    before: int
    after: int
    changes: tuple[SchemaChange, ...]


@dataclass(frozen=True, slots=True)
class App:
    """An enterprise application with its job. Everybody who may see applications may know that there is a job.

    ``job_id``: of an app without a job (``has_job`` is false) the id that its job would have.
    """

    service_principal: ServicePrincipal
    job_id: str
    # Null when the actor may not read provisioning configurations, as a Global Reader may not, and without a job.
    configuration: Job | None
    has_job: bool = True

    @property
    def job(self) -> Job:
        """The job. Raises ``JobNotFound``, and ``Forbidden`` for an actor who may not read configurations."""
        if not self.has_job:
            raise JobNotFound(
                f"The app {self.service_principal.display_name} has no provisioning job.",
                hint=f"Make it: provisor job create {self.service_principal.app_id}",
            )
        if self.configuration is None:
            raise Forbidden(
                f"You may see the app {self.service_principal.display_name}, but not how it is provisioned.",
                hint="Ask an administrator for a role with the right synchronization.read.",
            )
        return self.configuration


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """Who asks the app's own authority for access tokens. ``in_header``: how the secret is sent."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    in_header: bool = True


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the app is and what opens it. ``secret_token`` is null when none is stored.

    ``oauth``: what a token is asked for with, in the place of a fixed one; null: the token is fixed. ``version`` is
    another one whenever one of them was saved; it tells nothing about them.
    """

    base_address: str
    secret_token: str | None = field(repr=False)
    version: str = ""
    oauth: OAuthClient | None = None


@dataclass(frozen=True, slots=True)
class CredentialsChange:
    """What became of the credentials. ``secret_cleared``: the address moved, so the token has to be entered again."""

    base_address: str
    has_secret: bool
    secret_cleared: bool


@dataclass(frozen=True, slots=True)
class Removed:
    """What ``remove`` took away. The provisioning state of ``job_ids`` is the engine's to remove."""

    service_principal: ServicePrincipal
    job_ids: tuple[str, ...]
