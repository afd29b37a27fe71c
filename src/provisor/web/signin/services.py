"""What the pages of signing in call."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.signin.accounts.service import Accounts
from provisor.signin.joining.service import Joining
from provisor.signin.sessions import Sessions


@dataclass(frozen=True, slots=True)
class SignInServices:
    """``microsoft``: companies' people may sign in and sign up with Microsoft too."""

    accounts: Accounts
    sessions: Sessions
    joining: Joining
    microsoft: bool = False
