"""Duplicates, wrong ids and wrong requests: the right refusal for each."""

from __future__ import annotations

from functools import partial

from provisor.certify.endpoint import at_once, good, id_of, json_of, read_raw, value_at
from provisor.certify.stories.matching import ids
from provisor.certify.telling import Telling, person, said

_RACES = 4
_AT_ONCE = 4


async def conflict(tell: Telling) -> None:
    endpoint = tell.endpoint
    name = tell.address("ada")
    tell.say("A create is sent a second time.")
    ada = await tell.make("User", person(name, title="First"))
    again = await endpoint.create("User", person(name, title="Second"))
    title = value_at(await endpoint.read("User", ada), "title")
    same = id_of(again) in (None, ada) or not good(again)
    tell.expect("again", not good(again) and same and title != "Second", f"the answer was {said(again)}", again)
    if not good(again):
        tell.expect("status", again.status == 409, f"the answer was {said(again)}", again)
        keyword = str(read_raw(json_of(again), "scimType") or "").lower()
        detail = read_raw(json_of(again), "detail")
        came = f"scimType is {keyword or 'missing'}, detail {'is there' if detail else 'is missing'}"
        tell.expect("scim-type", keyword == "uniqueness" and bool(detail), came, again)
        found = await endpoint.find("User", "userName", name)
        tell.expect("visible", ada in ids(found), "the create conflicts, but the search finds nobody")
    await _races(tell)
    await _rename(tell, ada, name)
    await _ids(tell, ada, name)
    await _bad_input(tell, ada)


async def _races(tell: Telling) -> None:
    endpoint = tell.endpoint
    tell.say(f"The same create, {_AT_ONCE} times at once; {_RACES} rounds.")
    for number in range(_RACES):
        name = tell.address(f"race{number}")
        answers = await at_once([partial(endpoint.create, "User", person(name))] * _AT_ONCE, _AT_ONCE)
        found = await endpoint.find("User", "userName", name)
        broken = next((one for one in answers if one.status is None or one.status >= 500), None)
        made = {id_of(one) for one in answers if good(one)}
        if broken is not None or len(found or []) != 1 or len(made) != 1:
            came = f"{len(made)} creates succeeded, the search finds {len(found or [])}"
            tell.expect("race", False, f"{came}{f'; one answer was {said(broken)}' if broken else ''}", broken)
            return
    tell.expect("race", True)


async def _rename(tell: Telling, ada: str, name: str) -> None:
    endpoint = tell.endpoint
    tell.say("Somebody is to be renamed to a name that is taken.")
    ben = await tell.ask_user("ben")
    exchange = await endpoint.patch(
        "User", ben, {"op": endpoint.dialect.op("replace"), "path": "userName", "value": name}
    )
    kept = value_at(await endpoint.read("User", ben), "userName") == tell.address("ben")
    hers = value_at(await endpoint.read("User", ada), "userName") == name
    came = f"the answer was {said(exchange)}{'' if kept else ', and he has that name now'}"
    tell.expect("rename", exchange.status == 409 and kept and hers, came, exchange)


async def _ids(tell: Telling, ada: str, name: str) -> None:
    endpoint = tell.endpoint
    found = await endpoint.find("User", "userName", name)
    listed = ids(found)
    opened = await endpoint.read("User", listed[0]) if listed else None
    came = f"the list has {listed}, the create had {ada}"
    tell.expect("listed-id", listed == [ada] and opened is not None, came)
    nobody = tell.nobody()
    read = await endpoint.ask("GET", f"/Users/{nobody}")
    operation = {"op": endpoint.dialect.op("replace"), "path": "displayName", "value": "Nobody"}
    patched = await endpoint.patch("User", nobody, operation)
    wrong = next((one for one in (read, patched) if one.status != 404), None)
    what = "" if wrong is None else f"{wrong.method} was answered with {said(wrong)}"
    tell.expect("unknown-id", wrong is None, what, wrong or patched)


async def _bad_input(tell: Telling, ada: str) -> None:
    endpoint = tell.endpoint
    tell.say("Requests that cannot be right.")
    no_name = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "displayName": "No name"}
    answers = [
        await endpoint.ask("POST", "/Users", b"{this is not JSON"),
        await endpoint.ask("POST", "/Users", no_name),
        await endpoint.ask("GET", "/Users?filter=userName+eq"),
        await endpoint.patch("User", ada, {"op": "explode", "path": "title", "value": "x"}),
        await endpoint.ask("PATCH", f"/Users/{ada}", {"nothing": True}),
    ]
    wrong = [one for one in answers if one.status is None or one.status >= 500]
    came = f"{wrong[0].request_line} was answered with {said(wrong[0])}" if wrong else ""
    tell.expect("bad-input", not wrong, came, wrong[0] if wrong else answers[-1])
