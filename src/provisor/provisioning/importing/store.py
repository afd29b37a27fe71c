"""Step import: the directory's pages or the feed's changes become slots of the queue. ``record`` is the other end.

The statements are ``provisioning/queries.sql``'s; every function is one unit of work on a lease that still holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from provisor.applications.model import Job
from provisor.events.model import Change
from provisor.provisioning.leases.store import Lease, keep
from provisor.provisioning.model import Cycle, Kind
from provisor.provisioning.nesting import store as nesting
from provisor.storage.database import Database, Tx
from provisor.storage.queries import id_list, named_queries

SQL = named_queries("provisor.provisioning")
PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Extent:
    """What a job looks at: all of a tenant, or what is assigned to its application."""

    tenant_id: str
    service_principal_id: str
    sync_all: bool
    # Does a scoping filter ask for the groups of an object? Then a membership can change its verdict, however assigned.
    filters_by_group: bool = False
    # Is there a scoping filter? Then any change of an object can take it out of the scope.
    filters: bool = False
    # Do groups inside groups count? See ``nesting``.
    nested: bool = False

    @property
    def memberships_count(self) -> bool:
        """Can joining, leaving or deleting a group change what its members are entitled to?"""
        return self.filters_by_group or not self.sync_all


def extent_of(job: Job) -> Extent:
    """A job's."""
    scopes = [mapping.scope for mapping in (job.schema.user, job.schema.group) if mapping is not None]
    return Extent(
        job.tenant_id,
        job.service_principal_id,
        job.settings.sync_all,
        any(scope is not None and scope.needs_groups for scope in scopes),
        any(scope is not None for scope in scopes),
        job.settings.nested_groups,
    )


class ImportStore:
    """Marks what a cycle has to look at. Raises ``LeaseLost``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def import_page(
        self,
        lease: Lease,
        cycle: Cycle,
        extent: Extent,
        *,
        after: str,
        now: int,
        until: int,
    ) -> str | None:
        """Initial cycle: mark the next page of what may be in scope. The next cursor, ``None`` when all is marked."""

        async def work(tx: Tx) -> str | None:
            await keep(tx, lease, until)
            at = {"job_id": cycle.job_id, "now": now}
            cursor: str | None = None
            if extent.sync_all:
                page = {"tenant_id": extent.tenant_id, "after": after}
                row = await tx.fetch_one(SQL["all_users_page_end"], {**page, "limit": PAGE})
                if row and row[1]:
                    await tx.execute(SQL["mark_users_between"], {**at, **page, "until": row[0]})
                    cursor = row[0] if row[1] == PAGE else None
            if cursor is None:
                await _import_rest(tx, at, extent)
                await tx.execute(SQL["move_watermark"], {**at, "watermark": cycle.watermark})
            phase = "leavers" if cursor is None else "import"
            await tx.execute(SQL["set_phase"], {"id": cycle.id, "phase": phase, "cursor": cursor})
            return cursor

        return await self._database.write(work)

    async def import_changes(
        self,
        lease: Lease,
        cycle: Cycle,
        extent: Extent,
        changes: Sequence[Change],
        *,
        watermark: int,
        done: bool,
        now: int,
        until: int,
    ) -> None:
        """Incremental cycle: turn changes of the feed into slots, and move the watermark, in one commit."""
        affected = _affected(changes, extent)

        async def work(tx: Tx) -> None:
            await keep(tx, lease, until)
            at = {"job_id": cycle.job_id, "now": now}
            in_tenant = {**at, "tenant_id": extent.tenant_id}
            await _mark_objects(tx, in_tenant, affected, extent)
            await _mark_leavers(tx, in_tenant, affected, extent)
            pairs = sorted(affected.pairs)
            if extent.nested and await nesting.moves_groups(tx, extent.tenant_id, affected.joining):
                await _import_rest(tx, at, extent)
            mark_pair = nesting.SQL["pairs_around"] if extent.nested else SQL["mark_pair"]
            await tx.execute_many(mark_pair, [{**in_tenant, "group_id": g, "member_id": m} for g, m in pairs])
            asked = {change.object_id: change.correlation_id for change in changes if change.correlation_id}
            await tx.execute_many(
                SQL["correlate"],
                [{"job_id": cycle.job_id, "source_id": id_, "correlation_id": one} for id_, one in asked.items()],
            )
            await tx.execute(SQL["move_watermark"], {**at, "watermark": watermark})
            phase = "leavers" if done else "import"
            await tx.execute(SQL["set_phase"], {"id": cycle.id, "phase": phase, "cursor": None})

        await self._database.write(work)

    async def import_leavers(
        self, lease: Lease, extent: Extent, changes: Sequence[Change], *, watermark: int, now: int, until: int
    ) -> None:
        """The leavers' lane: of changes that the cycle has not come to, mark who may have to lose access."""
        affected = _affected(changes, extent)

        async def work(tx: Tx) -> None:
            await keep(tx, lease, until)
            in_tenant = {"job_id": lease.job_id, "now": now, "tenant_id": extent.tenant_id}
            if affected.may_leave(extent):
                if extent.nested and await nesting.moves_groups(tx, extent.tenant_id, affected.joining):
                    await _import_rest(tx, {"job_id": lease.job_id, "now": now}, extent)
                await _mark_objects(tx, in_tenant, affected, extent)
                await _mark_leavers(tx, in_tenant, affected, extent)
            await tx.execute(SQL["move_leavers_watermark"], {**in_tenant, "watermark": watermark})

        await self._database.write(work)


@dataclass(slots=True)
class _Affected:
    """What changes of the feed concern."""

    objects: dict[str, Kind] = field(default_factory=dict)
    principals: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    everybody_in: set[str] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    # Of the objects, those that were purged; and what was taken away from whom: memberships, assignments, groups.
    gone: set[str] = field(default_factory=set)
    joining: set[str] = field(default_factory=set)
    robbed: set[str] = field(default_factory=set)
    robbed_groups: set[str] = field(default_factory=set)

    def may_leave(self, extent: Extent) -> bool:
        """Can anything of this take access away?"""
        return bool(self.objects or self.robbed or self.robbed_groups)


def _affected(changes: Sequence[Change], extent: Extent) -> _Affected:
    affected = _Affected()
    for change in changes:
        if change.change == "purged":
            affected.gone.add(change.object_id)
        if change.object_type == "User":
            affected.objects[change.object_id] = "User"
        elif change.object_type == "Group":
            affected.objects[change.object_id] = "Group"
            # Deleting, restoring or (un)marking a group as a security group changes what its members are entitled to.
            if extent.memberships_count:
                affected.everybody_in.add(change.object_id)
                affected.robbed_groups.add(change.object_id)
        elif change.object_type == "Member" and change.related_id is not None:
            affected.pairs.add((change.object_id, change.related_id))
            affected.joining.add(change.related_id)
            if extent.memberships_count:
                affected.members.add(change.related_id)
                if change.change == "removed":
                    affected.robbed.add(change.related_id)
        elif change.object_type == "Assignment" and change.related_id == extent.service_principal_id:
            affected.principals.add(change.object_id)
            affected.everybody_in.add(change.object_id)
            if change.change == "removed":
                affected.robbed.add(change.object_id)
                affected.robbed_groups.add(change.object_id)
    return affected


async def _mark_objects(tx: Tx, in_tenant: dict[str, Any], affected: _Affected, extent: Extent) -> None:
    """Slots for whatever the changes concern."""
    await tx.execute_many(
        SQL["mark"],
        [
            {**in_tenant, "source_id": id_, "object_type": kind, "gone": id_ in affected.gone}
            for id_, kind in affected.objects.items()
        ],
    )
    members_too = extent.filters_by_group
    for ids, groups_too in ((affected.members, members_too), (affected.principals, True)):
        if ids:
            params = {**in_tenant, "ids": id_list(sorted(ids)), "groups_too": groups_too}
            await tx.execute(SQL["mark_principals"], params)
    for group_id in sorted(affected.everybody_in):
        mark = nesting.SQL["members_of"] if extent.nested else SQL["mark_members_of"]
        await tx.execute(mark, {**in_tenant, "group_id": group_id})


async def _mark_leavers(tx: Tx, in_tenant: dict[str, Any], affected: _Affected, extent: Extent) -> None:
    """Of these slots, the urgent ones: who is disabled, deleted or gone, and whose entitlement may be."""
    if affected.objects:
        ids = id_list(sorted(affected.objects))
        await tx.execute(SQL["mark_urgent"], {**in_tenant, "ids": ids, "whatever": extent.filters})
    if affected.robbed:
        ids = id_list(sorted(affected.robbed))
        await tx.execute(SQL["mark_urgent"], {**in_tenant, "ids": ids, "whatever": True})
    for group_id in sorted(affected.robbed_groups):
        await tx.execute(SQL["mark_urgent_members"], {**in_tenant, "group_id": group_id})


async def _import_rest(tx: Tx, at: dict[str, Any], extent: Extent) -> None:
    """Everything but the pages of users: groups, assigned objects, and whatever is in the target through us."""
    in_tenant = {**at, "tenant_id": extent.tenant_id}
    if extent.sync_all:
        await tx.execute(SQL["mark_all_groups"], in_tenant)
    else:
        assigned = {**at, "service_principal_id": extent.service_principal_id}
        await tx.execute(SQL["mark_assigned"], assigned)
        if extent.nested:
            await tx.execute(nesting.SQL["assigned_members"], {**assigned, "tenant_id": extent.tenant_id})
        else:
            await tx.execute(SQL["mark_assigned_members"], assigned)
    await tx.execute(SQL["mark_linked"], at)
    await tx.execute(SQL["mark_gone"], in_tenant)
    await tx.execute(SQL["mark_leavers"], in_tenant)
    await tx.execute(SQL["managers_first"], {"job_id": at["job_id"], "tenant_id": extent.tenant_id})
    await tx.execute(nesting.SQL["pairs_of_linked"] if extent.nested else SQL["mark_linked_pairs"], in_tenant)
    await tx.execute(SQL["mark_acknowledged_pairs"], at)
