"""Attributes change: every shape in which a change comes, and nothing else touched."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from provisor.certify.endpoint import Json, good, json_of, read_raw, value_at
from provisor.certify.telling import Telling, person, said
from provisor.connector.paths import ENTERPRISE

_WORK = 'emails[type eq "work"].value'
_LOCALITY = 'addresses[type eq "work"].locality'


async def change(tell: Telling) -> None:
    endpoint = tell.endpoint
    tell.say("The directory changes: a title, then a name with its address, in one PATCH.")
    world = await tell.world()
    ada = await world.person("Ada", jobTitle="Engineer")
    await world.cycle()
    account = await world.target_id(ada.id)
    if account is None:
        tell.stop("Ada has no account: see the story of the first cycle.")
    await world.change(ada, jobTitle="Chief Engineer")
    await world.cycle()
    value = value_at(await endpoint.read("User", account), "title")
    sent = next((one for one in reversed(endpoint.recorder.exchanges) if one.method in ("PATCH", "PUT")), None)
    tell.expect("applied", value == "Chief Engineer", f"the answer was {said(sent)}, and title is {value!r}", sent)
    address = world.address("ada.lake")
    await world.change(ada, givenName="Adah", surname="Lake", displayName="Adah Lake", mail=address)
    await world.cycle()
    shown = await endpoint.read("User", account)
    wanted = {"name.givenName": "Adah", "name.familyName": "Lake", "displayName": "Adah Lake", _WORK: address}
    sent = next((one for one in reversed(endpoint.recorder.exchanges) if one.method in ("PATCH", "PUT")), None)
    lost = [f"{path} is {value_at(shown, path)!r}" for path, value in wanted.items() if value_at(shown, path) != value]
    tell.expect("several", not lost, f"the answer was {said(sent)}; {'; '.join(lost)}", sent)
    await _op_case(tell)
    await _elements(tell)
    await _extension(tell)
    await _without_path(tell)
    await _faults(tell)


async def _op_case(tell: Telling) -> None:
    ada = await tell.ask_user("cases")
    for number, op in enumerate(("replace", "Replace", "REPLACE")):
        wanted = f"Case {number}"
        exchange = await tell.endpoint.patch("User", ada, {"op": op, "path": "displayName", "value": wanted})
        value = value_at(await tell.endpoint.read("User", ada), "displayName")
        if value != wanted:
            tell.expect("op-case", False, f"{op} was answered with {said(exchange)}; the value is {value!r}", exchange)
            return
    tell.expect("op-case", True)


async def _elements(tell: Telling) -> None:
    endpoint = tell.endpoint
    tell.say("A town for somebody without an address; three parts of one address at once; an address beside another.")
    ben = await tell.ask_user("ben")
    for op, name, town in (("Add", "ben", "Graz"), ("Replace", "bert", "Linz")):
        who = ben if name == "ben" else await tell.ask_user(name)
        exchange = await endpoint.patch("User", who, {"op": op, "path": _LOCALITY, "value": town})
        value = value_at(await endpoint.read("User", who), _LOCALITY)
        if value != town:
            came = f"{op} was answered with {said(exchange)}, and the town is {value!r}"
            tell.expect("missing-element", False, came, exchange)
            break
    else:
        tell.expect("missing-element", True)
    carl = await tell.ask_user("carl")
    parts = {"formatted": "Office 3", "locality": "Wels", "region": "OÖ"}
    operations = [
        {"op": "Add", "path": f'addresses[type eq "work"].{name}', "value": text} for name, text in parts.items()
    ]
    exchange = await endpoint.patch("User", carl, *operations)
    addresses = _of_type(await endpoint.read("User", carl), "addresses", "work")
    whole = len(addresses) == 1 and all(read_raw(addresses[0], name) == text for name, text in parts.items())
    tell.expect("one-element", whole, f"the answer was {said(exchange)}; there are {len(addresses)} of them", exchange)
    await _siblings(tell)
    await _orders(tell)


async def _siblings(tell: Telling) -> None:
    endpoint = tell.endpoint
    name = tell.address("dora")
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "emails": [{"type": "work", "value": name, "primary": True}, {"type": "home", "value": f"home.{name}"}],
    }
    exchange = await endpoint.ask("POST", "/Users", body)
    dora = json_of(exchange).get("id")
    before = _of_type(await endpoint.read("User", str(dora)), "emails", "home") if good(exchange) else []
    if not before:
        tell.leave_out("siblings", "The endpoint keeps one address only.")
        tell.leave_out("one-primary", "The endpoint keeps one address only.")
        return
    exchange = await endpoint.patch("User", str(dora), {"op": "Replace", "path": _WORK, "value": f"new.{name}"})
    shown = await endpoint.read("User", str(dora))
    home = _of_type(shown, "emails", "home")
    changed = value_at(shown, _WORK) == f"new.{name}"
    came = f"the answer was {said(exchange)}; the home address is {read_raw(home[0], 'value') if home else 'gone'}"
    tell.expect("siblings", changed and home == before, came, exchange)
    exchange = await endpoint.patch(
        "User", str(dora), {"op": "Add", "path": 'emails[type eq "home"].primary', "value": True}
    )
    emails = read_raw(await endpoint.read("User", str(dora)) or {}, "emails") or []
    primaries = sum(isinstance(one, dict) and read_raw(one, "primary") is True for one in emails)
    tell.expect("one-primary", primaries <= 1, f"{primaries} are primary", exchange)


async def _orders(tell: Telling) -> None:
    endpoint = tell.endpoint
    address = tell.address("order")
    parts = {"primary": "true", "type": "work", "value": address}
    for number, order in enumerate(permutations(parts)):
        who = await tell.make("User", {"userName": tell.address(f"order{number}")})
        before = set(await endpoint.read("User", who) or {})
        for name in order:
            operation = {"op": "Add", "path": f'emails[type eq "work"].{name}', "value": parts[name]}
            exchange = await endpoint.patch("User", who, operation)
        shown = await endpoint.read("User", who) or {}
        emails = _of_type(shown, "emails", "work")
        strange = set(shown) - before - {"emails", "meta", "schemas"}
        if len(emails) != 1 or read_raw(emails[0], "value") != address or strange:
            came = f"with {', '.join(order)} there are {len(emails)} work addresses"
            extra = f", and {', '.join(sorted(strange))} appeared" if strange else ""
            tell.expect("element-order", False, f"{came}{extra} ({said(exchange)})", exchange)
            return
    tell.expect("element-order", True)


async def _extension(tell: Telling) -> None:
    endpoint = tell.endpoint
    tell.say("A department for somebody who had no enterprise attributes.")
    emil = await tell.ask_user("emil")
    values = {"department": "Ops", "employeeNumber": "42"}
    exchange = None
    for (name, text), op in zip(values.items(), ("Add", "Replace"), strict=True):
        exchange = await endpoint.patch("User", emil, {"op": op, "path": f"{ENTERPRISE}:{name}", "value": text})
    shown = await endpoint.read("User", emil)
    lost = [name for name, text in values.items() if value_at(shown, f"{ENTERPRISE}:{name}") != text]
    tell.expect("extension", not lost, f"{', '.join(lost)} did not arrive ({said(exchange)})", exchange)


async def _without_path(tell: Telling) -> None:
    endpoint = tell.endpoint
    tell.say("With the flag, plain attributes come in one operation without a path, under dotted and URN keys.")
    fay = await tell.ask_user("fay", title="Analyst", name_formatted="Fay Certify")
    value = {"displayName": "Fay L", "name.givenName": "Fayette", f"{ENTERPRISE}:employeeNumber": "7"}
    exchange = await endpoint.patch("User", fay, {"op": "replace", "value": value})
    shown = await endpoint.read("User", fay)
    wanted = {**value, "name.familyName": "Certify", "title": "Analyst"}
    lost = [f"{path} is {value_at(shown, path)!r}" for path, text in wanted.items() if value_at(shown, path) != text]
    strange = [key for key in shown or {} if "." in key and not key.lower().startswith("urn:")]
    lost += [f"there is a key {key!r}" for key in strange]
    tell.expect("without-path", not lost, f"the answer was {said(exchange)}; {'; '.join(lost)}", exchange)


async def _faults(tell: Telling) -> None:
    endpoint = tell.endpoint
    tell.say(
        "A mapping names an attribute that the endpoint lacks; a change fails in its second half; roles come as text."
    )
    gus, taken = await tell.ask_user("gus", title="Clerk"), tell.address("taken")
    await tell.make("User", person(taken))
    posted = await endpoint.ask("POST", "/Users", {**_minimal(tell.address("extra")), "certifyUnknown": "x"})
    operations = [
        {"op": "Add", "path": "certifyUnknown", "value": "x"},
        {"op": "Replace", "path": "title", "value": "Boss"},
    ]
    patched = await endpoint.patch("User", gus, *operations)
    came = f"POST was answered with {said(posted)}, PATCH with {said(patched)}"
    tell.expect("unknown-attribute", good(posted) == good(patched), came, patched)
    before = value_at(await endpoint.read("User", gus), "title")
    operations = [
        {"op": "Replace", "path": "title", "value": "Half"},
        {"op": "Replace", "path": "userName", "value": taken},
    ]
    exchange = await endpoint.patch("User", gus, *operations)
    after = value_at(await endpoint.read("User", gus), "title")
    tell.expect(
        "atomic", good(exchange) or after == before, f"it failed ({said(exchange)}), and title is {after!r}", exchange
    )
    role = '{"id":"r1","value":"editor","displayName":"Editor"}'
    exchange = await endpoint.patch("User", gus, {"op": "Add", "path": "roles", "value": [{"value": role}]})
    ok = exchange.status is not None and exchange.status < 500
    tell.expect("roles-text", ok, f"the answer was {said(exchange)}", exchange)


def _minimal(user_name: str) -> Json:
    return {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": user_name, "active": True}


def _of_type(document: Json | None, name: str, kind: str) -> list[Any]:
    found = read_raw(document or {}, name)
    items = found if isinstance(found, list) else []
    return [one for one in items if isinstance(one, dict) and str(read_raw(one, "type")).lower() == kind]
