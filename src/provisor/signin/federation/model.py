"""Signing in with Microsoft, its nouns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from provisor.errors import ProvisorError
from provisor.signin.people import PersonKey

Flow = Literal["sign-in", "sign-up", "invitation"]


class FederationFailed(ProvisorError):
    """Signing in with Microsoft did not work."""


class Started(msgspec.Struct, frozen=True):
    """What the browser holds, sealed, while it is away. ``ends`` in ms UTC. ``invitation``: the link's text."""

    flow: Flow
    state: str
    nonce: str
    verifier: str
    next: str
    invitation: str
    ends: int


class Identity(msgspec.Struct, frozen=True):
    """An account elsewhere, by what never changes of it: issuer, tenant (``tid``) and object id (``oid``).

    ``login`` and ``email`` are what people read, and decide nothing. ``ends``: until when it may found a company.
    """

    issuer: str
    directory_id: str
    object_id: str
    name: str
    login: str
    email: str
    ends: int = 0


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it holds meanwhile."""

    address: str
    held: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arrived:
    """Who came back. ``person``: null where the identity is nobody's here yet; then ``held`` is what the browser holds
    while it is asked for a company's name.
    """

    started: Started
    identity: Identity
    person: PersonKey | None
    held: str = field(default="", repr=False)
