"""Company portal, the first page: what is here, what wants attention, and what to do first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from provisor.events.webhooks.model import Webhook
from provisor.provider.model import ListedKey
from provisor.provider.requestlog.model import Activity, Wanted
from provisor.security.actor import Right
from provisor.signin.model import Session
from provisor.web.company.navigation import KEYS
from provisor.web.company.pages import Pages
from provisor.web.html.guard import OpenHandler
from provisor.web.html.templating import render

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that wants attention: a sentence, and where to see to it."""

    text: str
    href: str
    kind: str = "warning"


def page(pages: Pages) -> OpenHandler:
    """The first page. Who is no administrator reads who is."""
    here = pages.services

    async def overview(request: Request, session: Session) -> Response:
        company_id, actor = session.realm_id, session.actor
        if Right.COMPANY_ADMINISTER not in actor.rights:
            people = await here.companies.administrators(actor, company_id)
            admins = [person.email for person in people if person.acts]
            return render(request, "company/member.html", administrators=admins)
        keys = await here.companies.listed_keys(actor, company_id)
        clients = [one for one in await here.clients.clients(actor, company_id) if one.revoked_at is None]
        log = await here.requests.page(actor, company_id, Wanted(), limit=_SHOWN)
        activity = await here.requests.activity(actor, company_id)
        hooks = await here.webhooks.webhooks(actor, company_id)
        now = here.clock.now_ms()
        working = [one for one in keys if works(one, now)]
        return render(
            request,
            "company/overview.html",
            counts=await here.resources.counts(actor, company_id),
            working=len(working) + len(clients),
            begun=bool(working or clients),
            used=any(one.key.last_used_at is not None for one in keys) or any(one.last_used_at for one in clients),
            concerns=list(_concerns(keys, hooks, activity)),
            activity=activity,
            bars=[(f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M} UTC", count) for at, count, _ in activity.hours],
            entries=log.entries,
            names=await pages.names_in(session, log.entries),
            scim_url=pages.scim_url(request),
        )

    return pages.guard.signed_in(overview)


def works(listed: ListedKey, now: int) -> bool:
    """Whether a provisioner can use the key now."""
    key = listed.key
    return key.revoked_at is None and now < key.expires_at and listed.owner.trouble is None


def _concerns(keys: Sequence[ListedKey], hooks: Sequence[Webhook], activity: Activity) -> Iterator[Concern]:
    for one in keys:
        if one.warning is not None:
            kind = "danger" if one.owner.trouble is not None else "warning"
            yield Concern(f"API key {one.key.name!r}: {one.warning}", KEYS, kind)
    for hook in hooks:
        if hook.paused is not None:
            yield Concern(f"Nothing is sent to {hook.url}: {hook.paused}", "/company/webhooks", "danger")
    if activity.failed:
        noun = "request was" if activity.failed == 1 else "requests were"
        text = f"{activity.failed:,} {noun} refused or failed within a day."
        yield Concern(text, "/company/requests?state=failed")
