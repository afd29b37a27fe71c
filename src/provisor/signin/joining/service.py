"""Coming in for the first time: a one-time link, an invitation to a company, or a company's own sign-up."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.clock import Clock
from provisor.errors import Conflict, Forbidden
from provisor.provider.service import Companies
from provisor.security.actor import operator
from provisor.signin.accounts.lockout import MINUTE_MS, Policy, address_key
from provisor.signin.accounts.model import TooManyAttempts
from provisor.signin.accounts.passwords import check_password
from provisor.signin.accounts.service import Accounts
from provisor.signin.accounts.store import AccountStore
from provisor.signin.errors import LinkUnusable
from provisor.signin.links.model import Link
from provisor.signin.links.service import Links
from provisor.signin.people import Kind, Person, PersonKey
from provisor.signin.sessions import Origin
from provisor.signin.store import SignInStore

# Whoever tries out the sign-up needs a few; nobody needs a hundred.
_SIGN_UPS = Policy(20, 60 * MINUTE_MS, 60 * MINUTE_MS)


@dataclass(frozen=True, slots=True)
class Welcome:
    """Whom a link lets in. ``invited``: they become a person of the company ``realm_name`` by accepting."""

    kind: Kind
    realm_name: str
    login: str
    invited: bool


class Joining:
    """What comes of links and sign-ups. ``open_sign_up``: anybody may make a company of their own."""

    def __init__(
        self,
        links: Links,
        accounts: Accounts,
        people: SignInStore,
        attempts: AccountStore,
        companies: Companies,
        clock: Clock,
        *,
        open_sign_up: bool = True,
    ) -> None:
        self._links = links
        self._accounts = accounts
        self._people = people
        self._attempts = attempts
        self._companies = companies
        self._clock = clock
        self.open_sign_up = open_sign_up

    async def look(self, text: str) -> Welcome:
        """Whom a link lets in, without using it. Raises ``LinkUnusable``."""
        link = await self._links.find(text)
        if link.person is None:
            company = await self._companies.find_company(operator(), link.realm_id)
            return Welcome("company", company.name, link.email or "", invited=True)
        person = await self._person(link.person)
        return Welcome(person.key.kind, person.realm_name, person.login, invited=False)

    async def accept(self, text: str, password: str) -> Person:
        """Use a link: the person with this password from now on. Raises ``LinkUnusable``, ``PasswordUnfit``."""
        welcome = await self.look(text)
        # Before the link is used up, which a typing error should not cost.
        check_password(password, (welcome.login, welcome.realm_name))
        person = await self._person(await self.use(text))
        await self._accounts.set_first_password(person, password)
        return person

    async def use(self, text: str) -> PersonKey:
        """Use a link up; who it lets in. An invited one becomes an administrator by this. Raises ``LinkUnusable``."""
        link = await self._links.use(text)
        return link.person or await self._invited(link)

    async def sign_up(self, company: str, email: str, password: str, origin: Origin) -> Person:
        """A new company with its first administrator. Raises ``Conflict`` for a taken name, ``Forbidden``, …"""
        await self.count_sign_up(origin)
        check_password(password, (email, company))
        person = await self._person(await self.found_company(company, email))
        await self._accounts.set_first_password(person, password)
        return person

    async def found_company(self, company: str, email: str) -> PersonKey:
        """A new company; its first administrator. Raises ``Forbidden`` where only the operator makes companies."""
        self.require_open()
        me = operator()
        made = await self._companies.create_company(me, company, email)
        [first] = await self._companies.administrators(me, made.id)
        return PersonKey("company", made.id, first.id)

    async def count_sign_up(self, origin: Origin) -> None:
        """Raise ``TooManyAttempts`` when this address makes companies by the dozen."""
        self.require_open()
        key = f"sign-up:{address_key(origin.address)}"
        if await self._attempts.attempt([(key, _SIGN_UPS)], self._clock.now_ms()) is not None:
            raise TooManyAttempts("Too many companies were made from here.", hint="Try again in an hour.")

    def require_open(self) -> None:
        """Raise ``Forbidden`` where only the operator makes companies."""
        if not self.open_sign_up:
            raise Forbidden("Companies are made by this server's operator.", hint="Ask for an invitation.")

    async def _invited(self, link: Link) -> PersonKey:
        try:
            person = await self._companies.add_administrator(operator(), link.realm_id, link.email or "")
        except Conflict as error:
            raise Conflict(error.message, hint="Sign in with that address.") from error
        return PersonKey("company", person.company_id, person.id)

    async def _person(self, key: PersonKey) -> Person:
        person = await self._people.person(key)
        if person is None or not person.active:
            raise LinkUnusable("This person may not sign in any more.", hint="Ask an administrator.")
        return person
