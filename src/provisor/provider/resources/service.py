"""App side, step 2: what a SCIM client can do with a company's users, groups and other resources.

Every call takes the ``Principal`` that the request comes from: its actor is checked here, its company is the only one
that is seen, and its dialect decides what is tolerated. Raises ``ScimError`` (its subclass says why).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from provisor.clock import Clock
from provisor.ids import new_id
from provisor.provider.model import Principal
from provisor.provider.resources.cursors import Cursors
from provisor.provider.resources.custom.model import Ground
from provisor.provider.resources.custom.service import CustomSchemas
from provisor.provider.resources.model import Counts, Edited, Kind, MemberStep, Page, Served, Stored
from provisor.provider.resources.searching import Searches, Walked
from provisor.provider.resources.store import ResourceStore, missing
from provisor.scim.dialect import dialect
from provisor.scim.members import MemberChange, MemberRef
from provisor.scim.messages import SearchRequest, etag, etag_matches
from provisor.scim.patch import compile_patcher
from provisor.scim.predicates import compile_element_predicate
from provisor.scim.resolution import Compare
from provisor.scim.schemas import ENTERPRISE_USER_URN, SchemaSet
from provisor.scim.validate import compile_validator
from provisor.security.actor import Actor, Right
from provisor.security.passwords import Passwords

# How many resources a search without an index looks through before it gives up with ``tooMany``.
SCAN_CAP = 20_000
# A group's answer to a PATCH names its members up to this number.
ANSWERED_MEMBERS = 200

_ID = re.compile(r"[0-9a-f-]{36}")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Resources:
    """Users, groups and memberships of companies, and resources of the types that companies add.

    ``cursor_key``: 32 bytes that all processes share, else cursors live and die with this one. ``custom`` keeps the
    companies' own schemas.
    """

    def __init__(
        self,
        store: ResourceStore,
        clock: Clock,
        *,
        cursor_key: bytes | None = None,
        passwords: Passwords | None = None,
        scan_cap: int = SCAN_CAP,
    ) -> None:
        self._store = store
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._searches = Searches(store.lists, clock, Cursors(cursor_key or os.urandom(32)), scan_cap)
        self.custom = CustomSchemas(store.definitions, clock)

    async def schemas(self, caller: Principal) -> SchemaSet:
        """The schemas of the caller's company."""
        caller.actor.require(Right.SCIM_READ, caller.company_id)
        return (await self.custom.ground(caller.company_id)).schemas

    async def create(
        self,
        caller: Principal,
        kind: Kind,
        body: Any,
        *,
        resource_id: str | None = None,
        ignored: list[str] | None = None,
    ) -> Served:
        """Create a resource from the body of a POST. ``resource_id``: a new id that others refer to already.

        ``ignored``, here and below, is given the paths that were sent and are not stored.
        """
        caller.actor.require(Right.SCIM_WRITE, caller.company_id)
        ground = await self.custom.ground(caller.company_id)
        by = dialect(caller.dialect)
        checked = compile_validator(ground.schemas, kind, by).create(body)
        _tell(ignored, checked.ignored)
        resource_id = resource_id or new_id()
        resource = {"schemas": checked.resource["schemas"], "id": resource_id, **checked.resource}
        return await self._store.create(
            caller.company_id,
            kind,
            resource_id,
            ground.indexer.draft(kind, resource),
            [member.value for member in checked.members or ()],
            self._clock.now_ms(),
            secrets=await self._hashed(checked.write_only) if checked.write_only else {},
            skips_unknown_members=by.unknown_members_ignored,
            source=caller.key_id,
        )

    async def read(
        self, caller: Principal, kind: Kind, resource_id: str, *, derived: frozenset[str] = frozenset()
    ) -> Served:
        """One resource, with ``groups`` or ``members`` when ``derived`` names them."""
        caller.actor.require(Right.SCIM_READ, caller.company_id)
        _require_id(kind, resource_id)
        found = await self._store.read(
            caller.company_id, kind, resource_id, groups="groups" in derived, members="members" in derived
        )
        if found is None:
            raise missing(kind, resource_id)
        return found

    async def replace(
        self,
        caller: Principal,
        kind: Kind,
        resource_id: str,
        body: Any,
        *,
        if_match: str | None = None,
        ignored: list[str] | None = None,
    ) -> Served:
        """Replace a resource by the body of a PUT: what it does not name is gone, members included.

        A write-only value that the body does not name stays: nobody could have read it to send it again.
        """
        caller.actor.require(Right.SCIM_WRITE, caller.company_id)
        ground = await self.custom.ground(caller.company_id)
        by = dialect(caller.dialect)
        validator = compile_validator(ground.schemas, kind, by)

        def edit(stored: Stored, hashes: Mapping[str, str]) -> Edited:
            before = _decode(stored.document)
            checked = validator.replace(before, body)
            _tell(ignored, checked.ignored)
            after = {"schemas": checked.resource["schemas"], "id": resource_id, **checked.resource}
            steps = _exactly(checked.members or ()) if kind == "Group" else ()
            return Edited(
                _drafts(ground, kind, before, after),
                steps,
                _secrets(checked.write_only, hashes),
                by.unknown_members_ignored,
            )

        return await self._change(caller, kind, resource_id, edit, if_match)

    async def patch(
        self,
        caller: Principal,
        kind: Kind,
        resource_id: str,
        body: Any,
        *,
        if_match: str | None = None,
        all_members: bool = False,
        ignored: list[str] | None = None,
    ) -> Served:
        """Apply the operations of a PATCH, all or none.

        The answer's ``members`` is null for a group of more than ``ANSWERED_MEMBERS``, unless ``all_members`` asks.
        """
        caller.actor.require(Right.SCIM_WRITE, caller.company_id)
        ground = await self.custom.ground(caller.company_id)
        by = dialect(caller.dialect)
        patcher = compile_patcher(ground.schemas, kind, by)

        def edit(stored: Stored, hashes: Mapping[str, str]) -> Edited:
            before = _decode(stored.document)
            patched = patcher.apply(before, body)
            _tell(ignored, patched.ignored)
            return Edited(
                _drafts(ground, kind, before, patched.resource) if patched.changed else None,
                [step for change in patched.member_changes for step in _steps(change)],
                _secrets(patched.write_only, hashes),
                by.unknown_members_ignored,
            )

        return await self._change(caller, kind, resource_id, edit, if_match, limited=not all_members)

    async def delete(self, caller: Principal, kind: Kind, resource_id: str, *, if_match: str | None = None) -> None:
        """Delete a resource: it leaves all groups, and a user is nobody's manager any more."""
        caller.actor.require(Right.SCIM_WRITE, caller.company_id)
        _require_id(kind, resource_id)
        ground = await self.custom.ground(caller.company_id)

        def without_manager(stored: Stored) -> Edited:
            before = _decode(stored.document)
            return Edited(_drafts(ground, "User", before, _without_manager(before)))

        await self._store.delete(
            caller.company_id,
            kind,
            resource_id,
            at=self._clock.now_ms(),
            holders=("manager", without_manager) if kind == "User" else None,
            accepts=_accepts(if_match),
        )

    async def search(
        self, caller: Principal, kind: Kind, request: SearchRequest, *, derived: frozenset[str] = frozenset()
    ) -> Page:
        """A page, by number, of the resources that a filter finds; ``derived`` as in ``read``."""
        caller.actor.require(Right.SCIM_READ, caller.company_id)
        ground = await self.custom.ground(caller.company_id)
        return await self._searches.page(ground, caller, kind, request, derived)

    async def walk(
        self,
        caller: Principal,
        kinds: Sequence[Kind],
        request: SearchRequest,
        *,
        derived: Mapping[Kind, frozenset[str]],
    ) -> Walked:
        """A page by cursor (RFC 9865) over these resource types; ``derived`` as in ``read``, by type.

        Who exists throughout and keeps the value that is sorted by comes exactly once.
        """
        caller.actor.require(Right.SCIM_READ, caller.company_id)
        ground = await self.custom.ground(caller.company_id)
        return await self._searches.walk(ground, caller, kinds, request, derived)

    async def has_password(self, actor: Actor, company_id: str, user_id: str, password: str) -> bool:
        """Whether this is the user's password, as it was last sent over SCIM; false for who has none."""
        actor.require(Right.COMPANY_READ, company_id)
        hashed = await self._store.secret(company_id, user_id, "password")
        return hashed is not None and await self._passwords.matches(password, hashed)

    async def counts(self, actor: Actor, company_id: str) -> Counts:
        """How many users, groups and memberships a company has."""
        actor.require(Right.COMPANY_READ, company_id)
        return await self._store.counts(company_id)

    # How ------------------------------------------------------------------------------------------------------------

    async def _change(
        self,
        caller: Principal,
        kind: Kind,
        resource_id: str,
        edit: Callable[[Stored, Mapping[str, str]], Edited],
        if_match: str | None,
        *,
        limited: bool = False,
    ) -> Served:
        _require_id(kind, resource_id)
        limits = {"most_members": ANSWERED_MEMBERS} if limited else {}
        hashes: dict[str, str] = {}

        def edited(stored: Stored) -> Edited:
            return edit(stored, hashes)

        while True:
            try:
                return await self._store.change(
                    caller.company_id,
                    kind,
                    resource_id,
                    edit=edited,
                    at=self._clock.now_ms(),
                    accepts=_accepts(if_match),
                    **limits,
                )
            except _Unhashed as error:
                # Which values are secrets, the request's operations say; hashing them would hold up every other write.
                hashes.update({text: await self._passwords.hash(text) for text in error.texts})

    async def _hashed(self, values: Mapping[str, Any]) -> dict[str, str | None]:
        return {
            path: None if value is None else await self._passwords.hash(_text(value)) for path, value in values.items()
        }


class _Unhashed(Exception):
    """Inside a transaction: these texts must be hashed outside of it first."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self.texts = texts


def _tell(told: list[str] | None, ignored: Sequence[str]) -> None:
    # An edit may be made twice: what it found last is what holds.
    if told is not None:
        told[:] = ignored


def _secrets(values: Mapping[str, Any], hashes: Mapping[str, str]) -> Mapping[str, str | None]:
    texts = {path: None if value is None else _text(value) for path, value in values.items()}
    if new := [text for text in texts.values() if text is not None and text not in hashes]:
        raise _Unhashed(new)
    return {path: None if text is None else hashes[text] for path, text in texts.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _drafts(ground: Ground, kind: Kind, before: dict[str, Any], after: dict[str, Any]) -> Any:
    if before == after:
        return None
    return ground.indexer.draft(kind, before), ground.indexer.draft(kind, after)


def _without_manager(before: dict[str, Any]) -> dict[str, Any]:
    extension = {name: value for name, value in before[ENTERPRISE_USER_URN].items() if name != "manager"}
    after = {**before, ENTERPRISE_USER_URN: extension}
    if not extension:
        del after[ENTERPRISE_USER_URN]
        after["schemas"] = [urn for urn in before["schemas"] if urn != ENTERPRISE_USER_URN]
    return after


def _require_id(kind: Kind, resource_id: str) -> None:
    """What cannot be an id of ours is not there; not every database could even be asked for it."""
    if not _ID.fullmatch(resource_id):
        raise missing(kind, resource_id)


def _accepts(if_match: str | None) -> Callable[[int], bool] | None:
    if if_match is None:
        return None
    return lambda version: etag_matches(if_match, etag(version))


def _exactly(members: Sequence[MemberRef]) -> tuple[MemberStep, ...]:
    ids = tuple(member.value for member in members)
    keep = MemberStep("keep", ids)
    return (MemberStep("add", ids), keep) if ids else (keep,)


def _steps(change: MemberChange) -> tuple[MemberStep, ...]:
    if change.kind in ("replace", "clear"):
        return _exactly(change.members)
    if change.kind == "add":
        return (MemberStep("add", tuple(member.value for member in change.members)),)
    condition = change.filter
    if condition is None:
        return (MemberStep("remove", tuple(member.value for member in change.members)),)
    if isinstance(condition, Compare) and condition.op == "eq" and condition.ref.leaf.name == "value":
        return (MemberStep("remove", (str(condition.value),)),)
    return (MemberStep("sift", test=compile_element_predicate(condition)),)
