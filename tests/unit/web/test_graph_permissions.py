"""Who may do what over the Graph-compatible API: row × permission and row × role, verdict by verdict.

The table below is what the reference says (graph-synchronization-api.md section 1), written down a second time.
"""

from __future__ import annotations

from itertools import product

import pytest

from provisor.security.actor import directory_roles
from provisor.security.permissions import permissions
from provisor.signin.model import Caller
from provisor.testing.callers import app, person
from provisor.web.graph.errors import BadRequest, Denied
from provisor.web.graph.permissions import granted, table

_TENANT = "00000000-0000-0000-0000-00000000000a"
_USER = "00000000-0000-0000-0000-00000000000b"

_READERS = "User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
_GROUP_READERS = "GroupMember.Read.All Group.Read.All Group.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
_BOTH = f"{_READERS} Group.Read.All Group.ReadWrite.All"
_APPS = "Application.Read.All Application.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
_WRITERS = "Global Administrator, User Administrator"
_APP_WRITERS = "Global Administrator, Application Administrator, Cloud Application Administrator"
_EVERYBODY = "everybody"

# row: (application permissions, scopes, who of the people; owners of the thing come beside the last)
ROWS: dict[str, tuple[str, str, str]] = {
    "me.read": ("", f"User.Read User.ReadWrite {_READERS}", _EVERYBODY),
    "me.groups.read": (
        "",
        f"User.Read User.ReadWrite {_READERS} GroupMember.Read.All Group.Read.All",
        _EVERYBODY,
    ),
    "users.read": (f"User.ReadBasic.All {_READERS}", f"User.ReadBasic.All {_READERS}", _EVERYBODY),
    "users.links.read": (_READERS, _READERS, _EVERYBODY),
    "users.write": ("User.ReadWrite.All Directory.ReadWrite.All",) * 2 + (_WRITERS,),
    "users.delete": ("User.DeleteRestore.All User.ReadWrite.All Directory.ReadWrite.All",) * 2 + (_WRITERS,),
    "users.memberOf.read": (f"GroupMember.Read.All {_BOTH}",) * 2 + (_EVERYBODY,),
    "groups.read": (_GROUP_READERS, _GROUP_READERS, _EVERYBODY),
    "groups.write": ("Group.ReadWrite.All Directory.ReadWrite.All",) * 2 + (_WRITERS,),
    "groups.members.write": ("GroupMember.ReadWrite.All Group.ReadWrite.All Directory.ReadWrite.All",) * 2
    + (_WRITERS,),
    "directoryObjects.read": (_BOTH, _BOTH, _EVERYBODY),
    "deletedItems.read": (_BOTH, _BOTH, _EVERYBODY),
    "deletedItems.write": ("User.DeleteRestore.All User.ReadWrite.All Group.ReadWrite.All Directory.ReadWrite.All",) * 2
    + (_WRITERS,),
    "organization.read": (
        "Organization.Read.All Directory.Read.All Directory.ReadWrite.All",
        "User.Read Organization.Read.All Directory.Read.All Directory.ReadWrite.All",
        _EVERYBODY,
    ),
    "domains.read": ("Directory.Read.All Directory.ReadWrite.All",) * 2 + (_EVERYBODY,),
    "extensionProperties.read": (
        f"{_APPS} Application.ReadWrite.OwnedBy",
        _APPS,
        f"{_APP_WRITERS}, Hybrid Identity Administrator, User Administrator, Global Reader",
    ),
    "extensionProperties.write": (
        "Application.ReadWrite.All Directory.ReadWrite.All Application.ReadWrite.OwnedBy",
        "Application.ReadWrite.All Directory.ReadWrite.All",
        _APP_WRITERS,
    ),
}
_PERMISSIONS = [name for name in permissions() if "." in name]


def _allowed(row: str, caller: Caller) -> bool:
    try:
        grant = granted(caller, row)
    except (Denied, BadRequest):
        return False
    assert grant.actor.rights == table()[row].rights
    assert grant.actor.realm.id == _TENANT
    return True


@pytest.mark.parametrize("row", ROWS)
def test_an_app_needs_one_of_the_permissions(row: str) -> None:
    allowed = {name for name in _PERMISSIONS if _allowed(row, app(_TENANT, name))}

    assert allowed == set(ROWS[row][0].split())
    assert not _allowed(row, app(_TENANT))


@pytest.mark.parametrize("row", ROWS)
def test_a_person_needs_one_of_the_scopes(row: str) -> None:
    everything = list(directory_roles())
    allowed = {name for name in _PERMISSIONS if _allowed(row, person(_TENANT, _USER, [name], everything))}

    assert allowed == set(ROWS[row][1].split())
    assert not _allowed(row, person(_TENANT, _USER, [], everything))


@pytest.mark.parametrize(("row", "role"), list(product(ROWS, [*directory_roles(), None])))
def test_a_persons_roles_decide(row: str, role: str | None) -> None:
    caller = person(_TENANT, _USER, _PERMISSIONS, [role] if role else [])
    expected = ROWS[row][2]
    full = expected == _EVERYBODY or role in expected.split(", ")

    if table()[row].owners:
        # Anybody may try: what they do not own is refused by the handler.
        assert granted(caller, row).owned_only is not full
    else:
        assert _allowed(row, caller) is full


def test_what_an_app_may_do_with_its_own_only_is_marked() -> None:
    assert granted(app(_TENANT, "Application.ReadWrite.OwnedBy"), "extensionProperties.write").owned_only
    assert not granted(app(_TENANT, "Application.ReadWrite.All"), "extensionProperties.write").owned_only


def test_every_row_names_permissions_that_there_are() -> None:
    known = set(permissions())
    for row in table().values():
        assert row.delegated | row.application | row.application_owned | row.basic <= known, row.name
