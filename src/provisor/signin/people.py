"""Who a sign-in, a session or a token is about: one person, seen now. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from provisor.security.actor import Actor, Realm, Right, rights_of

Kind = Literal["tenant", "company"]

# What every person of a tenant may do without a role, as Entra's default for members has it.
MEMBER_RIGHTS = frozenset({Right.DIRECTORY_READ})


@dataclass(frozen=True, slots=True)
class PersonKey:
    """What names a person: a user of a tenant, or an administrator of a company."""

    kind: Kind
    realm_id: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person as they are now. ``login``: user principal name or e-mail address.

    ``active``: may sign in. ``not_before``: sessions and tokens from before this moment (ms UTC) do not count.
    ``roles``: directory roles of a tenant's person; ``is_admin``: a company's Admin permission.
    """

    key: PersonKey
    realm_name: str
    login: str
    name: str
    active: bool
    not_before: int
    roles: frozenset[str] = frozenset()
    is_admin: bool = False
    mail: str | None = None
    given_name: str | None = None
    surname: str | None = None

    @property
    def actor(self) -> Actor:
        """What the person may do, by their roles."""
        if self.key.kind == "tenant":
            rights = rights_of(self.roles) | MEMBER_RIGHTS
        else:
            rights = rights_of(["Company Administrator" if self.is_admin else "Company Member"])
        return Actor(Realm(self.key.kind, self.key.realm_id), self.key.subject_id, rights, name=self.login)

    @property
    def is_administrator(self) -> bool:
        """Whether a second factor is asked of this person: whoever has a role, or administers a company."""
        return bool(self.roles) or self.is_admin
