"""One-time links: the first sign-in of an administrator, the way back in, and invitations. No default password exists.

A link is 32 random bytes of which a hash is kept. Looking at it uses nothing up, since mail scanners look too; what it
opens is a form, and sending the form is what uses it.
"""

from __future__ import annotations

from provisor.clock import Clock
from provisor.errors import InvalidInput, NotFound
from provisor.security.actor import Actor, Right
from provisor.signin.errors import LinkUnusable
from provisor.signin.links.model import Link, NewLink
from provisor.signin.links.store import LinkStore
from provisor.signin.people import Kind, PersonKey
from provisor.signin.secrets import hashed, make_secret

DAY_MS = 24 * 3_600_000
PERSON_MS = 3 * DAY_MS
INVITATION_MS = 7 * DAY_MS
PATH = "/welcome/"

_MANAGES = {"tenant": Right.TENANTS_MANAGE, "company": Right.COMPANIES_MANAGE}
_LONGEST_EMAIL = 254


class Links:
    """Makes links and looks them up; what comes of using one is ``Accounts``'."""

    def __init__(self, store: LinkStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def for_person(self, actor: Actor, person: PersonKey) -> NewLink:
        """A link that lets a person in, to set a new password. Only the operator makes one: it opens an account.

        It works for three days, once, and makes the person's earlier links useless.
        """
        actor.require(_MANAGES[person.kind])
        return await self._make(actor, person.kind, person.realm_id, PERSON_MS, subject_id=person.subject_id)

    async def invite(self, actor: Actor, company_id: str, email: str) -> NewLink:
        """An invitation to administer a company, for seven days. Who holds the link can accept it."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        email = email.strip().lower()
        if email.count("@") != 1 or email.startswith("@") or email.endswith("@") or len(email) > _LONGEST_EMAIL:
            raise InvalidInput(f"{email[:80]!r} is not an e-mail address.", hint="Give one like ada@example.com.")
        return await self._make(actor, "company", company_id, INVITATION_MS, email=email)

    async def invitations(self, actor: Actor, company_id: str) -> list[Link]:
        """A company's open invitations, the latest first."""
        actor.require(Right.COMPANY_READ, company_id)
        return await self._store.invitations(company_id, self._clock.now_ms())

    async def withdraw(self, actor: Actor, company_id: str, link_id: str) -> None:
        """Take an open invitation back. Raises ``NotFound``."""
        actor.require(Right.COMPANY_ADMINISTER, company_id)
        if not await self._store.withdraw(company_id, link_id, actor, self._clock.now_ms()):
            raise NotFound("There is no such open invitation.", hint="It may have been accepted meanwhile.")

    async def find(self, text: str) -> Link:
        """What a link is for, without using it. Raises ``LinkUnusable``."""
        link = await self._store.link(hashed(text))
        if link is None or link.used_at is not None or link.expires_at <= self._clock.now_ms():
            raise LinkUnusable(hint="Ask for a new one: 'provisor admin reset' makes it.")
        return link

    async def use(self, text: str) -> Link:
        """The same, and use it up: of two who come at once, one gets it. Raises ``LinkUnusable``."""
        link = await self.find(text)
        if not await self._store.use(link.id, self._clock.now_ms()):
            raise LinkUnusable(hint="Ask for a new one: 'provisor admin reset' makes it.")
        return link

    async def purge(self) -> int:
        """Delete links that ended a week ago; how many."""
        return await self._store.purge(self._clock.now_ms() - INVITATION_MS)

    async def _make(
        self,
        actor: Actor,
        kind: Kind,
        realm_id: str,
        lasts_ms: int,
        *,
        subject_id: str | None = None,
        email: str | None = None,
    ) -> NewLink:
        text, now = make_secret(), self._clock.now_ms()
        link = Link(hashed(text), kind, realm_id, subject_id, email, actor.subject, now, now + lasts_ms)
        await self._store.insert(link, actor)
        return NewLink(PATH + text, link)
