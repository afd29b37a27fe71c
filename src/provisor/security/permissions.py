"""Step 0 of the API: the permissions that apps can be given, as data, and what they allow.

``permissions.toml`` beside this file has Microsoft Graph's names and ids. A *delegated* permission (a scope) limits
what an app does for a signed-in person; an *application* permission (an app role) is what an app may do by itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from provisor.security.actor import Right

# The application that is the API: every tenant has a service principal of it.
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
# Scopes that are about the sign-in itself and give no access to the API.
OPENID_SCOPES = ("openid", "profile", "email", "offline_access")


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission. ``scope_id``: of the delegated one; ``role_id``: of the application one; null: there is none.

    ``admin``: only an administrator may consent to the delegated one. ``title`` and ``text`` are for the consent page.
    ``rights``: what the application permission allows.
    """

    name: str
    scope_id: str | None
    role_id: str | None
    admin: bool
    title: str
    text: str
    rights: frozenset[Right]


@cache
def permissions() -> dict[str, Permission]:
    """By name, in the file's order."""
    text = files("provisor.security").joinpath("permissions.toml").read_text("utf-8")
    return {
        name: Permission(
            name=name,
            scope_id=row.get("scope"),
            role_id=row.get("role"),
            admin=row["admin"],
            title=row["title"],
            text=row["text"],
            rights=frozenset(Right(right) for right in row["rights"]),
        )
        for name, row in tomllib.loads(text).items()
    }


@cache
def scopes() -> dict[str, Permission]:
    """The delegated permissions, by lower-cased name: clients write them in any case."""
    return {name.lower(): found for name, found in permissions().items() if found.scope_id is not None}


@cache
def app_roles() -> dict[str, Permission]:
    """The application permissions, by name."""
    return {name: found for name, found in permissions().items() if found.role_id is not None}


def rights_of_app(roles: Iterable[str]) -> frozenset[Right]:
    """What an app with these application permissions may do; names that are none of ours allow nothing."""
    known = app_roles()
    return frozenset[Right]().union(*(known[name].rights for name in roles if name in known))
