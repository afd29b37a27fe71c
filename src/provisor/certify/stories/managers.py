"""The manager: a reference that is set, changed, asked for and removed."""

from __future__ import annotations

from provisor.certify.endpoint import good, read_raw, value_at
from provisor.certify.stories.matching import ids
from provisor.certify.telling import Telling, said
from provisor.connector.messages import reference_operation
from provisor.connector.paths import ENTERPRISE

_MANAGER = f"{ENTERPRISE}:manager"


async def manager(tell: Telling) -> None:
    endpoint = tell.endpoint
    ada, ben, cleo = [await tell.ask_user(name) for name in ("ada", "ben", "cleo")]
    tell.say("Ben becomes Ada's manager.")
    exchange = await endpoint.patch("User", ada, reference_operation(_MANAGER, None, ben, endpoint.dialect))
    shown = await endpoint.read("User", ada)
    value = value_at(shown, _MANAGER)
    tell.need("set", value == ben, f"the answer was {said(exchange)}, and the manager is {value!r}", exchange)
    raw = read_raw(read_raw(shown or {}, ENTERPRISE) or {}, "manager")
    tell.expect("shape", isinstance(raw, dict), f"it is shown as {raw!r}")
    await _asked(tell, ada, ben, cleo)
    tell.say("Cleo takes over.")
    exchange = await endpoint.patch("User", ada, reference_operation(_MANAGER, ben, cleo, endpoint.dialect))
    value = value_at(await endpoint.read("User", ada), _MANAGER)
    tell.expect("changed", value == cleo, f"the answer was {said(exchange)}, and the manager is {value!r}", exchange)
    path = f'{_MANAGER}[value eq "{cleo}"]'
    exchange = await endpoint.patch("User", ada, {"op": "remove", "path": path})
    value = value_at(await endpoint.read("User", ada), _MANAGER)
    tell.expect("by-selector", good(exchange) and not value, f"the answer was {said(exchange)}", exchange)
    await endpoint.patch("User", ada, reference_operation(_MANAGER, None, cleo, endpoint.dialect))
    tell.say("Ada has no manager any more.")
    for _ in range(2):
        exchange = await endpoint.patch("User", ada, reference_operation(_MANAGER, cleo, None, endpoint.dialect))
        value = value_at(await endpoint.read("User", ada), _MANAGER)
        if not good(exchange) or value:
            break
    came = f"the answer was {said(exchange)}, and the manager is {value!r}"
    tell.expect("cleared", good(exchange) and not value, came, exchange)


async def _asked(tell: Telling, ada: str, ben: str, cleo: str) -> None:
    endpoint = tell.endpoint
    yes = await endpoint.filtered("User", f'id eq "{ada}" and manager eq "{ben}"', "&attributes=id")
    exchange = endpoint.last
    no = await endpoint.filtered("User", f'id eq "{ada}" and manager eq "{cleo}"', "&attributes=id")
    came = f"with the right one {said(exchange) if yes is None else len(yes)}, with a wrong one {len(no or [])} found"
    tell.expect("asked", ids(yes) == [ada] and not no, came, exchange)
