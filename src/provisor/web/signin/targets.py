"""Pages of signing in: where a form may lead at its end. Browsers apply ``form-action`` to the redirects after it too.

Only this address's own query is looked at, and only to widen the policy of one page by one origin: whether the browser
is sent there is decided by the authority, which compares it with what the application registered.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

_HTTP = re.compile(r"https?://(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{2,60}:")
_NEVER = frozenset(("javascript:", "data:", "vbscript:", "blob:", "filesystem:", "about:", "file:"))


def form_targets(to: str) -> tuple[str, ...]:
    """The origin behind an authority's address (``…/authorize?redirect_uri=…``), as the policy's source."""
    given = parse_qs(urlsplit(to).query).get("redirect_uri", [""])[0]
    source = source_of(given)
    return () if source is None else (source,)


def source_of(address: str) -> str | None:
    """``https://app.example`` of an address there, ``myapp:`` of a native application's; null for what is neither."""
    found = _HTTP.match(address)
    if found is not None:
        # What follows must be a path, or the host would be another one.
        rest = address[found.end() :]
        return found[0] if not rest or rest[0] in "/?#" else None
    scheme = _SCHEME.match(address.lower())
    return None if scheme is None or scheme[0] in _NEVER or scheme[0] in ("http:", "https:") else scheme[0]
