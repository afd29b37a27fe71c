"""Source of every flow: what one unit of work changes, as the audit log tells it.

One entry a user or group, as Entra's log has it. A unit that changes many at once (an import) writes one entry a kind
of change instead, which names them all: it costs little, and each is still found by its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from provisor.directory.model import Group, User
from provisor.events.audit import activities
from provisor.events.audit.model import Activity, Modified, NewEntry, Target, differences
from provisor.security.actor import Actor

# Up to so many changes of one kind, each is told on its own with its values.
MOST_SINGLE = 20


@dataclass(slots=True)
class Audited:
    """Collects during the unit; ``entries`` at its end."""

    _before: dict[str, User | Group] = field(default_factory=dict)
    _changes: dict[str, tuple[Activity, list[Target]]] = field(default_factory=dict)

    def saw(self, objects: Mapping[str, User | Group]) -> None:
        """These objects as they are before they change."""
        for id_, one in objects.items():
            self._before.setdefault(id_, one)

    def users(self, users: Sequence[User], change: str) -> None:
        self._add(activities.USERS[change], [self._object("User", user, change) for user in users])

    def groups(self, groups: Sequence[Group], change: str) -> None:
        self._add(activities.GROUPS[change], [self._object("Group", group, change) for group in groups])

    def purged(self, kind: str, id_: str) -> None:
        activity = (activities.USERS if kind == "User" else activities.GROUPS)["purged"]
        self._add(activity, [Target(kind, id_, self._name(id_))])

    def managers(self, managers: Mapping[str, str | None]) -> None:
        targets = []
        for user_id, manager_id in managers.items():
            before = self._before.get(user_id)
            old = before.manager_id if isinstance(before, User) else None
            targets.append(
                Target("User", user_id, self._name(user_id), (Modified("manager", old, manager_id),)),
            )
        self._add(activities.USERS["updated"], targets)

    def members(self, group_id: str, members: Iterable[tuple[str, str]], *, added: bool) -> None:
        """Members (id and type) come or go: one entry a member, whose second target is the group."""
        activity = activities.ADD_MEMBER if added else activities.REMOVE_MEMBER
        old, new = (None, group_id) if added else (group_id, None)
        changed = (Modified("Group.ObjectID", old, new), Modified("Group.DisplayName", None, self._name(group_id)))
        self._add(activity, [Target(kind, id_, self._name(id_), changed) for id_, kind in members], of=group_id)

    def owners(self, group_id: str, owners: Iterable[str], *, added: bool) -> None:
        """Owners come or go, told as members are."""
        activity = activities.ADD_OWNER if added else activities.REMOVE_OWNER
        targets = [Target("User", id_, self._name(id_)) for id_ in owners]
        self._add(activity, targets, of=group_id)

    def entries(self, actor: Actor) -> list[NewEntry]:
        """What is to be recorded, in the order in which it happened."""
        made: list[NewEntry] = []
        for key, (activity, targets) in self._changes.items():
            group_id = key.partition("/")[2]
            groups = (Target("Group", group_id, self._name(group_id)),) if group_id else ()
            if len(targets) <= MOST_SINGLE:
                made += [NewEntry(activity, actor, (target, *groups)) for target in targets]
                continue
            plain = tuple(Target(target.type, target.id, target.display_name) for target in targets)
            made.append(NewEntry(activity, actor, (*plain, *groups), details={"targets": str(len(targets))}))
        return made

    def _add(self, activity: Activity, targets: list[Target], of: str = "") -> None:
        if targets:
            self._changes.setdefault(f"{activity.name}/{of}", (activity, []))[1].extend(targets)

    def _object(self, kind: str, after: User | Group, change: str) -> Target:
        before = self._before.get(after.id)
        known = differences(before.attributes if before else {}, after.attributes)
        # A deleted user's name begins with its id: people know it by the name before.
        name = self._name(after.id) if change == "deleted" else ""
        self._before[after.id] = after
        return Target(kind, after.id, name or self._name(after.id), known)

    def _name(self, id_: str) -> str:
        known = self._before.get(id_)
        if known is None:
            return ""
        return known.user_principal_name if isinstance(known, User) else known.display_name
