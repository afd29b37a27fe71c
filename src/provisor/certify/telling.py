"""How a story is told: what the identity provider does now, what is expected of the endpoint, and what came."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from provisor.certify.endpoint import Endpoint, json_of
from provisor.certify.expectations import Expectation, expectations
from provisor.certify.lab import Lab, World
from provisor.connector.capabilities import CapabilityProfile
from provisor.connector.exchange import Exchange

Verdict = Literal["met", "broken", "left out"]


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation, looked at once. ``came``: what the endpoint did, in words; of a check left out, why.

    ``exchange``: the request that shows it; null where there was none.
    """

    expectation: Expectation
    verdict: Verdict
    came: str
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the story."""

    text: str


@dataclass(slots=True)
class Told:
    """One story as it went. ``stopped``: why it could not go on, null where it came to its end."""

    name: str
    title: str
    parts: list[Said | Check] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    stopped: str | None = None

    @property
    def checks(self) -> list[Check]:
        return [part for part in self.parts if isinstance(part, Check)]


class StoryStopped(Exception):
    """What the rest of a story stands on did not come about; the check that says so is told already."""


class Telling:
    """What a story is given. ``crowd`` makes many accounts once, for the stories that need them."""

    def __init__(
        self, told: Told, lab: Lab, endpoint: Endpoint, *, profile: str, domain: str, has_manager: bool, crowd: Crowd
    ) -> None:
        self.told = told
        self.lab = lab
        self.endpoint = endpoint
        self.profile = profile
        self.domain = domain
        self.has_manager = has_manager
        self.crowd = crowd

    @property
    def capabilities(self) -> CapabilityProfile:
        return self.lab.target.capabilities

    async def world(self) -> World:
        """This story's own tenant, app and job."""
        return await self.lab.world(self.told.name, self.domain)

    def address(self, name: str) -> str:
        """A user name that only this run has."""
        return f"{name}.{self.told.name}-{self.lab.run}@{self.domain}"

    def title(self, name: str) -> str:
        """A group's name that only this run has."""
        return f"{name} {self.told.name}-{self.lab.run}"

    def say(self, text: str) -> None:
        self.told.parts.append(Said(text))

    def expect(self, rule: str, ok: bool, came: str = "", exchange: Exchange | None = None) -> bool:
        """Whether the endpoint keeps ``rule`` (of this story). ``came`` says what it did where it does not."""
        expectation = self._rule(rule)
        shown = exchange or self.endpoint.last
        self.told.parts.append(Check(expectation, "met" if ok else "broken", "" if ok else came, shown))
        return ok

    def need(self, rule: str, ok: bool, came: str = "", exchange: Exchange | None = None) -> None:
        """``expect``, for what the rest of the story stands on. Raises ``StoryStopped``."""
        if not self.expect(rule, ok, came, exchange):
            raise StoryStopped(f"this does not hold: {self._rule(rule).title}.")

    def leave_out(self, rule: str, why: str) -> None:
        """The endpoint does not offer what this is about, and says so."""
        self.told.parts.append(Check(self._rule(rule), "left out", why))

    def _rule(self, name: str) -> Expectation:
        return expectations()[f"{self.told.name}.{name}"].seen_by(self.profile)

    def stop(self, why: str) -> NoReturn:
        """Raises ``StoryStopped``: what the rest stands on is missing, and another story says more about it."""
        raise StoryStopped(why)

    def nobody(self) -> str:
        """An id that no resource has, and that may be asked to change."""
        made_up = str(uuid.uuid4())
        self.endpoint.recorder.invented.add(made_up)
        return made_up

    async def ask_user(self, name: str, **extra: Any) -> str:
        """A new account with a work address, made directly; its id. Raises ``StoryStopped``."""
        return await self.make("User", person(self.address(name), **extra))

    async def ask_group(self, name: str) -> str:
        """A new group without members, made directly; its id. Raises ``StoryStopped``."""
        return await self.make("Group", {"displayName": self.title(name)})

    async def make(self, kind: Literal["User", "Group"], values: Mapping[str, Any]) -> str:
        exchange = await self.endpoint.create(kind, values)
        found = json_of(exchange).get("id")
        if exchange.status not in (200, 201) or not found:
            raise StoryStopped(f"A {kind.lower()} could not be created: {said(exchange)}")
        return str(found)


class Crowd:
    """Many accounts, made when the first story asks for them."""

    def __init__(self) -> None:
        self.ids: list[str] = []


def person(user_name: str, **extra: Any) -> dict[str, Any]:
    """Target attribute path -> value of somebody plain; ``extra`` by path, underscores stand for dots."""
    first = user_name.partition(".")[0].capitalize()
    values: dict[str, Any] = {
        "userName": user_name,
        "active": True,
        "displayName": f"{first} Certify",
        "name.givenName": first,
        "name.familyName": "Certify",
        'emails[type eq "work"].value': user_name,
    }
    return values | {name.replace("_", "."): value for name, value in extra.items()}


def said(exchange: Exchange | None) -> str:
    """``status 400: No such attribute``, or that no reply came."""
    if exchange is None or exchange.status is None:
        return "no reply came"
    document = json_of(exchange)
    words = document.get("detail") or document.get("message") or ""
    text = str(words) if words else exchange.excerpt()[:160]
    return f"status {exchange.status}{f': {text}' if text else ''}"
