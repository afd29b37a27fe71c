"""Short ways to check and patch documents; the tests say what, these say how."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from provisor.scim.dialect import dialect
from provisor.scim.patch import Patched, compile_patcher
from provisor.scim.schemas import ENTERPRISE_USER_URN, GROUP_URN, USER_URN, core
from provisor.scim.validate import Checked, compile_validator

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture
def ada() -> dict[str, Any]:
    """A stored user with two e-mail addresses, the one at home primary."""
    return {
        "schemas": [USER_URN, ENTERPRISE_USER_URN],
        "id": "ua",
        "userName": "ada@example.com",
        "name": {"givenName": "Ada", "familyName": "Byron", "formatted": "Ada Byron"},
        "emails": [
            {"type": "work", "value": "ada@work.example"},
            {"type": "home", "value": "ada@home.example", "primary": True},
        ],
        ENTERPRISE_USER_URN: {"department": "Engines"},
        "meta": {"resourceType": "User", "created": "2026-01-01T00:00:00.000Z"},
    }


@pytest.fixture
def sales() -> dict[str, Any]:
    return {"schemas": [GROUP_URN], "id": "g1", "displayName": "Sales"}


Apply = Callable[..., Patched]


@pytest.fixture
def patch() -> Apply:
    """``patch(document, *operations, by="entra")``; the document tells its type. Checks that it stays as it is."""

    def apply(document: dict[str, Any], *operations: dict[str, Any], by: str = "entra") -> Patched:
        kind = "Group" if GROUP_URN in document["schemas"] else "User"
        before = copy.deepcopy(document)
        try:
            body = {"schemas": [PATCH_OP], "Operations": list(operations)}
            return compile_patcher(core(), kind, dialect(by)).apply(document, body)
        finally:
            assert document == before

    return apply


@pytest.fixture
def create() -> Callable[..., Checked]:
    def check(body: Any, kind: str = "User", by: str = "entra") -> Checked:
        return compile_validator(core(), kind, dialect(by)).create(body)

    return check


@pytest.fixture
def replace() -> Callable[..., Checked]:
    def check(current: dict[str, Any], body: Any, kind: str = "User", by: str = "entra") -> Checked:
        return compile_validator(core(), kind, dialect(by)).replace(current, body)

    return check
