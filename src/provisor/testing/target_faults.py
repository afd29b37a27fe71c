"""For tests: what can go wrong between a client and ``SimulatedTarget``. Each fault is a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it arrived: ``path`` below the base address, ``query`` decoded, ``body`` as JSON or null."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int | None  # null: the client got no reply


@dataclass(frozen=True, slots=True)
class Fault:
    """``applied``: whether the target carries the request out; ``later``: only when ``SimulatedTarget.land`` is called.

    ``reply``: what the client gets: the true ``answer``, a ``document``, an ``error`` of ``status``, or nothing
    (``silence`` until its timeout, ``reset`` of the connection).
    """

    applied: Literal["yes", "no", "later"]
    reply: Literal["answer", "error", "silence", "reset", "document"]
    status: int = 0
    detail: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    document: Any = None  # with ``reply="document"``: the answer, whatever was asked


def too_many_requests(retry_after: str | int | None = 1) -> Fault:
    """429 with ``Retry-After`` (null: without), nothing applied."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Fault("no", "error", 429, "Too many requests.", headers)


def failure(status: int = 500, detail: str = "It broke.", headers: Mapping[str, str] | None = None) -> Fault:
    """An error of this status, nothing applied."""
    return Fault("no", "error", status, detail, headers or {})


def unauthorized() -> Fault:
    return Fault("no", "error", 401, "The token is not valid.")


def failure_after_applying(status: int = 500) -> Fault:
    """The request is carried out, and the reply says that it failed."""
    return Fault("yes", "error", status, "It broke.")


def answered(document: Any) -> Fault:
    """This document with status 200, whatever was asked; nothing applied."""
    return Fault("no", "document", document=document)


def silence() -> Fault:
    """No reply before the client's timeout, nothing applied."""
    return Fault("no", "silence")


def lost_reply() -> Fault:
    """The request is carried out, the client hears nothing until its timeout."""
    return Fault("yes", "silence")


def lands_later() -> Fault:
    """No reply before the client's timeout; the request is carried out when the test calls ``land``."""
    return Fault("later", "silence")


def reset() -> Fault:
    """The connection is reset before anything is applied."""
    return Fault("no", "reset")


def reset_after_applying() -> Fault:
    """The request is carried out, then the connection is reset."""
    return Fault("yes", "reset")


def slow(seconds: float) -> Fault:
    """The true answer, after a while of the target's clock."""
    return Fault("yes", "answer", delay=seconds)


Condition = Callable[[Recorded], bool]


def method(*names: str) -> Condition:
    """Requests with one of these methods."""
    return lambda request: request.method in names


def names(text: str) -> Condition:
    """Requests that mention ``text`` in their path, query or body."""
    return lambda request: text in f"{request.path} {request.query} {request.body}"
