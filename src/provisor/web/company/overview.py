"""Company portal, the first page: what is here, what wants attention, and what to do first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from provisor.events.webhooks.model import Webhook
from provisor.provider.model import ListedKey
from provisor.provider.requestlog.model import Entry, Wanted
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
        failed = await here.requests.page(actor, company_id, Wanted(failed=True), limit=_SHOWN)
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
            concerns=list(_concerns(keys, hooks, failed.entries, now)),
            entries=log.entries,
            scim_url=pages.scim_url(request),
        )

    return pages.guard.signed_in(overview)


def works(listed: ListedKey, now: int) -> bool:
    """Whether a provisioner can use the key now."""
    key = listed.key
    return key.revoked_at is None and now < key.expires_at and listed.owner.trouble is None


_DAY_MS = 24 * 3_600_000


def _concerns(
    keys: Sequence[ListedKey], hooks: Sequence[Webhook], failed: Sequence[Entry], now: int
) -> Iterator[Concern]:
    for one in keys:
        if one.warning is not None:
            kind = "danger" if one.owner.trouble is not None else "warning"
            yield Concern(f"API key {one.key.name!r}: {one.warning}", KEYS, kind)
    for hook in hooks:
        if hook.paused is not None:
            yield Concern(f"Nothing is sent to {hook.url}: {hook.paused}", "/company/webhooks", "danger")
    recent = [entry for entry in failed if now - entry.at < _DAY_MS]
    if recent:
        more = "At least " if len(recent) == _SHOWN else ""
        noun = "request was" if len(recent) == 1 else "requests were"
        yield Concern(f"{more}{len(recent)} {noun} refused or failed within a day.", "/company/requests?state=failed")
