"""A certification from its first question to the tidying up."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from provisor.certify.endpoint import Endpoint, good, listed, read_raw, total_of
from provisor.certify.lab import Lab, LabClock, Target, open_lab
from provisor.certify.recorder import Recorder
from provisor.certify.report import Report
from provisor.certify.stories import STORIES, Story
from provisor.certify.stories.discovery import attribute_names, has_manager
from provisor.certify.telling import Crowd, StoryStopped, Telling, Told, said
from provisor.connector.address import parse_tenant_url
from provisor.connector.capabilities import CapabilityProfile
from provisor.connector.dialect import load_dialect
from provisor.connector.messages import ENDPOINTS, Kind
from provisor.connector.paths import USER
from provisor.connector.transport import Transport
from provisor.errors import Conflict, InvalidInput, Unavailable

# The profile's name -> the connector's dialect.
PROFILES = {
    "entra": "entra",
    "entra-aadOptscim062020": "entra-aadOptscim062020",
    "okta": "okta",
    "rfc": "provisor",
}
MOST_FOREIGN = 50


class ForeignAccounts(Conflict):
    """The endpoint has many accounts that this certification did not make."""


class EndpointUnusable(Unavailable):
    """The endpoint cannot be certified as it is."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to certify, and how. ``only``: names of stories, all when empty. ``domain``: of the people's names."""

    url: str
    token: str | None
    profile: str = "entra"
    only: Sequence[str] = ()
    domain: str = "certify.example"
    most_foreign: int = MOST_FOREIGN


async def certify(order: Order, transport: Transport, tell: Callable[[str], None]) -> Report:
    """Live through the stories at the endpoint. ``tell`` is given a sentence now and then, for whoever waits.

    Raises ``InvalidInput`` for a wrong order, ``EndpointUnusable`` and ``ForeignAccounts``: then nothing was written.
    """
    stories = _chosen(order)
    address = parse_tenant_url(order.url)
    flags = address.flags
    dialect = load_dialect(PROFILES[order.profile], flags)
    clock = LabClock()
    recorder = Recorder(transport, address.root, order.token, clock)
    endpoint = Endpoint(recorder, address.root, order.token, dialect)
    report = Report(order.url, order.profile, clock.now_ms())
    began = time.monotonic()
    await _first_look(endpoint, order)
    capabilities, manager = await _abilities(endpoint)
    report.abilities = {"groups": capabilities.groups, "disable": capabilities.soft_delete, "manager": manager}
    target = Target(recorder, order.url, order.token, dialect, capabilities)
    async with open_lab(target, clock) as lab:
        try:
            await _tell_all(stories, report, lab, endpoint, order, manager, tell)
        finally:
            tell("Cleaning up")
            report.left = await _clean_up(endpoint)
    report.requests = len(recorder.exchanges)
    report.seconds = round(time.monotonic() - began, 1)
    return report


def _chosen(order: Order) -> list[Story]:
    if order.profile not in PROFILES:
        raise InvalidInput(f"There is no profile {order.profile!r}.", hint=f"There are: {', '.join(PROFILES)}.")
    names = [story.name for story in STORIES]
    unknown = [name for name in order.only if name not in names]
    if unknown:
        raise InvalidInput(f"There is no story {unknown[0]!r}.", hint=f"The stories are: {', '.join(names)}.")
    return [story for story in STORIES if not order.only or story.name in order.only]


async def _first_look(endpoint: Endpoint, order: Order) -> None:
    """Is anybody there, and is it a place for experiments?"""
    exchange = await endpoint.ask("GET", "/Users?startIndex=1&count=1")
    if exchange.status is None:
        raise EndpointUnusable(
            f"{endpoint.root} does not answer.", hint="Start the endpoint, and check address, port and certificate."
        )
    if exchange.status in (401, 403):
        raise EndpointUnusable(
            f"{endpoint.root} does not accept the token ({said(exchange)}).",
            hint="Put a token that may manage users and groups into the file that --token-file names.",
        )
    total = total_of(exchange) if listed(exchange) is not None else 0
    if total > order.most_foreign:
        raise ForeignAccounts(
            f"{endpoint.root} has {total} accounts that are not from this certification.",
            hint="Certify a test instance. If this is one, allow it with --max-foreign: only what is made here is "
            "changed.",
        )


async def _abilities(endpoint: Endpoint) -> tuple[CapabilityProfile, bool]:
    """What the endpoint says that it can do; what it does not say, it is asked for. With: is there a manager?"""
    schemas = listed(await endpoint.ask("GET", "/Schemas")) or []
    user = next((one for one in schemas if str(one.get("id", "")).lower() == USER.lower()), None)
    soft_delete = user is None or "active" in attribute_names(user)
    manager = not schemas or has_manager(schemas)
    types = listed(await endpoint.ask("GET", "/ResourceTypes")) or []
    names = {str(read_raw(one, "name")).lower() for one in types}
    query = f"filter=displayName+eq+%22{uuid.uuid4()}%22"
    probe = await endpoint.ask("GET", f"/Groups?excludedAttributes=members&{query}")
    absent = probe.status in (404, 405, 501) and listed(probe) is None
    groups = not absent or "group" in names
    return replace(CapabilityProfile(), groups=groups, soft_delete=soft_delete), manager


async def _tell_all(
    stories: Sequence[Story],
    report: Report,
    lab: Lab,
    endpoint: Endpoint,
    order: Order,
    manager: bool,
    tell: Callable[[str], None],
) -> None:
    crowd = Crowd()
    able = {"groups": lab.target.capabilities.groups, "soft_delete": lab.target.capabilities.soft_delete}
    able["manager"] = manager
    for story in stories:
        if not all(able[need] for need in story.needs):
            continue
        tell(story.title)
        told = Told(story.name, story.title)
        report.stories.append(told)
        mark = endpoint.recorder.mark()
        try:
            await story.tell(
                Telling(
                    told,
                    lab,
                    endpoint,
                    profile=order.profile,
                    domain=order.domain,
                    has_manager=manager,
                    crowd=crowd,
                )
            )
        except StoryStopped as stopped:
            told.stopped = str(stopped)
        told.exchanges = endpoint.recorder.since(mark)
        if story.name == "connect" and told.stopped:
            # Nothing that follows could say more than this.
            return


async def _clean_up(endpoint: Endpoint) -> list[str]:
    """Delete what was made, groups first; the addresses of what would not go."""
    left = []
    kinds: tuple[tuple[Kind, str], ...] = (("Group", "Groups"), ("User", "Users"))
    for kind, plural in kinds:
        for id_ in endpoint.recorder.left(plural):
            exchange = await endpoint.delete(kind, id_)
            if not good(exchange) and exchange.status != 404:
                left.append(f"{endpoint.root}{ENDPOINTS[kind]}/{id_} ({said(exchange)})")
    return left


def detail_of(report: Report) -> str:
    """One line that says how it went."""
    must, should = len(report.broken("must")), len(report.broken("should"))
    return f"{len(list(report.checks))} expectations looked at, {must} must and {should} should broken"
