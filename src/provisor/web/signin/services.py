"""What the pages of signing in, and the authority's addresses, call."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.signin.accounts.service import Accounts
from provisor.signin.federation.service import Federation
from provisor.signin.joining.service import Joining
from provisor.signin.keyring.service import Keyring
from provisor.signin.openid.authorize import Authorization
from provisor.signin.openid.consent import Consents
from provisor.signin.openid.issuing import Issuing
from provisor.signin.service import Authority
from provisor.signin.sessions import Sessions


@dataclass(frozen=True, slots=True)
class SignInServices:
    accounts: Accounts
    sessions: Sessions
    joining: Joining
    authority: Authority
    keyring: Keyring
    authorization: Authorization
    consents: Consents
    issuing: Issuing
    federation: Federation
