"""What signing in can be refused for.

ProvisorError
├── BadToken        the bearer token stands for nobody (401)
├── RoleUnknown     InvalidInput: there is no such directory role
└── LinkUnusable    NotFound: the one-time link is unknown, used or too old
"""

from __future__ import annotations

from provisor.errors import InvalidInput, NotFound, ProvisorError


class BadToken(ProvisorError):
    """The access token was not issued by this server for this API."""


class TokenExpired(BadToken):
    """The access token has expired."""


class TokenRevoked(BadToken):
    """The access token was revoked, or who it was issued to may not sign in any more."""


class RoleUnknown(InvalidInput):
    """There is no such directory role."""


class LinkUnusable(NotFound):
    """This link does not work: it was used already, or it is too old."""
