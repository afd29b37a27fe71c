"""The authority's documents: discovery (OpenID Connect Discovery 1.0) and the public keys (RFC 7517)."""

from __future__ import annotations

from typing import Any

from provisor.signin.claims import issuer
from provisor.signin.openid.model import TenantRef


def discovery(base: str, tenant: TenantRef) -> dict[str, Any]:
    """The document of one tenant, or of ``organizations``, whose issuer is a pattern, as Entra has it."""
    here = f"{base}/{tenant.id or tenant.ref}"
    return {
        "issuer": issuer(base, tenant.id or "{tenantid}"),
        "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
        "token_endpoint": f"{here}/oauth2/v2.0/token",
        "end_session_endpoint": f"{here}/oauth2/v2.0/logout",
        "jwks_uri": f"{here}/discovery/v2.0/keys",
        "userinfo_endpoint": f"{base}/oidc/userinfo",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "none"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "preferred_username",
            "name",
            "tid",
            "oid",
            "ver",
            "email",
            "roles",
        ],
        "request_uri_parameter_supported": False,
        "http_logout_supported": False,
        "frontchannel_logout_supported": False,
        "tenant_region_scope": None,
    }
