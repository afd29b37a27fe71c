"""Accounts, their nouns, and what a sign-in can be refused for.

SignInRefused           the name and the password do not belong together, or nobody may sign in so (says not which)
├── TooManyAttempts     too many wrong guesses at this account or from this address
└── CodeRefused         the second factor's code is wrong, used or too old
PasswordUnfit           InvalidInput: the new password cannot be used
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from provisor.errors import InvalidInput, ProvisorError
from provisor.signin.people import Person, PersonKey


class SignInRefused(ProvisorError):
    """The user name or the password is wrong."""


class TooManyAttempts(SignInRefused):
    """There were too many wrong attempts."""


class CodeRefused(SignInRefused):
    """The code is wrong, was used before, or is too old."""


class PasswordUnfit(InvalidInput):
    """This password cannot be used."""


# What is still to be done after the right password: nothing, the second factor, or setting one up.
Next = Literal["done", "code", "enrol"]


@dataclass(frozen=True, slots=True)
class Checked:
    """Somebody who knows the password. There is no session before ``next`` is ``done``."""

    person: Person
    next: Next


@dataclass(frozen=True, slots=True)
class Account:
    """What a person proves who they are with, as it is stored. Moments in ms UTC."""

    key: PersonKey
    password_hash: str | None = field(default=None, repr=False)
    totp_sealed: bytes | None = field(default=None, repr=False)
    totp_confirmed_at: int | None = None
    totp_step: int | None = None
    signed_in_at: int | None = None

    @property
    def has_second_factor(self) -> bool:
        """Whether a code is asked of this person."""
        return self.totp_sealed is not None and self.totp_confirmed_at is not None


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What one sees of one's own. ``recovery_codes``: how many are left."""

    enabled: bool
    recovery_codes: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A second factor that is being set up: its secret for typing, and the address that a QR code holds."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
