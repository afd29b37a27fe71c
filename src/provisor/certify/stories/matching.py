"""Does it find the accounts that exist, and only these?"""

from __future__ import annotations

import uuid

from provisor.certify.endpoint import Json, listed, value_at
from provisor.certify.telling import Telling, person, said


def ids(found: list[Json] | None) -> list[str]:
    return [str(one.get("id")) for one in found or []]


async def match(tell: Telling) -> None:
    endpoint = tell.endpoint
    name = tell.address("kim")
    tell.say(f"There is an account whose name begins like that of a new person: {name}.test.")
    longer = await tell.make("User", person(f"{name}.test"))
    await tell.make("User", person(tell.address("akim")))
    found = await endpoint.find("User", "userName", str(uuid.uuid4()))
    tell.expect("nobody", found == [], _brought(found, said(endpoint.last)))
    found = await endpoint.find("User", "userName", name)
    tell.expect("exact", longer not in ids(found), f"the search for {name} found {name}.test")
    found = await endpoint.filtered("User", 'certifyNonsense eq "x"')
    refused = endpoint.last is not None and endpoint.last.status == 400
    tell.expect("unknown-attribute", refused or found == [], _brought(found, said(endpoint.last)))
    tell.say("Now the person has an account of that very name, made by hand. It is looked for in every way.")
    kim = await tell.make("User", person(name, externalId=f"certify-{tell.lab.run}"))
    await _ways(tell, kim, name)
    await _special(tell)
    await _adopted(tell)


async def _ways(tell: Telling, kim: str, name: str) -> None:
    endpoint = tell.endpoint
    ways = (
        ("user-name", "userName", name),
        ("external-id", "externalId", f"certify-{tell.lab.run}"),
        ("work-email", 'emails[type eq "work"].value', name),
        ("name-case", "userName", name.upper()),
        ("attribute-case", "USERNAME", name),
    )
    for rule, attribute, value in ways:
        found = await endpoint.find("User", attribute, value)
        tell.expect(rule, ids(found) == [kim], _found(found, said(endpoint.last), kim))
    text = f'userName eq "{name}"'.replace('"', "%22").replace("@", "%40")
    answers = [listed(await endpoint.ask("GET", f"/Users?filter={text.replace(' ', space)}")) for space in ("+", "%20")]
    wrong = [space for space, found in zip(("+", "%20"), answers, strict=True) if ids(found) != [kim]]
    tell.expect("spaces", not wrong, f"with {' and '.join(wrong)} it was not found")


async def _special(tell: Telling) -> None:
    name = tell.address("o'neil+zoë")
    exchange = await tell.endpoint.create("User", person(name))
    if exchange.status not in (200, 201):
        tell.leave_out("special", f"The endpoint takes no such user name ({said(exchange)}).")
        return
    found = await tell.endpoint.find("User", "userName", name)
    tell.expect("special", len(found or []) == 1, f"{name} was not found ({said(tell.endpoint.last)})")


async def _adopted(tell: Telling) -> None:
    endpoint = tell.endpoint
    tell.say(
        "The first cycle meets somebody who has an account already: it is to be taken over, and brought up to date."
    )
    world = await tell.world()
    name = world.address("ines")
    theirs = await tell.make("User", person(name))
    ines = await world.person("ines", jobTitle="Engineer")
    await world.cycle()
    found = await endpoint.find("User", "userName", name)
    linked = await world.target_id(ines.id)
    came = f"the search finds {len(found or [])} accounts, and {'another one' if linked else 'none'} was linked"
    troubles = await world.troubles(ines.id)
    tell.expect("adopted", ids(found) == [theirs] and linked == theirs, f"{came}. {' '.join(troubles[:1])}".strip())
    if linked == theirs and value_at(await endpoint.read("User", theirs), "title") != "Engineer":
        tell.say("It was linked, but its title was not brought up to date: see the story of changes.")


def _brought(found: list[Json] | None, answer: str) -> str:
    return f"the answer was {answer}" if found is None else f"it brought {len(found)} accounts"


def _found(found: list[Json] | None, answer: str, wanted: str) -> str:
    if found is None:
        return f"the answer was {answer}"
    if not found:
        return "nobody was found"
    return f"it found {len(found)} accounts" + ("" if wanted in ids(found) else ", and not the right one")
