"""Who leaves: unassigned, deleted, restored, purged; and who comes back."""

from __future__ import annotations

from typing import Any

from provisor.certify.endpoint import good, read_raw, value_at
from provisor.certify.lab import World
from provisor.certify.stories.matching import ids
from provisor.certify.telling import Telling, said
from provisor.connector.paths import ENTERPRISE
from provisor.directory.model import User


async def leaver(tell: Telling) -> None:
    endpoint = tell.endpoint
    world = await tell.world()
    ada = await world.person("Ada", jobTitle="Engineer", department="R&D")
    await world.cycle()
    account = await _account(tell, world, ada)
    before = await endpoint.read("User", account)
    tell.say("Ada is no longer assigned to the app.")
    mark = endpoint.recorder.mark()
    await world.unassign(ada.id)
    await world.cycle()
    if not tell.capabilities.soft_delete:
        gone = await endpoint.read("User", account) is None
        tell.expect("deleted", gone, "the account is still there")
        return
    sent = next((one for one in endpoint.recorder.since(mark) if one.method in ("PATCH", "PUT")), None)
    shown = await endpoint.read("User", account)
    read = endpoint.last
    active = read_raw(shown, "active") if shown else None
    found = await endpoint.find("User", "userName", ada.user_principal_name)
    if shown is None and found == []:
        # It is gone: the leaver has no access, but see the next rule.
        tell.expect("disabled", sent is not None and good(sent), f"the answer was {said(sent)}", sent)
    else:
        came = f"the answer was {said(sent)}, and active is {active!r} when read again"
        tell.expect("disabled", active is False, came, sent)
    came = f"reading it gives {said(read) if shown is None else 'the account'}, its name finds {len(found or [])}"
    tell.expect("visible", shown is not None and ids(found) == [account], came, read)
    if shown is not None:
        operation = {"op": endpoint.dialect.op("replace"), "path": "active", "value": _false(tell)}
        again = await endpoint.patch("User", account, operation)
        tell.expect("again", good(again), f"the answer was {said(again)}", again)
    tell.say("Ada is assigned again.")
    await world.assign(ada.id, "User")
    await world.cycle()
    await _back(tell, world, ada, account, before)
    await _blocked(tell, world)
    await _shapes(tell)


async def _blocked(tell: Telling, world: World) -> None:
    """Blocked in the directory for a while, as a member of a group."""
    if not tell.capabilities.groups:
        return
    endpoint = tell.endpoint
    tell.say("Ben, who is in a group, is blocked in the directory for a week, and comes back.")
    ben, cleo = await world.person("Ben"), await world.person("Cleo")
    group = await world.group("Crew", [ben, cleo])
    await world.cycle()
    target, wanted = await world.target_id(group.id), {await world.target_id(user.id) for user in (ben, cleo)}
    if target is None or None in wanted or set(await endpoint.members(target) or []) != wanted:
        tell.stop("The group did not come about: see the story of the first cycle.")
    await world.change(ben, accountEnabled=False)
    await world.cycle()
    await world.change(ben, accountEnabled=True)
    await world.cycle()
    lost = wanted - set(await endpoint.members(target) or [])
    shown = await endpoint.read("User", await world.target_id(ben.id) or "")
    came = f"{len(lost)} of 2 are no longer in the group, Ben's active is {read_raw(shown or {}, 'active')!r}"
    tell.expect("intact", not lost and read_raw(shown or {}, "active") is True, came)


async def _account(tell: Telling, world: World, user: User) -> str:
    account = await world.target_id(user.id)
    if account is None:
        trouble = " ".join((await world.troubles(user.id))[:1]) or await world.quarantine() or ""
        tell.stop(f"{user.user_principal_name} has no account. {trouble}".strip())
    return account


async def _back(tell: Telling, world: World, user: User, account: str, before: dict[str, Any] | None) -> None:
    endpoint = tell.endpoint
    linked = await world.target_id(user.id)
    shown = await endpoint.read("User", account)
    active = read_raw(shown, "active") if shown else None
    trouble = " ".join((await world.troubles(user.id))[:1])
    came = f"active is {active!r}" if linked == account else f"the account is {linked} now, it was {account}"
    tell.expect("returned", linked == account and active is True, f"{came}. {trouble}".strip())
    paths = ("userName", "title", "name.givenName", 'emails[type eq "work"].value', f"{ENTERPRISE}:department")
    lost = [path for path in paths if value_at(before, path) is not None and value_at(shown, path) is None]
    tell.expect("intact", not lost, f"{', '.join(lost)} is gone")


def _false(tell: Telling) -> Any:
    return "False" if tell.endpoint.dialect.booleans == "text" else False


async def _shapes(tell: Telling) -> None:
    """Every spelling of a disable that has been seen."""
    endpoint = tell.endpoint
    tell.say("Other jobs say it otherwise: as a text in either case, as a boolean, and without a path.")
    dora = await tell.ask_user("dora", title="Lead")
    for value in ("False", "false", False):
        await endpoint.patch("User", dora, {"op": "replace", "path": "active", "value": True})
        exchange = await endpoint.patch("User", dora, {"op": "Replace", "path": "active", "value": value})
        shown = read_raw(await endpoint.read("User", dora) or {}, "active")
        if shown is not False:
            came = f"{value!r} was answered with {said(exchange)}, and active is {shown!r} when read again"
            tell.expect("shapes", False, came, exchange)
            break
    else:
        tell.expect("shapes", True)
    await endpoint.patch("User", dora, {"op": "replace", "path": "active", "value": True})
    before = await endpoint.read("User", dora)
    exchange = await endpoint.patch("User", dora, {"op": "replace", "value": {"active": False}})
    after = await endpoint.read("User", dora)
    kept = [path for path in ("userName", "title", "displayName") if value_at(before, path) != value_at(after, path)]
    disabled = read_raw(after or {}, "active") is False
    came = f"the answer was {said(exchange)}, active is {read_raw(after or {}, 'active')!r}"
    tell.expect("without-path", disabled and not kept, f"{came}{f', and {kept[0]} changed' if kept else ''}", exchange)


async def recycle(tell: Telling) -> None:
    endpoint = tell.endpoint
    world = await tell.world()
    ada = await world.person("Ada", jobTitle="Engineer")
    ben = await world.person("Ben")
    if tell.has_manager:
        await world.set_manager(ben, ada)
    group = await world.group("Guild", [ada, ben]) if tell.capabilities.groups else None
    await world.cycle()
    account = await _account(tell, world, ada)
    tell.say("Ada is deleted in the directory. For 30 days she is in the recycle bin, with her id before her name.")
    await world.delete(ada)
    await world.cycle()
    if tell.capabilities.soft_delete:
        shown = await endpoint.read("User", account)
        active = read_raw(shown, "active") if shown else None
        trouble = " ".join((await world.troubles(ada.id))[:1])
        tell.expect("disabled", active is False, f"active is {active!r}. {trouble}".strip())
        tell.say("It was a mistake: she is restored.")
        await world.restore(ada)
        await world.cycle()
        await _restored(tell, world, ada, account)
        await world.delete(ada)
        await world.cycle()
        tell.say("She is deleted again, and 30 days pass.")
        await world.purge_after_30_days()
        await world.cycle()
    gone = await endpoint.read("User", account) is None
    sent = next((one for one in reversed(endpoint.recorder.exchanges) if one.method == "DELETE"), None)
    found = await endpoint.find("User", "userName", ada.user_principal_name)
    came = f"the answer to DELETE was {said(sent)}" if sent else "no DELETE was reached"
    if tell.expect("deleted", gone and not ids(found), f"{came}, and the account is still there", sent):
        again = await endpoint.delete("User", account)
        tell.expect("deleted-again", again.status == 404, f"the answer was {said(again)}", again)
        await _no_ghosts(tell, world, account, ben, group.id if group else None)


async def _restored(tell: Telling, world: World, ada: User, account: str) -> None:
    endpoint = tell.endpoint
    linked = await world.target_id(ada.id)
    found = await endpoint.find("User", "userName", ada.user_principal_name)
    shown = await endpoint.read("User", account)
    email = value_at(shown, 'emails[type eq "work"].value')
    faults = []
    if linked != account:
        faults.append(f"the account is {linked} now, it was {account}")
    if ids(found) != [account]:
        faults.append(f"her name finds {len(found or [])} accounts")
    if read_raw(shown or {}, "active") is not True:
        faults.append(f"active is {read_raw(shown or {}, 'active')!r}")
    if email != ada.user_principal_name:
        faults.append(f"her address is {email!r}")
    faults += (await world.troubles(ada.id))[:1] if faults else []
    tell.expect("restored", not faults, "; ".join(faults))


async def _no_ghosts(tell: Telling, world: World, account: str, ben: User, group_id: str | None) -> None:
    endpoint = tell.endpoint
    faults = []
    shown = await endpoint.read("User", await world.target_id(ben.id) or "")
    if shown is None:
        faults.append("her report can no longer be read")
    elif value_at(shown, f"{ENTERPRISE}:manager") == account:
        faults.append("she is still Ben's manager")
    if group_id is not None and (target := await world.target_id(group_id)):
        members = await endpoint.members(target)
        if members is None:
            faults.append("her group can no longer be read")
        elif account in members:
            faults.append("she is still in her group")
    tell.expect("references", not faults, "; ".join(faults))


async def rehire(tell: Telling) -> None:
    endpoint = tell.endpoint
    world = await tell.world()
    name = world.address("Ada")
    first = await world.person("Ada", userPrincipalName=name)
    await world.cycle()
    account = await _account(tell, world, first)
    tell.say("Ada leaves and is deleted. A week later she is hired again: a new person with the same user name.")
    await world.delete(first)
    await world.cycle()
    second = await world.person("Ada", userPrincipalName=name, jobTitle="Consultant")
    await world.cycle()
    found = await endpoint.find("User", "userName", name)
    linked = await world.target_id(second.id)
    shown = await endpoint.read("User", linked) if linked else None
    trouble = " ".join((await world.troubles(second.id))[:1])
    wanted = [linked] if linked else []
    ok = bool(linked) and ids(found) == wanted and read_raw(shown or {}, "active") is not False
    if ok and tell.capabilities.soft_delete:
        ok = linked == account
    came = f"her name finds {len(found or [])} accounts, active is {read_raw(shown or {}, 'active')!r}"
    tell.expect("one-account", ok, f"{came}. {trouble}".strip())
