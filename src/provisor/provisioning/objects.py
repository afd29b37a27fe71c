"""Steps import and scoping for one batch of users or groups, and the batch's order of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from provisor.applications.model import DEFAULT_ACCESS, AppRole
from provisor.applications.scoping import MEMBER_OF, ScopeVerdict
from provisor.applications.scoping import evaluate as evaluate_scope
from provisor.directory.attributes import group_source_values, source_values
from provisor.directory.model import Group, User
from provisor.expressions.errors import EvaluationError
from provisor.provisioning.entitlement import Grounds, decide
from provisor.provisioning.mapping import APP_ROLES, Mappings, role_values, with_computed
from provisor.provisioning.model import Entitlement, Kind, Pending, Source, manager_in_target
from provisor.provisioning.notes import Item
from provisor.provisioning.recording.store import Batch
from provisor.provisioning.run import BATCH, Run
from provisor.provisioning.sending import Sender


async def process_urgent(run: Run, kind: Kind) -> bool:
    """The same of those who may have to lose access: before all others, and whatever becomes of them."""
    claimed = await run.store.claim_urgent(run.job.id, kind, now=run.clock.now_ms(), limit=BATCH)
    # What the leavers' lane has in hand is done by it, or comes back.
    slots = [slot for slot in claimed if not run.memory.is_busy(slot.source_id)]
    if not slots:
        return False
    mappings = run.mappings.get(kind)
    with run.memory.holding(run.cycle.lane, [slot.source_id for slot in slots]):
        await carry(run, kind, slots, await load(run, kind, slots, mappings) if mappings is not None else [])
    return True


async def carry(
    run: Run,
    kind: Kind,
    slots: Sequence[Pending],
    items: Sequence[Item],
    *,
    only_leavers: bool = False,
) -> None:
    """One batch from its items to its record. Raises ``CycleBroken``, ``LeaseLost``, ``Stopped``, ``JobHalted``."""
    batch = Batch()
    mappings = run.mappings.get(kind)
    if mappings is None:
        # The type is switched off in the schema, or the target has no such resource: its slots mean nothing.
        batch.cleared.extend(slots)
    else:
        roster = None if only_leavers else await run.roster(kind)
        sender = Sender(run, kind, mappings, batch, roster, only_leavers=only_leavers)
        await through(run, kind, mappings, sender, batch, items)
    await run.record(batch)


async def through(
    run: Run, kind: Kind, mappings: Mappings, sender: Sender, batch: Batch, items: Sequence[Item]
) -> None:
    """Everything but the record. Raises ``LeaseLost``."""
    await know_managers(run, kind, items)
    await sender.carry(items)
    _hand_on_references(kind, mappings, items, batch)
    # In the journal, and never sent: nothing has to be found again.
    batch.intents_done += [
        item.source.id for item in items if item.journaled and not item.asked and item.intent is None
    ]
    run.gate.close(items, batch)
    # Whatever was not left alone because the cycle broke must have come out as something. What a guard has put off
    # comes back.
    put_off = {held.source_id for _, held in batch.guard.deferred} | set(batch.put_back)
    batch.considered = [
        item.source.id for item in items if (item.settled or not run.interrupted) and item.source.id not in put_off
    ]


async def know_managers(run: Run, kind: Kind, items: Sequence[Item]) -> None:
    """Whose manager is in the target already."""
    path = run.mappings[kind].reference("manager") if kind in run.mappings else None
    ids = {item.source.manager_id for item in items if item.source.manager_id is not None}
    if kind != "User" or not ids:
        return
    links = await run.links(ids)
    for item in items:
        known = item.link.acknowledged.get(path) if path is not None and item.link is not None else None
        item.manager = manager_in_target(links.get(item.source.manager_id or ""), known)


def _hand_on_references(kind: Kind, mappings: Mappings, items: Sequence[Item], batch: Batch) -> None:
    """Whose manager in the target is not the one that is wanted: the references phase writes it."""
    path = mappings.reference("manager") if kind == "User" else None
    if path is None:
        return
    links = {item.source.id: item.link for item in items} | batch.links
    cleared = {slot.source_id for slot in batch.cleared}
    handed_on: set[str] = set()
    for item in items:
        link = links[item.source.id]
        if item.source.id not in cleared or link is None or link.state != "linked" or not item.entitlement.in_scope:
            continue
        if item.barred:
            continue
        if item.manager != link.acknowledged.get(path):
            handed_on.add(item.source.id)
            batch.to_reference.append(item.slot)
    batch.cleared = [slot for slot in batch.cleared if slot.source_id not in handed_on]


async def load(
    run: Run, kind: Kind, slots: Sequence[Pending], mappings: Mappings, *, take_over: bool = True
) -> list[Item]:
    """These objects as directory, assignments, filter and links have them now. ``take_over``: a rehire gets the link of
    the one who is gone; without it, nothing is written."""
    ids = [slot.source_id for slot in slots]
    job = run.job
    sources: dict[str, Source]
    roles: dict[str, list[str]] = defaultdict(list)
    if kind == "User":
        users = await run.directory.users_by_id(run.actor, job.tenant_id, ids)
        sources = {id_: _user(user) for id_, user in users.items()}
        for id_, assignments in (await run.applications.entitled(run.actor, job, ids)).items():
            roles[id_] = [assignment.app_role_id for assignment in assignments]
    else:
        groups = await run.directory.groups_by_id(run.actor, job.tenant_id, ids)
        sources = {id_: _group(group) for id_, group in groups.items()}
        for id_ in await run.applications.assigned_groups(run.actor, job, ids):
            # A group's own role says nothing about the group object.
            roles[id_] = ["assigned"]
    sources = await _computed(run, sources, roles, mappings)
    links = await run.store.links(job.id, ids)
    intents = await run.store.intents(job.id, ids)
    gone = {slot.source_id for slot in slots if slot.gone}
    missing = [id_ for id_ in ids if id_ not in sources and id_ not in gone]
    if missing and run.watch is None:
        # Somebody asks about just these, outside of any cycle: what the directory does not have now is gone.
        gone |= await run.store.absent(job.tenant_id, missing)
    unlinked = [id_ for id_ in ids if id_ not in links]
    decisions = await run.decisions.of(job.id, unlinked) if unlinked else {}
    items = []
    for slot in slots:
        link = links.get(slot.source_id)
        source = sources.get(slot.source_id) or Source(
            slot.source_id, kind, exists=False, name=link.display_name if link else ""
        )
        entitlement, fault = _entitlement(run, source, roles[slot.source_id], mappings)
        unread = slot.source_id not in sources and slot.source_id not in gone
        decision = decisions.get(slot.source_id)
        items.append(
            Item(slot, source, entitlement, link, intents.get(slot.source_id), fault, decision=decision, unread=unread)
        )
    if kind == "User" and take_over:
        await take_over_accounts(run, items)
    return items


async def take_over_accounts(run: Run, items: Sequence[Item]) -> None:
    """A rehire: somebody created anew under the name of somebody who is gone gets that account, whatever it is called
    in the target by now; purging the old person later sends nothing."""
    new = {
        item.source.id: item.source.name
        for item in items
        if item.link is None and item.intent is None and item.source.active and item.entitlement.in_scope
    }
    if not new:
        return
    now = run.clock.now_ms()
    handed = await run.store.take_over(run.lease, run.job.tenant_id, new, now=now, until=run.until)
    links = await run.store.links(run.job.id, sorted(handed)) if handed else {}
    robbed = set(handed.values())
    for item in items:
        link = None if item.source.id in robbed else links.get(item.source.id, item.link)
        if link is not item.link:
            item.link, item.plan = link, None


async def _computed(
    run: Run, sources: dict[str, Source], roles: Mapping[str, Sequence[str]], mappings: Mappings
) -> dict[str, Source]:
    """The same objects with what only the job knows of them: app roles, and groups if a filter asks for them."""
    scope = mappings.mapping.scope
    wanted = mappings.mapping.source_attributes
    groups: dict[str, list[str]] | None = None
    if scope is not None and scope.needs_groups:
        groups = await run.directory.groups_of(run.actor, run.job.tenant_id, list(sources))
    app_roles: Sequence[AppRole] = ()
    if APP_ROLES in wanted:
        app = await run.applications.find(run.actor, run.job.tenant_id, run.job.id)
        app_roles = app.service_principal.app_roles
    if groups is None and APP_ROLES not in wanted:
        return sources
    found: dict[str, Source] = {}
    for id_, source in sources.items():
        computed: dict[str, Any] = {}
        if groups is not None:
            computed[MEMBER_OF] = groups.get(id_, [])
        if APP_ROLES in wanted:
            computed[APP_ROLES] = role_values(app_roles, roles.get(id_, ()))
        found[id_] = replace(source, get=with_computed(source.get, computed))
    return found


def _user(user: User) -> Source:
    return Source(
        user.id,
        "User",
        exists=True,
        active=user.account_enabled and user.deleted_at is None,
        deleted=user.deleted_at is not None,
        name=user.user_principal_name,
        get=source_values(user),
        manager_id=user.manager_id,
        version=user.version,
    )


def _group(group: Group) -> Source:
    return Source(
        group.id,
        "Group",
        exists=True,
        active=group.deleted_at is None,
        deleted=group.deleted_at is not None,
        name=group.display_name,
        get=group_source_values(group),
        version=group.version,
    )


def _entitlement(run: Run, source: Source, role_ids: list[str], mappings: Mappings) -> tuple[Entitlement, str | None]:
    """The verdict, and why there can be none: then the object fails, and nobody loses access for it."""
    fault: str | None = None
    try:
        verdict = evaluate_scope(mappings.mapping.scope, source.get)
    except EvaluationError as error:
        fault = f"The scoping filter cannot be evaluated: {error}"
        verdict = ScopeVerdict(passed=False)
    details = {str(reason): str(reason.passed) for reason in verdict.reasons}
    settings = run.job.settings
    entitlement = decide(
        source,
        Grounds(
            sync_all=settings.sync_all,
            role_ids=role_ids,
            default_access_provisioned=settings.default_access_provisioned,
            filter_passed=verdict.passed,
            filter_details=msgspec.json.encode(details).decode(),
            default_access=DEFAULT_ACCESS,
        ),
    )
    return entitlement, fault
