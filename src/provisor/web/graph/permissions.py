"""Graph face, step 2: whether a caller may do an operation. The table is data: ``permissions.toml`` beside this file.

An app needs one of the row's application permissions. A person needs one of the row's delegated permissions in the
token, and roles that include the row's rights; with ``own``, the person's own object needs no role; with ``owners``, an
owner of the object needs none either, which the handler checks (``Grant.owned_only``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from provisor.security.actor import Actor, Realm, Right
from provisor.signin.model import Caller
from provisor.web.graph.errors import BadRequest, Denied


@dataclass(frozen=True, slots=True)
class Row:
    """Who may do some operations. ``rights``: what the services need to be allowed for them."""

    name: str
    delegated: frozenset[str]
    application: frozenset[str]
    application_owned: frozenset[str]
    rights: frozenset[Right]
    own: bool = False
    owners: bool = False
    basic: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grant:
    """A caller who may. ``actor`` is what services are called with. ``owned_only``: only on what the caller owns.
    ``basic_only``: only the basic properties."""

    actor: Actor
    owned_only: bool = False
    basic_only: bool = False


@cache
def table() -> Mapping[str, Row]:
    """Row name -> row."""
    text = files("provisor.web.graph").joinpath("permissions.toml").read_text("utf-8")
    return {
        name: Row(
            name,
            frozenset(row.get("delegated", ())),
            frozenset(row.get("application", ())),
            frozenset(row.get("application_owned", ())),
            frozenset(Right(right) for right in row.get("rights", ())),
            row.get("own", False),
            row.get("owners", False),
            frozenset(row.get("basic", ())),
        )
        for name, row in tomllib.loads(text).items()
    }


def granted(caller: Caller, name: str) -> Grant:
    """What the row ``name`` grants the caller. Raises ``Denied`` that says what is missing."""
    row = table()[name]
    actor = replace(caller.actor, realm=Realm("tenant", caller.tenant_id), rights=row.rights)
    return _of_app(caller, row, actor) if caller.kind == "app" else _of_person(caller, row, actor)


def _of_app(caller: Caller, row: Row, actor: Actor) -> Grant:
    if caller.app_roles & row.application:
        return Grant(actor)
    if caller.app_roles & row.application_owned:
        return Grant(actor, owned_only=True)
    if caller.app_roles & row.basic:
        return Grant(actor, basic_only=True)
    wanted = sorted(row.application | row.application_owned)
    if not wanted:
        raise BadRequest("/me request is only valid with delegated authentication flow.", code="BadRequest")
    raise Denied(
        "Insufficient privileges to complete the operation. The application lacks every permission that allows it: "
        f"{', '.join(wanted)}."
    )


def _of_person(caller: Caller, row: Row, actor: Actor) -> Grant:
    basic_only = not caller.scopes & row.delegated and bool(caller.scopes & row.basic)
    if not caller.scopes & row.delegated and not basic_only:
        raise Denied(
            "Insufficient privileges to complete the operation. The token has none of the scopes that allow it: "
            f"{', '.join(sorted(row.delegated))}."
        )
    if row.own or row.rights <= caller.actor.rights:
        return Grant(actor, basic_only=basic_only)
    if row.owners:
        return Grant(actor, owned_only=True)
    raise Denied(
        "Insufficient privileges to complete the operation. The signed-in person has no directory role that includes "
        f"{', '.join(sorted(row.rights - caller.actor.rights))}."
    )
