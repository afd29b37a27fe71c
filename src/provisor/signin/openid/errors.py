"""What the authority refuses, in Entra's words: an OAuth error code, and a number that clients and searches know.

The numbers are those of Microsoft's public list of AADSTS error codes; the sentences are ours.
"""

from __future__ import annotations

from provisor.errors import ProvisorError


class Refusal(ProvisorError):
    """The request was refused. ``error``: RFC 6749's code; ``code``: Entra's number."""

    def __init__(self, error: str, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.error = error
        self.code = code
        self.status = status

    @property
    def description(self) -> str:
        """``AADSTS…: …``, as ``error_description`` has it."""
        return f"AADSTS{self.code}: {self.message}"


def missing(name: str) -> Refusal:
    """A parameter is not there."""
    return Refusal("invalid_request", 900144, f"The request body must contain the following parameter: '{name}'.")


def invalid_request(message: str, code: int = 90014) -> Refusal:
    """The request itself is malformed."""
    return Refusal("invalid_request", code, message)


def unknown_tenant(ref: str) -> Refusal:
    return Refusal("invalid_request", 90002, f"Tenant '{ref[:80]}' not found.")


def unknown_client(client_id: str, where: str) -> Refusal:
    return Refusal(
        "unauthorized_client", 700016, f"Application with identifier '{client_id[:80]}' was not found in {where}."
    )


def not_multi_tenant(client_id: str) -> Refusal:
    return Refusal(
        "unauthorized_client",
        50194,
        f"Application '{client_id}' is not configured as a multi-tenant application: name its tenant instead of "
        "organizations.",
    )


def wrong_redirect(given: str, client_id: str) -> Refusal:
    return Refusal(
        "invalid_request",
        50011,
        f"The redirect URI '{given[:300]}' specified in the request does not match the redirect URIs configured for "
        f"the application '{client_id}'.",
    )


def invalid_scope(message: str, code: int = 70011) -> Refusal:
    return Refusal("invalid_scope", code, message)


def unknown_resource(name: str) -> Refusal:
    return Refusal(
        "invalid_resource", 500011, f"The resource principal named {name[:200]} was not found in the tenant."
    )


def wrong_secret(client_id: str) -> Refusal:
    return Refusal(
        "invalid_client", 7000215, f"Invalid client secret provided for the application '{client_id}'.", status=401
    )


def no_secret() -> Refusal:
    return Refusal(
        "invalid_client",
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        status=401,
    )


def disabled(client_id: str) -> Refusal:
    return Refusal("unauthorized_client", 7000112, f"Application '{client_id}' is disabled.")


def bad_grant(message: str, code: int) -> Refusal:
    """A code or a refresh token does not work."""
    return Refusal("invalid_grant", code, message)


def login_required() -> Refusal:
    return Refusal("login_required", 50058, "A silent sign-in request was sent but no user is signed in.")


def consent_required(client_id: str) -> Refusal:
    return Refusal(
        "consent_required",
        65001,
        f"The user or administrator has not consented to use the application with ID '{client_id}'. Send an "
        "interactive authorization request for this user and resource.",
    )


def declined() -> Refusal:
    return Refusal("access_denied", 65004, "User declined to consent to access the app.")


def admin_needed(name: str) -> Refusal:
    return Refusal(
        "access_denied", 90094, f"An administrator of {name} has to consent to the permissions that are asked for."
    )


def not_assigned(login: str, app: str) -> Refusal:
    return Refusal(
        "access_denied", 50105, f"The signed in user '{login}' is not assigned to a role for the application '{app}'."
    )


def foreign_user(login: str, tenant: str) -> Refusal:
    return Refusal("access_denied", 50020, f"User account '{login}' does not exist in tenant '{tenant}'.")
