"""``provisor job explain``: why is this object, or this value, (not) in the target?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from provisor.cli.job import JobRef, Tenant, find_job
from provisor.cli.job_ondemand import ObjectRef, ObjectType, kind_of
from provisor.cli.output import facts, plain, table
from provisor.cli.session import session
from provisor.security.actor import operator

if TYPE_CHECKING:
    from rich.console import RenderableType

    from provisor.app.services import AppServices
    from provisor.provisioning.explaining.model import Event, Explanation


def register(commands: typer.Typer) -> None:
    """Add this command to ``provisor job``."""
    commands.command()(explain)


def explain(
    context: typer.Context,
    job: JobRef,
    subject: ObjectRef,
    tenant: Tenant = None,
    attribute: Annotated[
        str | None, typer.Option(help="Only this target attribute, with every step of its expression.")
    ] = None,
    of_type: ObjectType = None,
) -> None:
    """Why is this object, or this attribute's value, in the target, or not? For any object, at any time.

    Reads the object in the target, so that it also shows what somebody changed there. Nothing is written.
    """
    here = session(context)

    async def work(services: AppServices) -> Explanation:
        found = await find_job(services, tenant, job)
        return await services.explanations.explain(
            operator(), found.id, subject, kind=kind_of(of_type), attribute=attribute
        )

    told = here.run(work)

    from provisor.provisioning.explaining.document import document

    here.output.show(document(told), lambda: _people(told, whole=attribute is None))


def _people(told: Explanation, *, whole: bool) -> Iterable[RenderableType]:
    yield plain(told.answer)
    if told.target_error:
        yield plain(f"The target was asked, and did not answer as it should: {told.target_error}")
    for line in told.would_change:
        yield plain(f"  What would change it: {line}")
    if whole:
        yield facts(_state(told))
        if told.grounds:
            rows = [(g.through, g.role, "yes" if g.counts else f"no: {g.why}") for g in told.grounds]
            yield table(("Assigned", "Role", "Counts"), rows)
        if told.clauses:
            rows_ = [(c.filter, c.clause, c.seen or "nothing", "passed" if c.passed else "not") for c in told.clauses]
            yield table(("Scoping filter", "Clause", "Saw", "Verdict"), rows_)
        if told.matching:
            yield table(
                ("Matching", "Value", "Found in the target", ""),
                [(m.attribute, m.value, _found(m.found), m.note) for m in told.matching],
            )
    if whole:
        # Where no side has a value there is nothing to tell.
        rows4 = [
            (_short(m.target), m.desired, m.acknowledged, m.shown, m.error or m.verdict)
            for m in told.mappings
            if m.error or any(value is not None for value in (m.desired, m.acknowledged, m.shown))
        ]
        yield table(("Mapping", "Should be", "Confirmed", "In the target", "So"), rows4)
    for mapping in () if whole else told.mappings:
        yield facts(
            [
                ("attribute", mapping.target),
                ("mapped from", f"{mapping.source} ({mapping.applies})"),
                *((f"  {name}", value) for name, value in mapping.values.items()),
                ("should be", mapping.desired),
                ("confirmed", mapping.acknowledged),
                ("in the target", mapping.shown),
                ("so", mapping.error or mapping.verdict),
            ]
        )
        if mapping.steps:
            yield table(("Step", "Gives"), mapping.steps)
    if told.references and whole:
        rows3 = [(r.attribute, r.other_name, r.state) for r in told.references]
        yield table(("Reference", "To", "State"), rows3)
    if whole and told.events:
        yield table(("When", "What", "Status", "Why"), [_event(one) for one in told.events])
        yield from _wire(told)


def _state(told: Explanation) -> list[tuple[str, object]]:
    target = told.target_id or "nothing"
    if told.target_id and told.target_found is not None:
        target += " (read just now)" if told.target_found else " (no longer there)"
    pairs: list[tuple[str, object]] = [
        ("who", f"{told.name} ({told.kind}, {told.source_id})"),
        ("in the directory", told.source_state),
        ("in scope", "yes" if told.in_scope else "no"),
        ("in the target", target),
        ("link", told.link_state or "none"),
        ("job", told.job_state),
        ("queue", told.queue or "nothing waits"),
        ("next cycle", told.next_action),
    ]
    if told.held:
        pairs.append(("guard", told.held))
    if told.members:
        pairs.append(("members", ", ".join(f"{n} {name}" for name, n in told.members.items())))
    return pairs


def _short(path: str) -> str:
    """A target attribute without the URN of its schema."""
    return path.rpartition(":")[2] if path.lower().startswith("urn:") else path


def _found(ids: object) -> str:
    if ids is None:
        return "not asked"
    return ", ".join(str(id_) for id_ in ids) or "nobody" if isinstance(ids, list | tuple) else str(ids)


def _event(one: Event) -> tuple[str, str, str, str]:
    return one.at, one.action, one.status, f"{one.code}: {one.reason or ''}" if one.code else ""


def _wire(told: Explanation) -> Iterable[str]:
    """The last exchange that the log has kept."""
    last = next((one for one in told.events if one.exchange), None)
    if last is not None and last.exchange is not None:
        wire = last.exchange
        yield plain(f"Last on the wire, {last.at}: {wire.get('request')} → {wire.get('status')}")
        if wire.get("requestBody"):
            yield plain(f"  sent: {str(wire['requestBody'])[:400]}")
        if wire.get("responseBody"):
            yield plain(f"  answer: {str(wire['responseBody'])[:400]}")
