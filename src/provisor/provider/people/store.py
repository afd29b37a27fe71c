"""App side, step 2, in the transaction that writes a user: is it an administrator, and may SCIM do this to one?

A user is an administrator by the address: userName or one of the e-mail addresses, until one such user was seen; from
then on by the user's id, so that a rename changes nothing. Who is disabled or deleted over SCIM stops being able to
act, with all keys that they made; the last one who can act cannot be lost that way.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import structlog

from provisor.errors import Conflict
from provisor.storage.database import Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.provider.people")

_log = structlog.get_logger(__name__)


class _Email(msgspec.Struct):
    value: str | None = None


class _User(msgspec.Struct, rename="camel"):
    """What of a stored document says who it is, and whether they may act. Without ``active``, they may."""

    active: bool = True
    user_name: str | None = None
    emails: list[_Email] = []

    @property
    def names(self) -> frozenset[str]:
        """The addresses by which a user can be a person, lower-cased."""
        found = {self.user_name, *(email.value for email in self.emails)}
        return frozenset(name.lower() for name in found if name is not None)


_GONE = _User(active=False)
_decode = msgspec.json.Decoder(_User).decode


class LastAdministrator(Conflict):
    """The company's last administrator cannot be disabled or deleted over SCIM."""


@dataclass(frozen=True, slots=True)
class _Person:
    id: str
    email: str
    is_admin: bool
    disabled_at: int | None
    user_id: str | None

    @property
    def acts(self) -> bool:
        return self.is_admin and self.disabled_at is None


class Watch:
    """What one unit of work does to a company's administrators. ``note`` within the unit, ``tell`` after its commit."""

    def __init__(self, company_id: str, at: int) -> None:
        self._company_id = company_id
        self._at = at
        # By person, since a unit of work may run again: whom it disabled, and how many keys that stopped.
        self._lost: dict[str, int] = {}

    async def note(self, tx: Tx, user_id: str, before: str | None, after: str | None) -> None:
        """A user's document becomes another: null before it was created, and after it is deleted.

        Raises ``LastAdministrator``. What concerns nobody's standing costs no statement.
        """
        old = _User() if before is None else _decode(before)
        new = _GONE if after is None else _decode(after)
        # A new user without a past disables nobody, and gives nobody back what deleting another one took.
        if new.active if before is None else (old.active, old.names) == (new.active, new.names):
            return
        person = await self._find(tx, user_id, old.names | new.names)
        if person is None:
            return
        known_as = None if after is None else user_id
        if old.active and not new.active:
            await self._disable(tx, person, known_as)
        elif new.active and not old.active:
            await self._set(tx, person, known_as, None)
        else:
            await self._set(tx, person, known_as, person.disabled_at)

    def tell(self) -> None:
        """Log whose keys stopped working."""
        for email, keys in self._lost.items():
            _log.warning(
                "key_maker_disabled_over_scim",
                company=self._company_id,
                administrator=email,
                keys=keys,
                hint="Their API keys have stopped working; create keys of a service account instead.",
            )

    async def _find(self, tx: Tx, user_id: str, names: frozenset[str]) -> _Person | None:
        people = await self._people(tx)
        for person in people:
            if person.user_id == user_id:
                return person
        return next((person for person in people if person.user_id is None and person.email in names), None)

    async def _disable(self, tx: Tx, person: _Person, user_id: str | None) -> None:
        if person.acts:
            await tx.fetch_one(_SQL["lock_company"], {"company_id": self._company_id})
            if not any(other.acts and other.id != person.id for other in await self._people(tx)):
                raise LastAdministrator(
                    f"{person.email} is the company's last administrator, and cannot be disabled or deleted over SCIM.",
                    hint="Make somebody else an administrator of the company first.",
                )
        await self._set(tx, person, user_id, self._at if person.disabled_at is None else person.disabled_at)
        row = await tx.fetch_one(_SQL["live_keys"], {"company_id": self._company_id, "id": person.id, "at": self._at})
        if row is not None and row[0]:
            self._lost[person.email] = row[0]

    async def _set(self, tx: Tx, person: _Person, user_id: str | None, disabled_at: int | None) -> None:
        if (person.user_id, person.disabled_at) != (user_id, disabled_at):
            row = {"company_id": self._company_id, "id": person.id, "user_id": user_id, "disabled_at": disabled_at}
            await tx.execute(_SQL["set_person"], row)

    async def _people(self, tx: Tx) -> list[_Person]:
        rows = await tx.fetch_all(_SQL["people"], {"company_id": self._company_id})
        return [_Person(row[0], row[1], bool(row[2]), row[3], row[4]) for row in rows]
