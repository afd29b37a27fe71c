"""New people and a new group: the first cycle in two passes, objects before references."""

from __future__ import annotations

from typing import Any

from provisor.certify.endpoint import good, id_of, read_raw, value_at
from provisor.certify.lab import World
from provisor.certify.telling import Telling, said
from provisor.connector.paths import ENTERPRISE, GROUP, USER
from provisor.directory.model import Group, User

_MANAGER = f"{ENTERPRISE}:manager"
_ADSCIM = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"


async def join(tell: Telling) -> None:
    await _bodies(tell)
    if tell.capabilities.groups:
        await _groups(tell)
    else:
        tell.leave_out("group", "The endpoint has no /Groups.")
    tell.say("Ada leads Ben and Cleo. All three are assigned, and provisioning is switched on.")
    world = await tell.world()
    ada = await world.person(
        "Ada",
        jobTitle="Head of Sales",
        department="Sales",
        employeeId="701984",
        mobilePhone="+43 1 5550100",
        city="Vienna",
        country="AT",
        preferredLanguage="en-US",
    )
    ben = await world.person("Ben", jobTitle="Sales")
    cleo = await world.person("Cleo")
    people = [ada, ben, cleo]
    for report in (ben, cleo):
        await world.set_manager(report, ada)
    group = await world.group("Sales", people) if tell.capabilities.groups else None
    await world.cycle()
    await _accounts(tell, world, people)
    await _references(tell, world, ada, ben, group, people)
    await _quiet(tell, world)


async def _bodies(tell: Telling) -> None:
    """Three spellings of one create, so that the one that is not understood can be named."""
    endpoint = tell.endpoint
    plain: dict[str, Any] = {"schemas": [USER], "userName": tell.address("plain"), "active": True}
    plain |= {"name": {"givenName": "Plain", "familyName": "Certify"}, "displayName": "Plain Certify"}
    plain |= {"emails": [{"type": "work", "value": plain["userName"], "primary": True}]}
    bare = {"Content-Type": "application/scim+json"}
    tell.say("A user is created: plainly, then with the media type and the schemas that the identity provider sends.")
    exchange = await endpoint.ask("POST", "/Users", plain, headers=bare)
    came = f"the answer was {said(exchange)}"
    tell.need("plain", exchange.status == 201 and id_of(exchange) is not None, came, exchange)
    charset = {"Content-Type": "application/scim+json; charset=utf-8"}
    body = {**plain, "userName": tell.address("charset")}
    body["emails"] = [{"type": "work", "value": body["userName"], "primary": True}]
    exchange = await endpoint.ask("POST", "/Users", body, headers=charset)
    same = good(exchange) and await _is_called(tell, id_of(exchange), body["userName"])
    tell.expect("charset", same, f"the answer was {said(exchange)}", exchange)
    body = {
        **plain,
        "userName": tell.address("schemas"),
        "schemas": [USER, ENTERPRISE],
        "meta": {"resourceType": "User"},
    }
    body["emails"] = [{"type": "work", "value": body["userName"], "primary": True}]
    exchange = await endpoint.ask("POST", "/Users", body, headers=bare)
    tell.expect("extra-schemas", good(exchange), f"the answer was {said(exchange)}", exchange)


async def _is_called(tell: Telling, id_: str | None, name: str) -> bool:
    return id_ is not None and value_at(await tell.endpoint.read("User", id_), "userName") == name


async def _groups(tell: Telling) -> None:
    tell.say("Groups are created empty: without members, with an empty list, and with a second schema.")
    for name, extra in (("bare", {}), ("empty", {"members": []}), ("second", {"schemas": [GROUP, _ADSCIM]})):
        body = {"schemas": [GROUP], "displayName": tell.title(name), "meta": {"resourceType": "Group"}, **extra}
        exchange = await tell.endpoint.ask("POST", "/Groups", body)
        if not (good(exchange) and id_of(exchange)):
            tell.expect("group", False, f"the form {name!r} was answered with {said(exchange)}", exchange)
            return
    tell.expect("group", True)


async def _accounts(tell: Telling, world: World, people: list[User]) -> None:
    endpoint = tell.endpoint
    linked: dict[str, str] = {}
    for user in people:
        target = await world.target_id(user.id)
        if target is not None and await endpoint.read("User", target) is not None:
            linked[user.id] = target
    missing = [user for user in people if user.id not in linked]
    reasons = [reason for user in missing for reason in (await world.troubles(user.id))[:1]]
    if (cause := await world.quarantine()) is not None:
        reasons.append(f"the job is in quarantine: {cause}")
    came = f"{len(missing)} of {len(people)} have none. {' '.join(reasons[:2])}".strip()
    tell.need("created", not missing, came)
    doubled = []
    for user in people:
        found = await endpoint.find("User", "userName", user.user_principal_name)
        if len(found or []) != 1:
            doubled.append(f"{user.user_principal_name} is found {len(found or [])} times")
    tell.expect("once", not doubled, "; ".join(doubled))
    ada = people[0]
    shown = await endpoint.read("User", linked[ada.id])
    exchange = endpoint.last
    wanted: dict[str, Any] = {
        "userName": ada.user_principal_name,
        "displayName": "Ada Certify",
        "title": "Head of Sales",
        "name.givenName": "Ada",
        "name.familyName": "Certify",
        'emails[type eq "work"].value': ada.user_principal_name,
        'phoneNumbers[type eq "mobile"].value': "+43 1 5550100",
        'addresses[type eq "work"].locality': "Vienna",
        f"{ENTERPRISE}:department": "Sales",
        f"{ENTERPRISE}:employeeNumber": "701984",
    }
    lost = [f"{path} is {value_at(shown, path)!r}" for path, value in wanted.items() if value_at(shown, path) != value]
    tell.expect("values", not lost, "; ".join(lost[:4]), exchange)
    active = read_raw(shown or {}, "active")
    if tell.capabilities.soft_delete:
        tell.expect("active", active is True, f"active is {active!r}", exchange)
    else:
        tell.leave_out("active", "The endpoint has no attribute active.")


async def _references(
    tell: Telling, world: World, ada: User, ben: User, group: Group | None, people: list[User]
) -> None:
    endpoint = tell.endpoint
    tell.say("The second pass: managers and members, now that both ends exist.")
    ids = {user.id: await world.target_id(user.id) for user in people}
    if tell.has_manager:
        shown = await endpoint.read("User", ids[ben.id] or "")
        value = value_at(shown, _MANAGER)
        trouble = " ".join((await world.troubles(ben.id))[:1])
        came = f"Ben's manager is {value!r}, not {ids[ada.id]!r}. {trouble}".strip()
        tell.expect("manager", value == ids[ada.id], came)
    else:
        tell.leave_out("manager", "The endpoint has no manager.")
    if group is None:
        tell.leave_out("members", "The endpoint has no /Groups.")
        return
    target = await world.target_id(group.id)
    members = await endpoint.members(target) if target else None
    trouble = " ".join((await world.troubles(group.id))[:1])
    wanted = sorted(filter(None, ids.values()))
    came = f"it has {len(members or [])} of {len(wanted)}. {trouble}".strip()
    tell.expect("members", sorted(members or []) == wanted, came)


async def _quiet(tell: Telling, world: World) -> None:
    if any(check.verdict == "broken" for check in tell.told.checks):
        tell.leave_out("quiet", "What failed above is tried again.")
        return
    tell.say("The job is restarted: everybody is looked at anew, and nothing has changed.")
    mark = tell.endpoint.recorder.mark()
    await world.look_again()
    writes = [one for one in tell.endpoint.recorder.since(mark) if one.method != "GET"]
    came = f"{len(writes)} requests were sent, the first was {writes[0].request_line}" if writes else ""
    tell.expect("quiet", not writes, came, writes[0] if writes else None)
