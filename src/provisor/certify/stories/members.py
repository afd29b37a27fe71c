"""Memberships: one at a time, five at once, by every spelling; and a group of more than a hundred."""

from __future__ import annotations

from functools import partial

from provisor.certify.endpoint import at_once, good, id_of, json_of, listed, read_raw
from provisor.certify.telling import Crowd, StoryStopped, Telling, person, said

_CROWD = 103
_BURST = 20
_ROUNDS = 4
_IN_FLIGHT = 5


async def crowd(tell: Telling) -> list[str]:
    """Accounts enough for a large group and for many pages; made once, five at a time. Raises ``StoryStopped``."""
    gathered: Crowd = tell.crowd
    if not gathered.ids:
        tell.say(f"{_CROWD} accounts are created, for a large group and for many pages.")
        names = [f"crowd{number:03}.{tell.lab.run}@{tell.domain}" for number in range(_CROWD)]
        made = await at_once([partial(tell.endpoint.create, "User", person(name)) for name in names], _IN_FLIGHT)
        gathered.ids = [found for found in (id_of(exchange) for exchange in made if good(exchange)) if found]
        if len(gathered.ids) < _CROWD:
            failed = next((exchange for exchange in made if not good(exchange)), None)
            raise StoryStopped(f"Only {len(gathered.ids)} of {_CROWD} accounts could be created: {said(failed)}.")
    return gathered.ids


async def members(tell: Telling) -> None:
    endpoint = tell.endpoint
    ada, ben, cleo = [await tell.ask_user(name) for name in ("ada", "ben", "cleo")]
    group = await tell.ask_group("Sales")
    tell.say("Ada joins the group.")
    exchange = await endpoint.add_members(group, [ada])
    inside = await endpoint.members(group)
    tell.need("one", inside == [ada], f"the answer was {said(exchange)}, and the group has {inside}", exchange)
    for other in (ben, cleo):
        await endpoint.add_members(group, [other])
    await _excluded(tell, group)
    await _removal(tell, group, ada, ben, cleo)
    await _repeats(tell, group, ada, ben)
    await _unknown(tell, group)
    await _spelling(tell, group, cleo)
    await _other_change(tell, group)
    await _bursts(tell)
    await _large(tell)


async def _removal(tell: Telling, group: str, ada: str, ben: str, cleo: str) -> None:
    endpoint = tell.endpoint
    tell.say("Ada leaves the group.")
    exchange = await endpoint.remove_members(group, [ada])
    inside = await endpoint.members(group) or []
    tell.expect("removed", ada not in inside, f"the answer was {said(exchange)}, and she is still in", exchange)
    lost = {ben, cleo} - set(inside)
    tell.expect("only-one-removed", not lost, f"{len(lost)} others are gone as well", exchange)
    await endpoint.patch(
        "Group", group, {"op": "Add", "path": "members", "value": [{"value": one} for one in (ada, ben, cleo)]}
    )
    tell.say('She comes back, and leaves again: members[value eq "…"].')
    exchange = await endpoint.patch("Group", group, {"op": "remove", "path": f'members[value eq "{ada}"]'})
    inside = await endpoint.members(group) or []
    ok = ada not in inside and {ben, cleo} <= set(inside)
    tell.expect("by-path", ok, f"the answer was {said(exchange)}, and {len(inside)} of 2 are in", exchange)


async def _repeats(tell: Telling, group: str, ada: str, ben: str) -> None:
    endpoint = tell.endpoint
    tell.say("Replies get lost, so the same is sent again: an addition, then a removal.")
    first = await endpoint.add_members(group, [ben])
    second = await endpoint.add_members(group, [ben])
    inside = await endpoint.members(group) or []
    bad = next((one for one in (first, second) if not good(one)), None)
    came = f"the answer was {said(bad)}" if bad else "he is no longer in the group"
    tell.expect("twice", bad is None and ben in inside, came, bad or second)
    tell.expect("doubled", inside.count(ben) <= 1, f"the group has Ben {inside.count(ben)} times", second)
    before = sorted(set(inside) - {ada})
    first = await endpoint.remove_members(group, [ada])
    second = await endpoint.remove_members(group, [ada])
    after = sorted(set(await endpoint.members(group) or []))
    bad = next((one for one in (first, second) if not good(one)), None)
    # By the RFC, a selector that selects nobody may be refused with noTarget; the engine knows that one.
    if bad is not None and str(read_raw(json_of(bad), "scimType")).lower() == "notarget":
        bad = None
    came = f"the answer was {said(bad)}" if bad else f"the others changed: {len(before)} before, {len(after)} after"
    tell.expect("gone-twice", bad is None and before == after, came, bad or second)


async def _excluded(tell: Telling, group: str) -> None:
    endpoint = tell.endpoint
    tell.say("Before it changes a group, the identity provider reads it without its members.")
    one = await endpoint.ask("GET", f"/Groups/{group}?excludedAttributes=members")
    name = str(read_raw(json_of(one), "displayName") or "")
    shown = [read_raw(json_of(one), "members")]
    found = await endpoint.find("Group", "displayName", name)
    shown += [read_raw(item, "members") for item in found or []]
    came = "members are shown" if found else f"the search for {name!r} gave {said(endpoint.last)}"
    tell.expect("excluded", good(one) and bool(found) and not any(shown), came, one if shown[0] else endpoint.last)


async def _unknown(tell: Telling, group: str) -> None:
    endpoint = tell.endpoint
    tell.say("Somebody who does not exist is to join.")
    before = sorted(await endpoint.members(group) or [])
    exchange = await endpoint.patch(
        "Group", group, {"op": endpoint.dialect.op("add"), "path": "members", "value": [{"value": tell.nobody()}]}
    )
    after = sorted(await endpoint.members(group) or [])
    refused = exchange.status is not None and 400 <= exchange.status < 500
    # Endpoints that keep the id for later are within the RFC: reported, as long as nobody else is touched.
    kept = good(exchange) and set(before) <= set(after)
    ok = (refused and before == after) or kept
    came = (
        f"the answer was {said(exchange)}" if before == after else f"the group had {len(before)}, it has {len(after)}"
    )
    tell.expect("unknown", ok, came, exchange)
    if kept and before != after:
        tell.say("The endpoint keeps members that it does not know: within the RFC, but nothing will ever clear them.")
        for id_ in set(after) - set(before):
            await endpoint.remove_members(group, [id_])


async def _spelling(tell: Telling, group: str, cleo: str) -> None:
    endpoint = tell.endpoint
    for path in ("Members", "urn:ietf:params:scim:schemas:core:2.0:Group:members"):
        await endpoint.remove_members(group, [cleo])
        exchange = await endpoint.patch("Group", group, {"op": "Add", "path": path, "value": [{"value": cleo}]})
        inside = await endpoint.members(group) or []
        if cleo not in inside:
            silent = good(exchange)
            came = f"{path} was answered with {said(exchange)}{', and nothing happened' if silent else ''}"
            tell.expect("spelling", not silent, came, exchange)
            await endpoint.add_members(group, [cleo])
            if silent:
                return
    tell.expect("spelling", True)


async def _other_change(tell: Telling, group: str) -> None:
    endpoint = tell.endpoint
    before = sorted(await endpoint.members(group) or [])
    tell.say("Something else of the group changes, without a path.")
    exchange = await endpoint.patch("Group", group, {"op": "replace", "value": {"externalId": f"x-{tell.lab.run}"}})
    after = sorted(await endpoint.members(group) or [])
    tell.expect("other-change", before == after, f"it had {len(before)} members, it has {len(after)}", exchange)


async def _bursts(tell: Telling) -> None:
    endpoint = tell.endpoint
    people = (await crowd(tell))[:_BURST]
    group = await tell.ask_group("Burst")
    tell.say(
        f"{_BURST} people join, one a PATCH, {_IN_FLIGHT} of them under way at once; then they leave; {_ROUNDS} times."
    )
    lost = stayed = 0
    for _ in range(_ROUNDS):
        await at_once([partial(endpoint.add_members, group, [one]) for one in people], _IN_FLIGHT)
        inside = await endpoint.members(group) or []
        lost += len(set(people) - set(inside))
        await at_once([partial(endpoint.remove_members, group, [one]) for one in people], _IN_FLIGHT)
        stayed += len(await endpoint.members(group) or [])
    came = f"of {_BURST * _ROUNDS} additions {lost} were lost, of as many removals {stayed}"
    tell.expect("five-at-once", not lost and not stayed, came)
    tell.say("The same people join one after another, each as soon as the last answer is there.")
    if stayed:
        group = await tell.ask_group("Sequence")
    for one in people:
        await endpoint.add_members(group, [one])
    inside = await endpoint.members(group) or []
    tell.expect("one-after-another", set(inside) == set(people), f"{len(inside)} of {len(people)} are in the group")


async def _large(tell: Telling) -> None:
    endpoint = tell.endpoint
    people = await crowd(tell)
    group = await tell.ask_group("Large")
    tell.say(f"A group of {len(people)}: all but one at once, then one more.")
    operation = {"op": "add", "path": "members", "value": [{"value": one} for one in people[:-1]]}
    exchange = await endpoint.patch("Group", group, operation)
    if not good(exchange):
        for at in range(0, len(people) - 1, 50):
            await endpoint.add_members(group, people[:-1][at : at + 50])
    exchange = await endpoint.add_members(group, [people[-1]])
    inside = await endpoint.members(group) or []
    lost = set(people) - set(inside)
    came = f"the answer was {said(exchange)}; {len(inside)} of {len(people)} are in the group"
    tell.expect("large", not lost, came, exchange)
    shown = read_raw(json_of(exchange), "members")
    tell.expect("small-answer", not shown, f"{len(shown or [])} members came back", exchange)
    found = listed(await endpoint.ask("GET", "/Groups?startIndex=1&count=1&excludedAttributes=members"))
    if found is None:
        tell.say("A list of groups without members could not be read.")
