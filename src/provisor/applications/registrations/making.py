"""Registrations, step 1: what a new application and a new service principal are. Pure."""

from __future__ import annotations

from dataclasses import replace

from provisor.applications.gallery import Template
from provisor.applications.model import AppRole, ServicePrincipal
from provisor.applications.registrations.model import Application
from provisor.applications.registrations.properties import ApplicationProperties, Role, ServicePrincipalProperties
from provisor.errors import InvalidInput
from provisor.ids import new_id

# What makes portals list it among the enterprise applications.
ENTERPRISE = "WindowsAzureActiveDirectoryIntegratedApp"


def checked_name(name: str) -> str:
    """The name without surrounding space. Raises ``InvalidInput``."""
    name = name.strip()
    if not name or len(name) > 256 or not name.isprintable():
        raise InvalidInput("An app's name has 1 to 256 printable characters.", hint="Give another name.")
    return name


def from_template(template: Template, tenant_id: str, name: str, at: int) -> tuple[Application, ServicePrincipal]:
    """A gallery app's registration, and its instance in the same tenant."""
    roles = tuple(
        Role(id=new_id(), display_name=role.display_name, description=role.display_name, value=role.value)
        for role in template.app_roles
    )
    application = Application(
        id=new_id(),
        tenant_id=tenant_id,
        app_id=new_id(),
        template_id=template.id,
        display_name=checked_name(name),
        sign_in_audience="AzureADMyOrg",
        created_at=at,
        properties=ApplicationProperties(app_roles=roles),
    )
    properties = ServicePrincipalProperties(app_role_assignment_required=True, tags=(ENTERPRISE,))
    return application, instance_of(application, tenant_id, at, properties)


def instance_of(
    application: Application, tenant_id: str, at: int, properties: ServicePrincipalProperties
) -> ServicePrincipal:
    """An application's instance in a tenant, which need not be its own."""
    instance = ServicePrincipal(
        id=new_id(),
        tenant_id=tenant_id,
        app_id=application.app_id,
        template_id=application.template_id,
        display_name=application.display_name,
        created_at=at,
        app_roles=roles_of(application.properties),
        properties=properties,
    )
    return instance if application.tenant_id == tenant_id else replace(instance, owner_tenant_id=application.tenant_id)


def roles_of(properties: ApplicationProperties) -> tuple[AppRole, ...]:
    """The roles that an instance of the application has."""
    return tuple(
        AppRole(role.id, role.value, role.display_name, role.is_enabled, role.description, role.allowed_member_types)
        for role in properties.app_roles
    )


def registered(role: AppRole) -> Role:
    """The role as the registration has it."""
    return Role(
        id=role.id,
        display_name=role.display_name,
        allowed_member_types=role.member_types,
        description=role.description,
        is_enabled=role.enabled,
        value=role.value,
    )
