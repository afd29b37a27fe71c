"""Step 0 of the API and the portals, its nouns: who a bearer token or a browser's session speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from provisor.security.actor import Actor


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a bearer token of the Graph-compatible API speaks for.

    ``kind``: ``app`` is an application with its own permissions, ``user`` a person through an application.
    ``user_id``: null for an app. ``scopes``: delegated permissions (``User.Read.All``), empty for an app.
    ``app_roles``: application permissions, empty for a user. ``directory_roles``: the person's, by display name.
    """

    actor: Actor
    tenant_id: str
    kind: Literal["user", "app"]
    app_id: str
    user_id: str | None = None
    scopes: frozenset[str] = frozenset()
    app_roles: frozenset[str] = frozenset()
    directory_roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. ``realm_id``: the tenant (``/portal``) or the company (``/company``). ``csrf``: the token
    that every form of this session carries. ``subject_id``: the person's id in that realm."""

    id: str
    kind: Literal["tenant", "company"]
    realm_id: str
    realm_name: str
    subject_id: str
    name: str
    actor: Actor
    csrf: str
