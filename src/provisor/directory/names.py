"""Source of every flow: how people and groups are named, and how names are compared. Pure.

Rules of user principal names: letters, digits and ``' . - _ ! # ^ ~``, one ``@``, at most 113 characters of which 64
stand before the ``@``, no full stop next to it. Uniqueness ignores case. A deleted user's name carries the 32 hex
digits of its id in front, so that the name is free for another (reference: entra-provisioning-service.md section 14).
"""

from __future__ import annotations

import re
import unicodedata
from uuid import UUID

from provisor.errors import InvalidInput

_LOCAL = re.compile(r"[A-Za-z0-9'.\-_!#^~]+")
_OUTSIDE = re.compile(r"[^A-Za-z0-9'.\-_!#^~]")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_LONGEST, _LONGEST_LOCAL, _LONGEST_LABEL = 113, 64, 63
_LONGEST_NICKNAME = 64
_GUEST = "#EXT#"


def upn_fault(upn: str) -> str | None:
    """Why this cannot be a user principal name; null when it can."""
    if upn.count("@") != 1:
        return "it needs exactly one @"
    local, domain = upn.split("@")
    if not _LOCAL.fullmatch(local):
        wrong = _OUTSIDE.search(local)
        return f"{wrong[0]!r} is not allowed in it" if wrong else "nothing stands before the @"
    if local.startswith(".") or local.endswith("."):
        return "a full stop may not come first or before the @"
    if not domain or not _DOMAIN.fullmatch(domain) or any(len(label) > _LONGEST_LABEL for label in domain.split(".")):
        return f"{domain!r} is not a domain name" if domain else "no domain name follows the @"
    if len(local) > _LONGEST_LOCAL:
        return f"{len(local)} characters stand before the @, {_LONGEST_LOCAL} may"
    if len(upn) > _LONGEST:
        return f"it has {len(upn)} characters, {_LONGEST} are allowed"
    return None


def check_domain(domain: str) -> str:
    """``domain`` in lower case. Raises ``InvalidInput`` when it is not a domain name with at least one full stop."""
    if not _DOMAIN.fullmatch(domain):
        raise InvalidInput(f"{domain!r} is not a domain name.", hint="It looks like lindenhof.example.")
    return domain.lower()


def upn_key(upn: str) -> str:
    """What two user principal names have in common when they are the same."""
    return upn.lower()


def name_key(name: str) -> str:
    """What two display names have in common when they are the same to a reader: composed, case folded, trimmed."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def containing(text: str) -> str:
    """A pattern for ``LIKE … ESCAPE '!'`` that a name's key is like when the name contains ``text``."""
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{name_key(text)}%"


def deleted_upn(user_id: str, upn: str) -> str:
    """The name of a deleted user."""
    return user_id.replace("-", "") + upn


def restored_upn(user_id: str, upn: str) -> str:
    """The name that ``deleted_upn`` was given."""
    return upn.removeprefix(user_id.replace("-", ""))


def canonical_guid(text: str) -> str | None:
    """A GUID in 36 lower-case characters; null when ``text`` is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None


def nickname_of_user(upn: str) -> str:
    """The mailNickname that Entra derives when none is given: what stands before the @."""
    return upn.split("@")[0][:_LONGEST_NICKNAME]


def nickname_of_group(display_name: str) -> str:
    """A mailNickname for a group: the letters and digits of its name in ASCII, else ``group``."""
    ascii_name = unicodedata.normalize("NFKD", display_name).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^A-Za-z0-9]", "", ascii_name)[:_LONGEST_NICKNAME] or "group"


def is_guest(upn: str) -> bool:
    """Whether this is a guest's name: ``alias_theirdomain#EXT#@ourdomain``."""
    return _GUEST in upn


def home_upn(upn: str) -> str:
    """A guest's name at home, ``alias@theirdomain``; any other name as it is (reference section 8.6)."""
    local, mark, _ = upn.partition(_GUEST)
    alias, underscore, domain = local.rpartition("_")
    return f"{alias}@{domain}" if mark and underscore else upn
