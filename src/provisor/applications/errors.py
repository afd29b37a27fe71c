"""Step scoping: what can be wrong with an application, its job or an assignment.

NotFound       AppNotFound, JobNotFound, SchemaVersionNotFound, TenantNotFound, TemplateNotFound,
               PrincipalNotFound, RoleNotFound, NotAssigned, ObjectMappingNotFound, RowNotFound,
               RegistrationNotFound, OwnerNotFound, PasswordNotFound, GrantNotFound
Conflict       NameTaken, AlreadyAssigned, RoleDisabled, NotSecurityEnabled, SchemaChangedMeanwhile,
               RegistrationExists, JobExists, AlreadyOwner, GrantExists, EnabledRole
InvalidInput   AmbiguousApp, InvalidTenantUrl, InvalidSecretToken, InvalidSettings (and schema.InvalidSchema)
"""

from __future__ import annotations

from provisor.errors import Conflict, InvalidInput, NotFound


class AppNotFound(NotFound):
    """There is no such application in this tenant."""


class JobNotFound(NotFound):
    """There is no such provisioning job."""


class SchemaVersionNotFound(NotFound):
    """The job never had a schema of this version."""


class TenantNotFound(NotFound):
    """There is no such tenant."""


class TemplateNotFound(NotFound):
    """The gallery has no such app."""


class PrincipalNotFound(NotFound):
    """There is no such user or group in this tenant."""


class RoleNotFound(NotFound):
    """The application has no such role."""


class NotAssigned(NotFound):
    """There is no such assignment."""


class RegistrationNotFound(NotFound):
    """There is no such application in this tenant."""


class OwnerNotFound(NotFound):
    """There is no such owner."""


class PasswordNotFound(NotFound):
    """There is no such client secret."""


class GrantNotFound(NotFound):
    """There is no such permission grant."""


class RegistrationExists(Conflict):
    """The tenant has a service principal of this application already."""


class JobExists(Conflict):
    """The application has a provisioning job already."""


class AlreadyOwner(Conflict):
    """They own it already."""


class GrantExists(Conflict):
    """There is such a permission grant already."""


class EnabledRole(Conflict):
    """A role that can be assigned cannot be removed."""


class ObjectMappingNotFound(NotFound):
    """The app has no mapping of such objects."""


class RowNotFound(NotFound):
    """There is no such row."""


class SchemaChangedMeanwhile(Conflict):
    """Somebody else has changed the mappings meanwhile."""


class NameTaken(Conflict):
    """The tenant has an application of this name already."""


class AlreadyAssigned(Conflict):
    """The assignment exists already."""


class RoleDisabled(Conflict):
    """The role cannot be assigned any more."""


class NotSecurityEnabled(Conflict):
    """Only security groups can be assigned."""


class AmbiguousApp(InvalidInput):
    """Several applications are meant."""


class InvalidTenantUrl(InvalidInput):
    """The Tenant URL cannot be used."""


class InvalidSecretToken(InvalidInput):
    """The Secret Token cannot be used."""


class InvalidSettings(InvalidInput):
    """The job's settings cannot be used."""
