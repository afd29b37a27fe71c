"""``provisor demo``: the whole story in one process: a directory, an app with a SCIM address, and what goes between.

directory ─▶ company and API key ─▶ app ─▶ Test Connection ─▶ assignment ─▶ initial cycle ─▶ three changes
─▶ incremental cycle ─▶ what is in the app now
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisor.cli.cycles import BALANCE, balance, cause, reasons
from provisor.cli.output import Output, plain
from provisor.cli.session import session
from provisor.cli.working import cycle_document, follow, quiet, seconds, troubles, went_well
from provisor.errors import Conflict, Unavailable
from provisor.security.actor import operator

if TYPE_CHECKING:
    import socket

    from rich.console import Console, RenderableType

    from provisor.app.services import AppServices
    from provisor.applications.model import App
    from provisor.cli.demo_changes import Situation
    from provisor.cli.demo_setup import Organisation
    from provisor.provider.resources.model import Counts
    from provisor.provisioning.model import Cycle

HOST, PORT = "127.0.0.1", 8080


def register(commands: typer.Typer) -> None:
    """Add the commands of this module."""
    commands.command()(demo)


def demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End after the story instead of serving on.")] = False,
    users: Annotated[int, typer.Option(min=1, help="How many sample people.")] = 100,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Entra's CSV instead of the sample; may be given several times. A members file fills the group of its "
            "name; members files in a folder 'groups' beside it come along.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="[default: 8080, or a free one where that is taken]")
    ] = None,
) -> None:
    """The whole story, from a directory to accounts in a SCIM app. Can be interrupted and repeated at any time."""
    here = session(context)
    from provisor.cli.demo_setup import FaultyFiles, organisation_of, sample_organisation
    from provisor.cli.server import address_of

    organisation = organisation_of(file) if file else sample_organisation(users)
    bound = _listen(port)
    told = _Told(here.output)

    async def work(services: AppServices) -> _Story:
        from provisor.app.locks import present
        from provisor.cli.faces import make_app
        from provisor.cli.server import serving, until_told_to_end

        story = _Story(services, told, address_of(bound, HOST))
        async with present(services.settings), serving(make_app(services), bound), AsyncExitStack() as stack:
            await story.set_up(organisation, users)
            # Not before the app's address is the one of this server: the worker goes on at once with what was cut off.
            await stack.enter_async_context(_worker(services))
            await story.tell()
            if not once:
                await story.open_doors()
            here.output.show(story.document(), story.summary)
            if not once:
                await until_told_to_end()
        return story

    try:
        with bound:
            story = here.run_with(here.settings(host=HOST, port=bound.getsockname()[1]), work)
    except FaultyFiles as faulty:
        from provisor.cli.directory import fault_line

        for fault in faulty.faults:
            line = fault_line(fault.file, fault.line, fault.column, fault.message)
            here.output.messages.print(line, markup=False, soft_wrap=True)
        raise
    if story.failed:
        raise typer.Exit(1)


class _Told:
    """Numbered steps, for people on standard output, beside a JSON document on standard error."""

    def __init__(self, output: Output) -> None:
        from provisor.cli.output import console

        self.console: Console = output.messages if output.as_json else console()
        self._number = 0

    def step(self, title: str, why: str) -> None:
        self._number += 1
        self.console.print(f"\n[bold]{self._number}. {plain(title)}[/]")
        self.console.print(f"   {why}", style="dim", markup=False)

    def result(self, text: str) -> None:
        self.console.print(f"   [green]✓[/] {plain(text)}")


@dataclass
class _Story:
    services: AppServices
    told: _Told
    address: str
    began: float = field(default_factory=time.monotonic)
    app: App | None = None
    before: frozenset[str] = frozenset()
    cycles: list[Cycle] = field(default_factory=list)
    initial: Cycle | None = None
    entries: list[Mapping[str, Any]] = field(default_factory=list)
    arrived: Counts | None = None
    ids: dict[str, str] = field(default_factory=dict)
    doors: dict[str, str] = field(default_factory=dict)

    @property
    def scim_url(self) -> str:
        return f"{self.address}/scim/v2"

    @property
    def failed(self) -> bool:
        return not all(went_well(cycle) for cycle in self.cycles)

    async def set_up(self, organisation: Organisation, users: int) -> None:
        """Both sides, connected. Raises ``ProvisorError`` where the story cannot go on."""
        from provisor.cli import demo_setup

        services, told = self.services, self.told
        told.step(f"The directory of {organisation.name}", "Who works here, who leads whom, who is in which group.")
        tenant = await demo_setup.tenant(services, organisation)
        told.result(await demo_setup.fill_directory(services, tenant.id, organisation, users))

        told.step("The app's side", "The organisation has an account at a SaaS app, which speaks SCIM 2.0.")
        company = await demo_setup.company(services, organisation)
        people = await services.companies.administrators(operator(), company.id)
        told.result(f"Company {company.name}, administrator {people[0].email if people else 'nobody'}")

        told.step(
            f"The app {demo_setup.APP}, from the gallery",
            "Its Tenant URL is the company's SCIM address, its Secret Token an API key that the company made.",
        )
        app, is_new = await demo_setup.connect(services, tenant.id, company, self.scim_url)
        self.app = app
        self.ids = {"tenant": tenant.id, "company": company.id, "job": app.job_id}
        told.result(f"Tenant URL {self.scim_url}")
        age = f"new, works for {demo_setup.KEY_DAYS} days" if is_new else "the same as before"
        told.result(f"API key '{demo_setup.KEY}', {age}")

        told.step("Test Connection", "Before anything is sent: does the address answer, does it accept the key?")
        tested = await services.provisioning.test(operator(), app.job_id)
        if not tested.ok:
            raise Unavailable(f"Test Connection failed ({tested.cause}). {tested.message}", hint=tested.hint)
        told.result(tested.message)
        known = await services.provisioning.cycles(operator(), app.job_id, 1_000)
        self.before = frozenset(cycle.id for cycle in known if cycle.state != "Running")

    async def tell(self) -> None:
        """Everything from the assignment to the last cycle. Raises ``ProvisorError``."""
        from provisor.cli import demo_changes, demo_setup

        services, told, app = self.services, self.told, self._connected()
        tenant_id, company_id = self.ids["tenant"], self.ids["company"]
        told.step("Assignment", "Only who is assigned to the app gets an account there.")
        now = await demo_changes.situation(services, tenant_id, app.service_principal.id)
        assigned = await demo_setup.assign_everybody(services, app, now)
        told.result(f"{assigned} newly assigned; {len(now.users)} people and {len(now.groups)} groups in all")

        told.step("Provisioning on", "A cycle looks at everything that is assigned, and does what is to be done.")
        await self._cycle()
        now = await demo_changes.situation(services, tenant_id, app.service_principal.id)
        await self._change(now)
        told.step("The next cycle", "It carries just these changes, whatever the size of the directory.")
        await self._cycle()
        for cycle in self.cycles:
            self.entries += await troubles(services, app.job_id, cycle.id)
        known = await services.provisioning.cycles(operator(), app.job_id, 1_000)
        self.initial = next((cycle for cycle in known if cycle.kind == "Initial"), None)
        self.arrived = await services.resources.counts(operator(), company_id)

    async def open_doors(self) -> None:
        """Links that let one in to both portals, once each."""
        from provisor.cli import demo_setup

        tenant, company = await demo_setup.sign_in_links(self.services, self.ids["tenant"], self.ids["company"])
        self.doors = {"sign_in": self.address + tenant, "company_sign_in": self.address + company}

    async def _cycle(self) -> None:
        """Start the job and follow it until it has nothing more to do; the cycles of this are told and kept."""
        job = self.ids["job"]
        provisioning = self.services.provisioning
        console = self.told.console
        ended = self.before.union(cycle.id for cycle in self.cycles)
        cycle = await follow(
            self.services, job, lambda: provisioning.start(operator(), job), console, "Provisioning", ended=ended
        )
        if cycle.error is None:
            await quiet(self.services, self.ids["tenant"], job)
        for one in reversed(await provisioning.cycles(operator(), job, 100)):
            if one.id not in ended and one.state != "Running":
                if one.error is not None:
                    raise Unavailable(cause(one, self._connected().service_principal.display_name))
                self.cycles.append(one)
                self.told.result(f"{one.kind} cycle: {_counts(one)}")

    def _connected(self) -> App:
        if self.app is None:
            raise RuntimeError("The story is told before it was set up.")
        return self.app

    async def _change(self, now: Situation) -> None:
        from provisor.cli import demo_changes

        services, told = self.services, self.told
        told.step(
            "Three changes in the directory", "Provisioning is paused while they happen, so that they travel together."
        )
        await services.provisioning.pause(operator(), self.ids["job"])
        chosen = demo_changes.choose(now)
        if chosen.renamed:
            name = await demo_changes.rename(services, chosen.renamed, chosen.surname)
            told.result(f"{chosen.renamed.display_name} is now called {name}")
        if chosen.leaves:
            groups = now.groups_of(chosen.leaves)
            principal = self._connected().service_principal
            await demo_changes.leave(services, chosen.leaves, groups, principal.id)
            left = f" and taken out of {', '.join(group.display_name for group in groups)}" if groups else ""
            told.result(f"{chosen.leaves.display_name} is unassigned{left}, so the account is to be disabled")
        if chosen.joins:
            person, group = chosen.joins
            await demo_changes.join(services, person, group)
            told.result(f"{person.display_name} is now in {group.display_name}")
        if not (chosen.leaves and chosen.joins):
            told.result("The directory is too small for all three")

    def document(self) -> dict[str, Any]:
        """The JSON answer. Counts are those of both cycles; ``users``, ``groups``, ``memberships`` what the app has."""
        counts = [cycle.counts or {} for cycle in self.cycles]
        reasons: dict[str, int] = {}
        for one in counts:
            for reason, number in one.get("skippedByReason", {}).items():
                reasons[reason] = reasons.get(reason, 0) + number
        arrived = self.arrived
        return {
            "users": arrived.users if arrived else 0,
            "groups": arrived.groups if arrived else 0,
            "memberships": arrived.memberships if arrived else 0,
            **{name: sum(one.get(key, 0) for one in counts) for key, name in BALANCE},
            "skipped_by_reason": reasons,
            "seconds": round(time.monotonic() - self.began, 3),
            "initial_cycle_seconds": seconds(self.initial) if self.initial else None,
            "cycles": [cycle_document(cycle) for cycle in self.cycles],
            "portal": f"{self.address}/portal",
            "company_portal": f"{self.address}/company",
            "scim_url": self.scim_url,
            **self.ids,
            **self.doors,
        }

    def summary(self) -> Iterable[RenderableType]:
        """The last table, why anything was skipped, and where to look on."""
        from rich.text import Text

        arrived = self.arrived
        yield ""
        yield balance(self.cycles)
        if arrived:
            yield f"In the app now: {arrived.users} users, {arrived.groups} groups, {arrived.memberships} memberships."
        yield from reasons(self.entries)
        yield f"\nDirectory and provisioning: {self.address}/portal"
        yield f"The app's side:             {self.address}/company"
        if self.doors:
            yield "\nTo sign in, open these links, once each; then there is a password:"
            yield Text(self.doors["sign_in"], no_wrap=True, overflow="ignore")
            yield Text(self.doors["company_sign_in"], no_wrap=True, overflow="ignore")


@asynccontextmanager
async def _worker(services: AppServices) -> AsyncIterator[None]:
    from provisor.app.locks import ExecutorBusy
    from provisor.app.worker import running_worker

    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(running_worker(services))
        except ExecutorBusy as error:
            raise Conflict(
                f"Another process works on the database in {services.settings.data_dir}.",
                hint="Stop that one (a server, or another demo), or give this one a folder of its own with --data.",
            ) from error
        yield


def _counts(cycle: Cycle) -> str:
    counts = cycle.counts or {}
    parts = [f"{counts[key]} {name}" for key, name in BALANCE if counts.get(key)]
    return ", ".join(parts) or "nothing to do"


def _listen(port: int | None) -> socket.socket:
    from provisor.cli.server import PortInUse, listen

    if port is not None:
        return listen(HOST, port)
    try:
        return listen(HOST, PORT)
    except PortInUse:
        return listen(HOST, 0)
