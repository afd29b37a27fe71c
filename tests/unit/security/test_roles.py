"""The roles: each one's rights, as the reference's section 2 has them, and nothing beside."""

from __future__ import annotations

import pytest

from provisor.errors import Forbidden, InvalidInput
from provisor.security.actor import Actor, Realm, Right, rights_of, roles

CONFIGURE = {Right.SYNCHRONIZATION_READ, Right.SYNCHRONIZATION_WRITE}
APPLICATIONS = {Right.DIRECTORY_READ, Right.APPLICATIONS_READ, Right.APPLICATIONS_WRITE, Right.ASSIGNMENTS_WRITE}
LOGS = {Right.PROVISIONING_LOG_READ, Right.AUDIT_READ}

RIGHTS = {
    # may configure; Global Administrator always
    "Global Administrator": APPLICATIONS | CONFIGURE | LOGS | {Right.DIRECTORY_WRITE, Right.ROLES_MANAGE},
    "Application Administrator": APPLICATIONS | CONFIGURE | LOGS,
    "Cloud Application Administrator": APPLICATIONS | CONFIGURE | LOGS,
    # only the configuration
    "Hybrid Identity Administrator": CONFIGURE | {Right.DIRECTORY_READ, Right.APPLICATIONS_READ},
    # may assign
    "User Administrator": {
        Right.DIRECTORY_READ,
        Right.DIRECTORY_WRITE,
        Right.APPLICATIONS_READ,
        Right.ASSIGNMENTS_WRITE,
    },
    # may not read the configuration, in so many words
    "Global Reader": LOGS | {Right.DIRECTORY_READ, Right.APPLICATIONS_READ},
    # may read the logs
    "Reports Reader": LOGS,
    "Security Reader": LOGS | {Right.DIRECTORY_READ},
    "Security Operator": LOGS | {Right.DIRECTORY_READ},
    "Security Administrator": LOGS | {Right.DIRECTORY_READ},
    # the app side
    "Company Administrator": {
        Right.COMPANY_READ,
        Right.COMPANY_ADMINISTER,
        Right.AUDIT_READ,
        Right.SCIM_READ,
        Right.SCIM_WRITE,
    },
    "Company Member": {Right.COMPANY_READ},
}
TENANT_WIDE = {Right.TENANTS_MANAGE, Right.COMPANIES_MANAGE}


def test_the_roles_are_these() -> None:
    assert roles().keys() == RIGHTS.keys()


@pytest.mark.parametrize("role", RIGHTS)
def test_a_role_allows_exactly_its_rights(role: str) -> None:
    actor = Actor(Realm("tenant", "t1"), "ada", rights_of([role]))
    for right in Right:
        if right in RIGHTS[role]:
            actor.require(right, "t1")
        else:
            with pytest.raises(Forbidden):
                actor.require(right, "t1")


@pytest.mark.parametrize("role", RIGHTS)
def test_no_role_reaches_into_another_realm(role: str) -> None:
    actor = Actor(Realm("tenant", "t1"), "ada", rights_of([role]))
    for right in RIGHTS[role]:
        with pytest.raises(Forbidden):
            actor.require(right, "t2")


def test_no_role_makes_tenants_or_companies() -> None:
    assert not TENANT_WIDE & rights_of(RIGHTS)


def test_several_roles_allow_what_any_of_them_allows() -> None:
    assert rights_of(["User Administrator", "Reports Reader"]) == RIGHTS["User Administrator"] | LOGS


def test_no_role_allows_nothing() -> None:
    assert rights_of([]) == frozenset()


def test_an_unknown_role_is_named_with_those_that_exist() -> None:
    with pytest.raises(InvalidInput, match=r"no role 'Emperor'.*Application Administrator"):
        rights_of(["Global Reader", "Emperor"])
