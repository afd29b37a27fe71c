"""New names of people and groups. The account and everything of it stays."""

from __future__ import annotations

from provisor.certify.endpoint import read_raw, value_at
from provisor.certify.lab import World
from provisor.certify.stories.matching import ids
from provisor.certify.telling import Telling, said
from provisor.directory.model import Group


async def rename(tell: Telling) -> None:
    endpoint = tell.endpoint
    world = await tell.world()
    ada, ben = await world.person("Ada"), await world.person("Ben")
    group = await world.group("Team", [ada, ben]) if tell.capabilities.groups else None
    await world.cycle()
    account = await world.target_id(ada.id)
    if account is None:
        tell.stop("Ada has no account: see the story of the first cycle.")
    tell.say("Ada marries: a new user name, and a new address.")
    old, new = ada.user_principal_name, world.address("ada.lake")
    await world.change(ada, userPrincipalName=new, mail=new)
    await world.cycle()
    shown = await endpoint.read("User", account)
    found = await endpoint.find("User", "userName", new)
    trouble = " ".join((await world.troubles(ada.id))[:1])
    ok = ids(found) == [account] and read_raw(shown or {}, "active") is not False
    came = (
        f"her name is {value_at(shown, 'userName')!r}, the new one finds {len(found or [])} accounts. {trouble}".strip()
    )
    tell.expect("renamed", ok, came)
    found = await endpoint.find("User", "userName", old)
    tell.expect("old-name", found == [], f"it finds {len(found or [])} accounts")
    if group is not None:
        await _groups(tell, world, group, account)
    else:
        for rule in ("groups-kept", "group", "group-members"):
            tell.leave_out(rule, "The endpoint has no /Groups.")
    tell.say("Only the case of a name changes.")
    cased = new.replace("ada", "ADA")
    exchange = await endpoint.patch(
        "User", account, {"op": endpoint.dialect.op("replace"), "path": "userName", "value": cased}
    )
    ok = exchange.status is not None and exchange.status < 300
    tell.expect("case", ok, f"the answer was {said(exchange)}", exchange)


async def _groups(tell: Telling, world: World, group: Group, account: str) -> None:
    endpoint = tell.endpoint
    target = await world.target_id(group.id)
    if target is None:
        tell.stop("The group was not created: see the story of the first cycle.")
    before = sorted(await endpoint.members(target) or [])
    tell.expect("groups-kept", account in before, "she is no longer in her group")
    tell.say("The group gets another name.")
    await world.rename_group(group, "Crew")
    await world.cycle()
    name = value_at(await endpoint.read("Group", target), "displayName")
    trouble = " ".join((await world.troubles(group.id))[:1])
    tell.expect("group", name == world.title("Crew"), f"its name is {name!r}. {trouble}".strip())
    await endpoint.patch("Group", target, {"op": "replace", "value": {"displayName": world.title("Cast")}})
    after = sorted(await endpoint.members(target) or [])
    tell.expect("group-members", before == after, f"it had {len(before)} members, it has {len(after)}")
