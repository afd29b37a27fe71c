"""What stops guessing: wrong attempts are counted before they are checked, per account and per address. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Policy:
    """``limit`` wrong attempts within ``window_ms`` lock for ``lock_ms``."""

    limit: int
    window_ms: int = 15 * MINUTE_MS
    lock_ms: int = 15 * MINUTE_MS


# As Entra's smart lockout: ten wrong passwords. An address may stand for an office full of people.
ACCOUNT = Policy(10)
ADDRESS = Policy(100)
# A code has a million values, of which three count at a time.
CODE = Policy(5)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is known of attempts at one key. Moments in ms UTC."""

    failures: int = 0
    began_at: int = 0
    locked_until: int = 0


def attempted(before: Attempts, policy: Policy, now: int) -> tuple[bool, Attempts]:
    """Whether one more attempt may be checked now, and what is known afterwards if it is counted as wrong.

    While locked, nothing is counted: who guesses on does not make the lock longer for who it belongs to.
    """
    if now < before.locked_until:
        return False, before
    if now - before.began_at >= policy.window_ms:
        before = Attempts(0, now, 0)
    failures = before.failures + 1
    if failures < policy.limit:
        return True, Attempts(failures, before.began_at, 0)
    # The last one is checked still; the count begins anew when the lock ends.
    return True, Attempts(0, before.began_at, now + policy.lock_ms)


def account_key(kind: str, login: str) -> str:
    """What attempts at a name are counted under, whether or not anybody is called so."""
    return f"account:{hashlib.sha256(f'{kind} {login.strip().lower()}'.encode()).hexdigest()}"


def address_key(address: str) -> str:
    """The same of an address; of IPv6 the network of 64 bits, which is one customer's."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return f"address:{address[:64]}"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return f"address:{found.ipv4_mapped}"
        return f"address:{ipaddress.ip_network((found, 64), strict=False)}"
    return f"address:{found}"
