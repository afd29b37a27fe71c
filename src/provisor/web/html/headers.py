"""Pages: what every page's answer says about itself. Nothing inline runs or styles, so nothing injected does."""

from __future__ import annotations

from collections.abc import Sequence

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; form-action 'self'"
)
SHARED = {
    "x-content-type-options": "nosniff",
    # With "no-referrer" browsers send "Origin: null", and the check of a form's origin would have nothing to compare.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def page_headers(form_action: Sequence[str] = ()) -> dict[str, str]:
    """The headers of a page. ``form_action``: further origins (``https://app.example``) that its forms may lead to."""
    policy = " ".join((_POLICY, *form_action))
    return {**SHARED, "content-security-policy": policy, "x-frame-options": "DENY", "cache-control": "no-store"}
