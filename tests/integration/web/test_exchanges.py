"""Replays ``tests/exchanges``: what provisioners really send, and the answers that they need.

A file is a list of steps on one fresh company. ``send`` is the request; ``expect`` the answer: its status, and what its
body must hold. In an expected body, an object must hold the named keys (``null``: must not have the key), a list must
be equal in length and element by element, and a text ``$name`` is what an earlier step ``keep`` remembered.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provisor.testing.database import Store

FOLDER = Path(__file__).parents[2] / "exchanges"
FILES = sorted(FOLDER.glob("*/*.json"))
_NAME = re.compile(r"\$([a-z]\w*)")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_only")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_the_exchange_goes_as_the_provisioner_needs(path: Path, scim: Any) -> None:
    exchange = msgspec.json.decode(path.read_bytes())
    assert exchange["source"]
    kept: dict[str, str] = {}
    for number, step in enumerate(exchange["steps"], 1):
        send, expect = _filled(step["send"], kept), _filled(step["expect"], kept)
        reply = await scim(send["method"], f"/scim{send['path']}", send.get("body"))
        where = f"step {number}, {send['method']} {send['path']}: {reply.status} {reply.body.decode()}"
        assert reply.status == expect["status"], where
        if "body" in expect:
            _compare(expect["body"], reply.json, where)
        if expect["status"] == 204:
            assert reply.body == b"", where
        for name, at in step.get("keep", {}).items():
            value = reply.json
            for key in at.split("."):
                value = value[int(key)] if isinstance(value, list) else value[key]
            kept[name] = value


def _filled(value: Any, kept: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _NAME.sub(lambda name: kept.get(name[1], name[0]), value)
    if isinstance(value, list):
        return [_filled(item, kept) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, kept) for key, item in value.items()}
    return value


def _compare(expected: Any, found: Any, where: str) -> None:
    if isinstance(expected, dict):
        assert isinstance(found, dict), where
        for key, value in expected.items():
            if value is None:
                assert key not in found, f"{key} is there; {where}"
            else:
                assert key in found, f"{key} is missing; {where}"
                _compare(value, found[key], where)
    elif isinstance(expected, list):
        assert isinstance(found, list), where
        assert len(found) == len(expected), where
        for one, other in zip(expected, found, strict=True):
            _compare(one, other, where)
    else:
        assert found == expected, f"{found!r} is not {expected!r}; {where}"
        assert type(found) is type(expected), where
