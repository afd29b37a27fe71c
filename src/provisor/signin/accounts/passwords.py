"""What a password must be. Length is what counts; rules on characters only make people write them down. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from provisor.signin.accounts.model import PasswordUnfit

SHORTEST, LONGEST = 10, 256
SHORTEST_GIVEN = 8
_COMMON = (
    "password",
    "passwort",
    "qwerty",
    "qwertz",
    "letmein",
    "welcome",
    "iloveyou",
    "provisor",
    "changeme",
    "admin",
    "1234567890",
    "0123456789",
    "abcdefghij",
)


def check_password(password: str, names: Iterable[str]) -> None:
    """Raise ``PasswordUnfit`` with what is wrong. ``names``: those of the person and the realm, not to be repeated."""
    if len(password) < SHORTEST:
        raise PasswordUnfit(f"A password has at least {SHORTEST} characters.", hint="Several words make a good one.")
    if len(password) > LONGEST:
        raise PasswordUnfit(f"A password has at most {LONGEST} characters.")
    if "\x00" in password:
        raise PasswordUnfit("A password contains no NUL.")
    lowered = password.lower()
    if len(set(lowered)) < 4:
        raise PasswordUnfit("This repeats a few characters.", hint="Several words make a good one.")
    # What is left when the well-known part is taken away has to be a password's beginning at least.
    known = [*_COMMON, *(name for given in names for name in _parts(given))]
    for part in sorted(known, key=len, reverse=True):
        if part in lowered and len(lowered.replace(part, "")) < SHORTEST // 2:
            raise PasswordUnfit(f"This is little more than {part!r}.", hint="Several words make a good one.")


def check_given(password: str) -> None:
    """A password that an administrator's program gives is measured as Entra measures it: 8 to 256 characters."""
    if not SHORTEST_GIVEN <= len(password) <= LONGEST or "\x00" in password:
        raise PasswordUnfit(f"A given password has {SHORTEST_GIVEN} to {LONGEST} characters, none of them NUL.")


def _parts(name: str) -> Iterable[str]:
    lowered = name.lower()
    return (part for part in {lowered, *lowered.partition("@")[::2]} if len(part) >= 3)
