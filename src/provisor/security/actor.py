"""Step 0 of every service call: who acts, in which realm, and what they may do there.

Every public method of a service takes an ``actor`` and calls ``actor.require`` first, so that the API, the portals and
the commands cannot differ. Roles are data: ``roles.toml`` beside this file, after the reference's
``entra-provisioning-service.md`` section 2.
"""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from provisor.errors import Forbidden, InvalidInput


class Right(enum.StrEnum):
    """What one can be allowed to do. Identity side rights end at a tenant, app side rights at a company."""

    TENANTS_MANAGE = "tenants.manage"
    COMPANIES_MANAGE = "companies.manage"
    DIRECTORY_READ = "directory.read"
    DIRECTORY_WRITE = "directory.write"
    APPLICATIONS_READ = "applications.read"
    APPLICATIONS_WRITE = "applications.write"
    ASSIGNMENTS_WRITE = "assignments.write"
    SYNCHRONIZATION_READ = "synchronization.read"
    SYNCHRONIZATION_WRITE = "synchronization.write"
    PROVISIONING_LOG_READ = "provisioningLog.read"
    AUDIT_READ = "auditLog.read"
    ROLES_MANAGE = "roles.manage"
    COMPANY_READ = "company.read"
    COMPANY_ADMINISTER = "company.administer"
    SCIM_READ = "scim.read"
    SCIM_WRITE = "scim.write"


@dataclass(frozen=True, slots=True)
class Realm:
    """Where an actor is at home. ``system`` is the machine's operator (the commands); its ``id`` is empty."""

    kind: Literal["system", "tenant", "company"]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a realm, a subject (a person's, key's or service's id) and its rights.

    ``kind`` and ``name`` (a user principal name, an app's name; empty: the subject) are for the audit log.
    """

    realm: Realm
    subject: str
    rights: frozenset[Right]
    kind: Literal["operator", "user", "app", "service"] = "user"
    name: str = ""

    def require(self, right: Right, realm_id: str = "") -> None:
        """Raise ``Forbidden`` unless the actor has ``right`` in the tenant or company ``realm_id`` (empty: system)."""
        if right not in self.rights:
            raise Forbidden(
                f"{self.subject} lacks the right {right.value}.",
                hint="Ask an administrator for a role that includes it.",
            )
        if self.realm.kind != "system" and self.realm.id != realm_id:
            raise Forbidden(f"{self.subject} belongs to another {self.realm.kind} and may not act here.")


def operator() -> Actor:
    """The person at the machine's shell: whoever can read the database may do everything."""
    return Actor(Realm("system"), "operator", frozenset(Right), kind="operator")


@cache
def roles() -> dict[str, frozenset[Right]]:
    """Role name -> rights, from ``roles.toml``."""
    text = files("provisor.security").joinpath("roles.toml").read_text("utf-8")
    return {name: frozenset(Right(right) for right in row["rights"]) for name, row in tomllib.loads(text).items()}


@cache
def directory_roles() -> dict[str, str]:
    """The roles that a person of a tenant can have: name -> the id that tokens carry."""
    text = files("provisor.security").joinpath("roles.toml").read_text("utf-8")
    return {name: row["id"] for name, row in tomllib.loads(text).items() if "id" in row}


def rights_of(names: Iterable[str]) -> frozenset[Right]:
    """The union of the rights of these roles. Raises ``InvalidInput`` for a role that does not exist."""
    known, names = roles(), list(names)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidInput(f"There is no role {unknown[0]!r}.", hint=f"The roles are: {', '.join(sorted(known))}.")
    return frozenset().union(*(known[name] for name in names))
