"""Step 1 of every token, its content: the claims of access tokens, as Entra's v2.0 tokens have them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from provisor.security.actor import directory_roles
from provisor.security.permissions import GRAPH_APP_ID
from provisor.signin.errors import BadToken, TokenExpired
from provisor.signin.people import Person

# The client of the operator's own tokens (``provisor token create``). No application registers this id.
OPERATOR_APP_ID = "0f7a51e5-6f0f-4d1c-9c5c-70726f763031"
# How far the clocks of two of our servers may be apart.
LEEWAY_S = 60

# What may stand for the API as a token's audience.
_GRAPH_AUDIENCES = (GRAPH_APP_ID, "https://graph.microsoft.com", "https://graph.microsoft.com/")


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token of the API says. ``grant``: what it was issued for: a person's grant, an operator's token,
    or an application's secret. ``object_id``: the person, or the application's service principal. ``user_id`` is null
    of an application's token.
    """

    kind: Literal["user", "app"]
    tenant_id: str
    client_id: str
    grant: str
    object_id: str
    issued_at: int
    expires_at: int
    user_id: str | None = None
    scopes: frozenset[str] = frozenset()
    app_roles: frozenset[str] = frozenset()


def issuer(base: str, tenant_id: str) -> str:
    """The ``iss`` of a tenant's tokens. ``base``: where the world sees this server, without a slash at its end."""
    return f"{base}/{tenant_id}/v2.0"


def app_claims(
    base: str,
    tenant_id: str,
    *,
    client_id: str,
    object_id: str,
    grant: str,
    roles: Collection[str],
    now_ms: int,
    expires_ms: int,
    audience: str = GRAPH_APP_ID,
) -> dict[str, Any]:
    """An application's own access token. ``object_id``: its service principal's id."""
    claims = _claims(base, tenant_id, client_id, grant, now_ms, expires_ms, audience)
    return claims | {"idtyp": "app", "oid": object_id, "sub": object_id, "roles": sorted(roles)}


def user_claims(
    base: str,
    person: Person,
    *,
    client_id: str,
    grant: str,
    scopes: Collection[str],
    now_ms: int,
    expires_ms: int,
    audience: str = GRAPH_APP_ID,
) -> dict[str, Any]:
    """The access token of an application that acts for a person."""
    ids = directory_roles()
    return _claims(base, person.key.realm_id, client_id, grant, now_ms, expires_ms, audience) | {
        "idtyp": "user",
        "oid": person.key.subject_id,
        "sub": person.key.subject_id,
        "name": person.name,
        "preferred_username": person.login,
        "upn": person.login,
        "scp": " ".join(sorted(scopes)),
        "wids": sorted(ids[role] for role in person.roles if role in ids),
    }


def id_claims(
    base: str,
    person: Person,
    *,
    client_id: str,
    scopes: Collection[str],
    nonce: str | None,
    roles: Collection[str],
    auth_ms: int,
    now_ms: int,
    expires_ms: int,
) -> dict[str, Any]:
    """What a client learns of who signed in. ``oid`` with ``tid`` names a person for good; names and addresses do not.

    ``roles``: those that the person has of this application.
    """
    now = now_ms // 1000
    claims: dict[str, Any] = {
        "aud": client_id,
        "iss": issuer(base, person.key.realm_id),
        "iat": now,
        "nbf": now,
        "exp": expires_ms // 1000,
        "auth_time": auth_ms // 1000,
        "oid": person.key.subject_id,
        "sub": person.key.subject_id,
        "tid": person.key.realm_id,
        "ver": "2.0",
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if "profile" in scopes:
        claims |= {"name": person.name, "preferred_username": person.login}
    if "email" in scopes and person.mail:
        claims["email"] = person.mail
    if roles:
        claims["roles"] = sorted(roles)
    return claims


def read_access_claims(signed_by: str, claims: Mapping[str, Any], now_ms: int) -> AccessClaims:
    """The claims of a token that a key of the tenant ``signed_by`` signed. Raises ``BadToken``, ``TokenExpired``."""
    tenant_id, kind = claims.get("tid"), claims.get("idtyp")
    if tenant_id != signed_by or kind not in ("user", "app"):
        raise BadToken("The token is no access token of this tenant.", hint="Send the access token, not the id token.")
    if claims.get("aud") not in _GRAPH_AUDIENCES:
        raise BadToken("The access token is for another API.", hint="Ask for one with a scope of this API.")
    try:
        issued, begins, ends = (int(claims[name]) for name in ("iat", "nbf", "exp"))
        client_id, grant, subject = (str(claims[name]) for name in ("azp", "sid", "oid"))
    except (KeyError, ValueError, TypeError) as error:
        raise BadToken("The access token lacks a claim.", hint="Ask for a new one.") from error
    now = now_ms // 1000
    if now >= ends:
        raise TokenExpired(hint="Ask the token address for a new one.")
    if now + LEEWAY_S < begins:
        raise BadToken("The access token is not valid yet.", hint="Set this server's clock.")
    return AccessClaims(
        kind=kind,
        tenant_id=signed_by,
        client_id=client_id,
        grant=grant,
        object_id=subject,
        issued_at=issued * 1000,
        expires_at=ends * 1000,
        user_id=subject if kind == "user" else None,
        scopes=frozenset(str(claims.get("scp", "")).split()) if kind == "user" else frozenset(),
        app_roles=frozenset(map(str, claims.get("roles") or ())) if kind == "app" else frozenset(),
    )


def _claims(
    base: str, tenant_id: str, client_id: str, grant: str, now_ms: int, expires_ms: int, audience: str
) -> dict[str, Any]:
    now = now_ms // 1000
    return {
        "aud": audience,
        "iss": issuer(base, tenant_id),
        "iat": now,
        "nbf": now,
        "exp": expires_ms // 1000,
        "azp": client_id,
        "appid": client_id,
        "tid": tenant_id,
        "sid": grant,
        "ver": "2.0",
    }
