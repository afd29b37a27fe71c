"""Start-up: signing in, and the authority."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from provisor.app.wiring.applications import ApplicationServices
from provisor.app.wiring.directory import DirectoryServices
from provisor.app.wiring.provider import ProviderServices

if TYPE_CHECKING:
    from provisor.app.setup import Setup
    from provisor.security.passwords import Passwords as HashingPool
    from provisor.signin.accounts.service import Accounts
    from provisor.signin.federation.service import Federation
    from provisor.signin.given.service import GivenPasswords
    from provisor.signin.joining.service import Joining
    from provisor.signin.keyring.service import Keyring
    from provisor.signin.links.service import Links
    from provisor.signin.openid.authorize import Authorization
    from provisor.signin.openid.clients import Clients as OAuthClients
    from provisor.signin.openid.consent import Consents
    from provisor.signin.openid.issuing import Issuing
    from provisor.signin.openid.vendor import Vendor
    from provisor.signin.roles.service import Roles
    from provisor.signin.service import Authority
    from provisor.signin.sessions import Sessions


class SignInServices(DirectoryServices, ApplicationServices, ProviderServices):
    """What makes signing in, and the authority."""

    @cached_property
    def keyring(self) -> Keyring:
        from provisor.signin.keyring.service import Keyring
        from provisor.signin.keyring.store import KeyStore

        return Keyring(KeyStore(self.database), self._sealer, self.clock)

    @cached_property
    def authority(self) -> Authority:
        from provisor.signin.service import Authority
        from provisor.signin.store import SignInStore

        return Authority(SignInStore(self.database), self.keyring, self.oauth_clients, self.clock)

    @cached_property
    def vendor(self) -> Vendor:
        from provisor.signin.openid.vendor import TEMPLATE, Vendor

        secret = self.root.derive("vendor client secret").hex()
        return Vendor(self.registrations, self.applications.template(TEMPLATE), secret, self.clock)

    @cached_property
    def oauth_clients(self) -> OAuthClients:
        from provisor.signin.openid.clients import Clients

        return Clients(self.registrations, self.passwords, self.role_assignments, self.directory, self.vendor)

    @cached_property
    def consents(self) -> Consents:
        from provisor.signin.openid.consent import Consents
        from provisor.signin.openid.store import OpenIdStore

        store = OpenIdStore(self.database)
        return Consents(store, self.oauth_clients, self.registrations, self.grants, self.role_assignments)

    @cached_property
    def authorization(self) -> Authorization:
        from provisor.signin.openid.authorize import Authorization
        from provisor.signin.openid.store import OpenIdStore

        return Authorization(OpenIdStore(self.database), self.oauth_clients, self.consents, self.clock)

    @cached_property
    def issuing(self) -> Issuing:
        from provisor.signin.openid.issuing import Issuing
        from provisor.signin.openid.store import OpenIdStore
        from provisor.signin.store import SignInStore

        store, people = OpenIdStore(self.database), SignInStore(self.database)
        return Issuing(store, people, self.oauth_clients, self.consents, self.keyring, self.clock)

    @cached_property
    def sessions(self) -> Sessions:
        from provisor.signin.sessions import Sessions
        from provisor.signin.store import SignInStore

        return Sessions(SignInStore(self.database), self.clock)

    @cached_property
    def roles(self) -> Roles:
        from provisor.signin.roles.service import Roles
        from provisor.signin.roles.store import RoleStore

        return Roles(RoleStore(self.database), self.directory, self.clock)

    @cached_property
    def links(self) -> Links:
        from provisor.signin.links.service import Links
        from provisor.signin.links.store import LinkStore

        return Links(LinkStore(self.database), self.clock)

    @cached_property
    def accounts(self) -> Accounts:
        from provisor.signin.accounts.service import Accounts
        from provisor.signin.accounts.store import AccountStore
        from provisor.signin.store import SignInStore

        return Accounts(
            AccountStore(self.database),
            SignInStore(self.database),
            self.sessions,
            self._hashing,
            self._sealer,
            self.clock,
            pepper=self.root.derive("recovery codes"),
            require_second_factor=self.settings.require_second_factor,
        )

    @cached_property
    def given_passwords(self) -> GivenPasswords:
        from provisor.signin.accounts.store import AccountStore
        from provisor.signin.given.service import GivenPasswords
        from provisor.signin.store import SignInStore

        people = SignInStore(self.database)
        return GivenPasswords(AccountStore(self.database), people, self.sessions, self._hashing, self.clock)

    @cached_property
    def joining(self) -> Joining:
        from provisor.signin.accounts.store import AccountStore
        from provisor.signin.joining.service import Joining
        from provisor.signin.store import SignInStore

        people, attempts = SignInStore(self.database), AccountStore(self.database)
        open_sign_up = self.settings.open_sign_up
        return Joining(
            self.links, self.accounts, people, attempts, self.companies, self.clock, open_sign_up=open_sign_up
        )

    @cached_property
    def federation(self) -> Federation:
        from provisor.signin.federation.exchange import Exchange, OwnAuthority, RemoteAuthority
        from provisor.signin.federation.service import Federation
        from provisor.signin.federation.store import FederationStore

        known = self.settings.microsoft
        exchange: Exchange = OwnAuthority(self.issuing, self.keyring, self.vendor)
        if known is not None:
            exchange = RemoteAuthority(known.authority, known.client_id, known.client_secret, self._transport)
        return Federation(FederationStore(self.database), exchange, self.joining, self.sealer, self.clock)

    @cached_property
    def setup(self) -> Setup:
        from provisor.app.setup import Setup

        return Setup(self.directory, self.companies, self.roles, self.links, self.root.derive("setup code"))

    @cached_property
    def _hashing(self) -> HashingPool:
        from provisor.security.passwords import Passwords

        return Passwords()
