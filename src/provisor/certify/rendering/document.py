"""The report as a JSON document, and an exchange as texts."""

from __future__ import annotations

import shlex
from typing import Any

from provisor.certify.report import Report, verdict_of
from provisor.certify.telling import Check, Said, Told
from provisor.clock import iso
from provisor.connector.exchange import BLACK, Exchange

_LONGEST = 4_000
# What a person needs not repeat.
_NOT_IN_CURL = frozenset({"user-agent"})


def document(report: Report) -> dict[str, Any]:
    """Everything that is known, without the token."""
    return {
        "url": report.url,
        "profile": report.profile,
        "began": iso(report.began_at),
        "seconds": report.seconds,
        "requests": report.requests,
        "passed": report.passed,
        "broken": {level: len(report.broken(level)) for level in ("must", "should", "note")},
        "abilities": report.abilities,
        "answers": [
            {"question": one.question, "answer": verdict_of(one), "because": list(one.rules)} for one in report.answers
        ],
        "findings": [_check(check) for check in report.broken()],
        "stories": [_story(story) for story in report.stories],
        "left": report.left,
    }


def _story(story: Told) -> dict[str, Any]:
    return {
        "name": story.name,
        "title": story.title,
        "stopped": story.stopped,
        "requests": len(story.exchanges),
        "parts": [{"says": part.text} if isinstance(part, Said) else _check(part) for part in story.parts],
    }


def _check(check: Check) -> dict[str, Any]:
    rule = check.expectation
    return {
        "id": rule.id,
        "level": rule.level,
        "verdict": check.verdict,
        "expected": rule.title,
        "came": check.came or None,
        "why": rule.why,
        "sources": [{"kind": one.kind, "title": one.title, "url": one.url} for one in rule.sources],
        "exchange": exchange_document(check.exchange) if check.exchange else None,
    }


def exchange_document(exchange: Exchange) -> dict[str, Any]:
    """``status`` is null where no reply came; bodies are texts, the long ones cut."""
    return {
        "request": exchange.request_line,
        "body": cut(exchange.request_body) or None,
        "status": exchange.status,
        "answer": cut(exchange.response_body) or None,
        "milliseconds": exchange.duration_ms,
        "curl": curl(exchange),
    }


def curl(exchange: Exchange) -> str:
    """A command that sends the request again; the token comes from the variable ``TOKEN``."""
    words = ["curl", "-i", "-X", exchange.method]
    for name, value in exchange.headers.items():
        if name.lower() not in _NOT_IN_CURL and value != f"Bearer {BLACK}":
            words += ["-H", shlex.quote(f"{name}: {value}")]
    if exchange.headers.get("Authorization"):
        words += ["-H", '"Authorization: Bearer $TOKEN"']
    if exchange.body is not None:
        words += ["-d", shlex.quote(exchange.request_body)]
    return " ".join([*words, shlex.quote(exchange.url)])


def cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
