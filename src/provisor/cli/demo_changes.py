"""``provisor demo``, the three changes: who is renamed, who leaves, who joins a group. Pure choices, then the writing.

Every run picks the next people: whoever was renamed has a higher version, whoever came back has a newer assignment, and
whoever joined a group is in more of them. So the demo may run any number of times on one database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisor.security.actor import operator

if TYPE_CHECKING:
    from provisor.app.services import AppServices
    from provisor.directory.model import Group, User

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Situation:
    """The directory and the app's assignments. ``members``: group's id -> ids of its members."""

    users: Sequence[User]
    groups: Sequence[Group]
    members: Mapping[str, frozenset[str]]
    # principal's id -> when it was assigned, ms UTC
    assigned: Mapping[str, int]

    def groups_of(self, user: User) -> list[Group]:
        """The assigned groups that a user is a direct member of."""
        return [group for group in self.groups if group.id in self.assigned and user.id in self.members[group.id]]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is about to happen; null where a directory is too small for it. ``joins``: the person and the group."""

    renamed: User | None
    surname: str
    leaves: User | None
    joins: tuple[User, Group] | None


async def situation(services: AppServices, tenant_id: str, service_principal_id: str) -> Situation:
    """Read all of it."""
    me = operator()
    users: list[User] = []
    after: str | None = None
    while page := await services.directory.users_after(me, tenant_id, after, _PAGE):
        after = page[-1].id
        users += [user for user in page if user.deleted_at is None]
    groups: list[Group] = []
    after = None
    while found := await services.directory.groups_after(me, tenant_id, after, _PAGE):
        after = found[-1].id
        groups += [group for group in found if group.deleted_at is None]
    assignments = await services.applications.assignments(me, tenant_id, service_principal_id)
    return Situation(
        users,
        groups,
        {group.id: await _members(services, tenant_id, group.id) for group in groups},
        {one.principal_id: one.created_at for one in assignments},
    )


def choose(now: Situation) -> Changes:
    """Three different people, the next ones."""
    people = [user for user in now.users if user.account_enabled and user.id in now.assigned]
    renamed = max(people, key=lambda user: (-user.version, user.id), default=None)
    people = [user for user in people if user is not renamed]
    by_groups = sorted(people, key=lambda user: (len(now.groups_of(user)), now.assigned[user.id], user.id))
    leaves = by_groups[0] if by_groups else None
    small_first = sorted(
        (group for group in now.groups if group.id in now.assigned), key=lambda group: len(now.members[group.id])
    )
    pairs = ((user, group) for user in by_groups[1:] for group in small_first if user.id not in now.members[group.id])
    return Changes(renamed, _new_surname(renamed, by_groups) if renamed else "", leaves, next(pairs, None))


async def rename(services: AppServices, user: User, surname: str) -> str:
    """Give a person another surname; the new display name."""
    given = user.attributes.get("givenName") or user.display_name.partition(" ")[0]
    name = f"{given} {surname}"
    changes = {"surname": surname, "displayName": name}
    await services.directory.update_user(operator(), user.tenant_id, user.id, changes)
    return name


async def leave(services: AppServices, user: User, groups: Sequence[Group], service_principal_id: str) -> None:
    """Take away a person's assignment, and the memberships that would give access back."""
    for group in groups:
        await services.directory.remove_members(operator(), user.tenant_id, group.id, [user.id])
    await services.applications.unassign(operator(), user.tenant_id, service_principal_id, user.id)


async def join(services: AppServices, user: User, group: Group) -> None:
    """Make a person a member of a group."""
    await services.directory.add_members(operator(), user.tenant_id, group.id, [user.id])


async def _members(services: AppServices, tenant_id: str, group_id: str) -> frozenset[str]:
    found: set[str] = set()
    after: str | None = None
    while page := await services.directory.members_after(operator(), tenant_id, group_id, after, _PAGE):
        after = page[-1].id
        found.update(member.id for member in page)
    return frozenset(found)


def _new_surname(user: User, others: Sequence[User]) -> str:
    own = user.attributes.get("surname") or user.display_name.rpartition(" ")[2]
    if "-" in own:
        return str(own.partition("-")[0])
    other = next((one.attributes.get("surname") for one in reversed(others) if one.attributes.get("surname")), None)
    return f"{own}-{other}" if other and other != own else f"{own}-Keller"
