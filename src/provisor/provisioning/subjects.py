"""Step import, for one object that a person names: who is meant, live, deleted or long gone."""

from __future__ import annotations

from dataclasses import dataclass

from provisor.applications.model import Job
from provisor.directory.service import Directory
from provisor.errors import NotFound
from provisor.provisioning.model import Kind
from provisor.provisioning.ondemand.store import SubjectStore
from provisor.security.actor import Actor


class NoSuchObject(NotFound):
    """Neither the directory nor the job knows this object."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is meant."""

    id: str
    kind: Kind


async def find_subject(
    directory: Directory, store: SubjectStore, actor: Actor, job: Job, ref: str, kind: Kind | None = None
) -> Subject:
    """By id (live, deleted, or purged and still linked), user principal name or display name; users go before groups.

    Raises ``NoSuchObject``, and ``Conflict`` where several have the name.
    """
    ref, tenant = ref.strip(), job.tenant_id
    if kind != "Group":
        if await directory.users_by_id(actor, tenant, [ref]):
            return Subject(ref, "User")
        found = await _named_user(directory, actor, tenant, ref)
        if found is not None:
            return Subject(found, "User")
    if kind != "User":
        if await directory.groups_by_id(actor, tenant, [ref]):
            return Subject(ref, "Group")
        try:
            return Subject((await directory.find_group(actor, tenant, ref)).id, "Group")
        except NotFound:
            pass
    link = await store.link_called(job.id, ref)
    if link is not None and kind in (None, link.kind):
        return Subject(link.source_id, link.kind)
    raise NoSuchObject(
        f"There is no user or group {ref!r} in the directory, and {job.display_name} has none under that name.",
        hint="Give a user principal name, a display name or an id.",
    )


async def _named_user(directory: Directory, actor: Actor, tenant_id: str, ref: str) -> str | None:
    try:
        return (await directory.find_user(actor, tenant_id, ref)).id
    except NotFound:
        return None
