"""What a client asks for: the ``scope`` parameter, taken apart. Pure.

``openid profile email offline_access`` are about the sign-in; ``User.Read`` and ``https://graph.microsoft.com/User.Read``
are permissions of the API, whatever name the API has here; ``api://<app id>/Read`` are another application's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from provisor.security.permissions import GRAPH_APP_ID, OPENID_SCOPES, scopes
from provisor.signin.openid.errors import Refusal, invalid_scope

DEFAULT = ".default"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GRAPH_NAMES = frozenset(("https://graph.microsoft.com", "https://graph.microsoft.us", GRAPH_APP_ID))
_LOCAL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?")
_LONGEST = 4_096


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. ``resource``: the app id whose permissions ``names`` are. ``default``: whatever the
    application's registration asks for, and was consented to. ``openid``: of the sign-in's own scopes, those asked for.
    """

    resource: str
    names: tuple[str, ...]
    openid: tuple[str, ...]
    default: bool = False

    @property
    def offline(self) -> bool:
        """Whether a refresh token is asked for."""
        return "offline_access" in self.openid


def parse_scope(text: str, base: str) -> Wanted:
    """``base``: this server's address, by which the API can be named too. Raises ``Refusal`` (``invalid_scope``)."""
    if len(text) > _LONGEST:
        raise invalid_scope("The scope is too long.")
    openid: list[str] = []
    found: dict[str, list[str]] = {}
    for part in dict.fromkeys(text.split()):
        if part.lower() in OPENID_SCOPES:
            openid.append(part.lower())
            continue
        resource, name = _split(part, base)
        found.setdefault(resource, []).append(name)
    if len(found) > 1:
        raise invalid_scope("The scope names permissions of more than one resource; ask for one at a time.", 28000)
    if not found and not openid:
        raise invalid_scope("The provided value for the input parameter 'scope' is not valid: it is empty.")
    resource, names = next(iter(found.items()), (GRAPH_APP_ID, []))
    default = DEFAULT in names
    if default and len(names) > 1:
        raise invalid_scope(f"{DEFAULT} scope can't be combined with resource-specific scopes.")
    if resource == GRAPH_APP_ID and not default:
        names = [_graph_name(name) for name in names]
    return Wanted(resource, tuple(() if default else names), tuple(openid), default)


def _split(part: str, base: str) -> tuple[str, str]:
    """The resource's app id and the permission's name."""
    resource, slash, name = part.rpartition("/")
    resource = resource.rstrip("/")
    if not slash or not resource:
        return GRAPH_APP_ID, name or part
    if resource in _GRAPH_NAMES or resource == base or _LOCAL.fullmatch(resource):
        return GRAPH_APP_ID, name
    app_id = resource.removeprefix("api://").lower()
    if _GUID.fullmatch(app_id):
        return app_id, name
    raise Refusal(
        "invalid_resource", 500011, f"The resource principal named {resource[:200]} was not found in the tenant."
    )


def _graph_name(name: str) -> str:
    known = scopes().get(name.lower())
    if known is None:
        raise invalid_scope(
            f"The provided value for the input parameter 'scope' is not valid. The scope {name[:120]} does not exist."
        )
    return known.name
