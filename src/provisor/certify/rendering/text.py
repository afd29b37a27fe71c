"""The report for a terminal: a story that one can read, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from provisor.certify.rendering.document import curl, cut
from provisor.certify.report import Report, verdict_of
from provisor.certify.telling import Check, Said

if TYPE_CHECKING:
    from rich.console import RenderableType

_COLOURS = {"must": "bold red", "should": "yellow", "note": "cyan"}
_BAD = "bold red"


def render(report: Report, *, every: bool) -> Iterator[RenderableType]:
    """``every``: also what was as expected is told with its exchange."""
    from rich.text import Text

    for story in report.stories:
        yield Text(f"\n{story.title}", style="bold")
        for part in story.parts:
            if isinstance(part, Said):
                yield Text(f"  {part.text}", style="dim")
            else:
                yield from _check(part, every=every)
        if story.stopped:
            yield Text(f"  The story ends here: {story.stopped}", style=_BAD)
    yield Text("")
    yield from _summary(report)


def _check(check: Check, *, every: bool) -> Iterator[RenderableType]:
    from rich.text import Text

    rule = check.expectation
    if check.verdict == "left out":
        yield Text(f"  – {rule.title}: {check.came}", style="dim")
        return
    if check.verdict == "met":
        yield Text(f"  ✓ {rule.title}")
        if every:
            yield from _exchange(check)
        return
    yield Text.assemble(
        ("  ✗ ", _COLOURS[rule.level]), (rule.title, "bold"), (f"  [{rule.level}] {rule.id}", _COLOURS[rule.level])
    )
    yield Text(f"      What came: {check.came}.".replace("..", "."))
    yield Text(f"      Why it matters: {rule.why}")
    yield from _exchange(check)
    for source in rule.sources:
        yield Text(f"      {source.title}: {source.url}", style="dim")


def _exchange(check: Check) -> Iterator[RenderableType]:
    from rich.text import Text

    exchange = check.exchange
    if exchange is None:
        return
    yield Text(f"      > {exchange.request_line}")
    if exchange.body:
        yield Text(f"      > {cut(exchange.request_body)}")
    status = "no reply" if exchange.status is None else str(exchange.status)
    answer = cut(exchange.response_body)
    yield Text(f"      < {status}{f' {answer[:600]}' if answer else ''}")
    if check.verdict == "broken":
        yield Text(f"      {curl(exchange)}", style="dim")


def _summary(report: Report) -> Iterator[RenderableType]:
    from rich.text import Text

    for answer in report.answers:
        verdict = verdict_of(answer)
        style = "" if answer.harmed is None else (_BAD if answer.harmed else "green")
        yield Text.assemble(f"{answer.question} ", (verdict, style), f"  {', '.join(answer.rules)}")
    counts = ", ".join(f"{len(report.broken(level))} {level}" for level in ("must", "should", "note"))
    yield Text(
        f"\n{sum(check.verdict == 'met' for check in report.checks)} as expected; broken: {counts}. "
        f"{report.requests} requests in {report.seconds} s, as {report.profile}."
    )
    for name, able in report.abilities.items():
        if not able:
            yield Text(f"The endpoint has no {name}: the stories about it were left out.")
    if report.left:
        yield Text(f"Could not be cleaned up ({len(report.left)}):", style=_BAD)
        for line in report.left:
            yield Text(f"  {line}")
