"""Ways to be broken. Each names the public issue that it is after, and the rule by which it is to be found."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.e2e.broken_endpoints.healthy import ENTERPRISE, Healthy, Query

from provisor.connector.transport import Request, Response
from provisor.testing.target_documents import Document, Refusal, patched


class DisableIgnored(Healthy):
    """https://github.com/OneUptime/oneuptime/pull/3852: only a top-level ``active`` counts, success is told."""

    found_by = "leaver.disabled"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        known = [one for one in operations if one.get("path") != "active" and one.get("value") != {"active": False}]
        return await super().patched(store, id_, known)


class CapitalOpRefused(Healthy):
    """https://github.com/langwatch/langwatch/issues/6972: a strict enum of lower-case operations."""

    found_by = "change.op-case"

    def operation(self, operation: Any) -> Any:
        if operation["op"] not in ("add", "replace", "remove"):
            raise Refusal(400, f"Invalid enum value {operation['op']}.", "invalidSyntax")
        return super().operation(operation)


class TextForBoolean(Healthy):
    """https://github.com/thomaspoignant/scim-patch/issues/872: the text ``"False"`` is stored as it came."""

    found_by = "leaver.shapes"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        changed = await super().patched(store, id_, operations)
        for one in operations:
            if one.get("path") == "active":
                changed["active"] = one["value"]
        return changed


class DisabledIsHidden(Healthy):
    """https://github.com/ssoready/ssoready/issues/155: who is disabled vanishes from reads."""

    found_by = "leaver.visible"

    def visible(self, document: Document) -> bool:
        return document.get("active") is not False

    def identified(self, store: dict[str, Document], id_: str) -> str:
        if not self.visible(store.get(id_, {})):
            raise Refusal(404, "Not found.")
        return super().identified(store, id_)


class EnableRefused(Healthy):
    """https://github.com/getsentry/sentry-docs/issues/16258: only ``false`` is understood for ``active``."""

    found_by = "leaver.returned"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        if any(one.get("path") == "active" and str(one["value"]).lower() != "false" for one in operations):
            raise Refusal(400, "Invalid PATCH operation.", "invalidValue")
        return await super().patched(store, id_, operations)


class PathlessReplacesAll(Healthy):
    """https://github.com/ssoready/ssoready/pull/206: a value without a path is taken for the whole user."""

    profile = "entra-aadOptscim062020"
    found_by = "change.without-path"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        for one in operations:
            if not one.get("path") and store is self.users:
                return {"id": id_, "userName": store[id_]["userName"], **one["value"]}
        return await super().patched(store, id_, operations)


class DeleteFails(Healthy):
    """https://github.com/jelhub/scimgateway/issues/122: the DELETE after 30 days fails in the backend."""

    found_by = "recycle.deleted"

    def delete(self, store: dict[str, Document], id_: str) -> Response:
        if store is self.users and not store[id_].get("active"):
            raise Refusal(500, "Cannot delete an inactive user.")
        return super().delete(store, id_)


class RemovalEmptiesGroup(Healthy):
    """https://github.com/apache/directory-scimple/issues/436: ``value`` of a removal is ignored."""

    found_by = "members.only-one-removed"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        operations = [
            {"op": "remove", "path": "members"} if one["op"].lower() == "remove" and one["path"] == "members" else one
            for one in operations
        ]
        return await super().patched(store, id_, operations)


class RemovalIgnored(Healthy):
    """https://github.com/thomaspoignant/scim-patch/issues/959: a removal with a value has no effect."""

    found_by = "members.removed"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        kept = [one for one in operations if not (one["op"].lower() == "remove" and one.get("value"))]
        return await super().patched(store, id_, kept)


class LostUpdates(Healthy):
    """https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/646: read all members, change, write all."""

    found_by = "members.five-at-once"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        base = self.snapshot(store[id_])
        await asyncio.sleep(0.001)
        store[id_] = base
        return await super().patched(store, id_, operations)


class MembersNotExcluded(Healthy):
    """https://github.com/Infisical/infisical/pull/6525: ``excludedAttributes`` is ignored."""

    found_by = "members.excluded"

    def shown(self, document: Document, query: Query) -> Document:
        return super().shown(document, {name: text for name, text in query.items() if name != "excludedAttributes"})


class GroupCutAtHundred(Healthy):
    """https://github.com/FusionAuth/fusionauth-issues/issues/2784: a hundred members are loaded and written back."""

    found_by = "members.large"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        changed = await super().patched(store, id_, operations)
        if "members" in changed:
            changed["members"] = changed["members"][:100]
        return changed


class UnknownMemberCrashes(Healthy):
    """https://github.com/lightdash/lightdash/issues/24458: an unknown member is a 500."""

    found_by = "members.unknown"

    def check_members(self, members: list[Any]) -> None:
        if any(one["value"] not in self.users for one in members):
            raise Refusal(500, "Internal server error")


class NoTarget(Healthy):
    """https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/416: a filter that matches nothing is refused."""

    found_by = "change.missing-element"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        for one in operations:
            name, bracket, _ = str(one.get("path") or "").partition("[")
            if bracket and name != "members":
                patched(store[id_], [{**one, "op": one["op"].lower()}], strict=bool(not store[id_].get(name)))
        return await super().patched(store, id_, operations)


class ElementForEachPart(Healthy):
    """https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/680: each sub-attribute makes an element of its own."""

    found_by = "change.one-element"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        changed = self.snapshot(store[id_])
        rest = []
        for one in operations:
            path = str(one.get("path") or "")
            if path.startswith("addresses[") and one["op"].lower() == "add":
                part = {"type": "work", path.rpartition(".")[2]: one["value"]}
                changed.setdefault("addresses", []).append(part)
            else:
                rest.append(one)
        store[id_] = changed
        return await super().patched(store, id_, rest)


class SiblingsDeleted(Healthy):
    """https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/668: the other addresses go with the change of one."""

    found_by = "change.siblings"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        changed = await super().patched(store, id_, operations)
        for one in operations:
            if str(one.get("path") or "").startswith('emails[type eq "work"]'):
                changed["emails"] = [email for email in changed["emails"] if email.get("type") == "work"]
        return changed


class ManagerAsText(Healthy):
    """https://github.com/Budibase/budibase/issues/15369: the manager is shown as it was sent, as a text."""

    found_by = "manager.shape"

    def shown(self, document: Document, query: Query) -> Document:
        found = self.snapshot(super().shown(document, query))
        manager = (found.get(ENTERPRISE) or {}).get("manager")
        if isinstance(manager, dict):
            found[ENTERPRISE]["manager"] = manager.get("value")
        return found


class ManagerClearCrashes(Healthy):
    """https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/652: an empty manager is a null pointer."""

    found_by = "manager.cleared"

    def operation(self, operation: Any) -> Any:
        if str(operation.get("path") or "").endswith("manager") and operation.get("value") == "":
            raise Refusal(500, "NullPointerException")
        return super().operation(operation)


class FilterIgnored(Healthy):
    """https://github.com/langwatch/langwatch/issues/6973: an unsupported filter brings everybody."""

    found_by = "match.external-id"

    def filtered(self, documents: list[Document], text: str) -> list[Document]:
        return super().filtered(documents, text) if text.startswith(("userName", "id", "displayName")) else documents


class NobodyIsMissing(Healthy):
    """https://github.com/jelhub/scimgateway/issues/18: nobody found is answered with 404."""

    found_by = "connect.no-such-user"

    def filtered(self, documents: list[Document], text: str) -> list[Document]:
        found = super().filtered(documents, text)
        if not found:
            raise Refusal(404, "No user was found.")
        return found


class PrefixMatch(Healthy):
    """https://github.com/Metatavu/keycloak-scim-server/issues/67: eq finds whoever begins like that."""

    found_by = "match.exact"

    def equal(self, document: Document, path: str, wanted: str) -> bool:
        if path == "userName":
            return str(document.get("userName")).lower().startswith(wanted.lower())
        return super().equal(document, path, wanted)


class CaseSensitiveName(Healthy):
    """https://github.com/ory/polis/pull/4067: the search tells case apart, the uniqueness does not."""

    found_by = "match.name-case"

    def equal(self, document: Document, path: str, wanted: str) -> bool:
        if path == "userName":
            return document.get("userName") == wanted
        return super().equal(document, path, wanted)


class PagesOverlap(Healthy):
    """https://github.com/wso2/product-is/issues/9957: the start is taken for an offset from zero, and sizes vary."""

    found_by = "paging.pages"

    def page(self, found: list[Document], start: int, count: int) -> list[Document]:
        return found[max(0, start - 3) :][:count]


class TombstoneKept(Healthy):
    """https://github.com/onyx-dot-app/onyx/pull/14074: the name of the recycle bin becomes the login address."""

    found_by = "recycle.restored"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        before = store[id_].get("userName", "")
        changed = await super().patched(store, id_, operations)
        name = changed.get("userName", "")
        if name != before and name.endswith(before) and "emails" in changed:
            changed["emails"] = [{**changed["emails"][0], "value": name}]
        return changed


class RenameMarksDeleted(Healthy):
    """https://github.com/ssoready/ssoready/issues/164: a change of userName marks the person as deleted."""

    found_by = "rename.renamed"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        before = store[id_].get("userName")
        changed = await super().patched(store, id_, operations)
        if store is self.users and changed.get("userName") != before:
            changed["active"] = False
        return changed


class RaceCreatesTwo(Healthy):
    """https://github.com/onyx-dot-app/onyx/pull/12966: looked up, then inserted, and others come between."""

    found_by = "conflict.race"

    async def create(self, store: dict[str, Document], body: Any) -> Response:
        if isinstance(body, dict) and body.get(self.key(store)):
            self.refuse_duplicate(store, body, None)
            await asyncio.sleep(0.001)
            id_ = self.new_id(body)
            store[id_] = {**body, "id": id_}
            return self.replied(self.shown(store[id_], {}), 201)
        return await super().create(store, body)


class DuplicateIsCreated(Healthy):
    """https://github.com/grokability/snipe-it/issues/13854: a repeated create is answered with 201."""

    found_by = "conflict.again"

    def refuse_duplicate(self, store: dict[str, Document], document: Document, own: str | None) -> None:
        """Nothing is refused."""


class CharsetNotUnderstood(Healthy):
    """https://github.com/MicrosoftDocs/azure-docs/issues/12728: a charset in Content-Type leads to an empty body."""

    found_by = "join.charset"

    def body(self, request: Request) -> Any:
        return super().body(request) if "charset" not in request.headers.get("Content-Type", "") else {}


class RenameEmptiesGroup(Healthy):
    """https://github.com/langwatch/langwatch/issues/7131: any replace of a group replaces its members."""

    found_by = "members.other-change"

    async def patched(self, store: dict[str, Document], id_: str, operations: list[Any]) -> Document:
        changed = await super().patched(store, id_, operations)
        for one in operations:
            if store is self.groups and one["op"].lower() == "replace" and not one.get("path"):
                changed["members"] = one["value"].get("members", [])
        return changed


BROKEN = (
    DisableIgnored,
    CapitalOpRefused,
    TextForBoolean,
    DisabledIsHidden,
    EnableRefused,
    PathlessReplacesAll,
    DeleteFails,
    RemovalEmptiesGroup,
    RemovalIgnored,
    LostUpdates,
    MembersNotExcluded,
    GroupCutAtHundred,
    UnknownMemberCrashes,
    NoTarget,
    ElementForEachPart,
    SiblingsDeleted,
    ManagerAsText,
    ManagerClearCrashes,
    FilterIgnored,
    NobodyIsMissing,
    PrefixMatch,
    CaseSensitiveName,
    PagesOverlap,
    TombstoneKept,
    RenameMarksDeleted,
    RaceCreatesTwo,
    DuplicateIsCreated,
    CharsetNotUnderstood,
    RenameEmptiesGroup,
)
