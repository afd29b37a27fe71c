"""Can it connect at all? The first requests of every job."""

from __future__ import annotations

import uuid

from provisor.certify.endpoint import good, listed
from provisor.certify.telling import Telling, said

_SCIM_JSON = "application/scim+json"


async def connect(tell: Telling) -> None:
    endpoint = tell.endpoint
    tell.say("Test Connection: the identity provider looks for a user who cannot exist.")
    nobody = str(uuid.uuid4())
    found = await endpoint.find("User", "userName", nobody)
    exchange = endpoint.last
    tell.need("no-such-user", found == [], f"the answer was {said(exchange)}" if found is None else "it found somebody")
    media = (exchange.response.headers.get("Content-Type", "") if exchange and exchange.response else "").lower()
    tell.expect("media-type", media.startswith(_SCIM_JSON), f"the type was {media or 'missing'}", exchange)
    if tell.capabilities.groups:
        tell.say("It looks for a random group as well.")
        found = await endpoint.find("Group", "displayName", nobody)
        came = f"the answer was {said(endpoint.last)}" if found is None else "it found a group"
        tell.expect("no-such-group", found == [], came)
    else:
        tell.leave_out("no-such-group", "The endpoint has no /Groups.")
    await _accept(tell)
    await _credentials(tell)


async def _accept(tell: Telling) -> None:
    endpoint = tell.endpoint
    address = f"/Users?filter=userName+eq+%22{uuid.uuid4()}%22"
    tell.say("The same question without a JSON Accept header, and with a flag from the Tenant URL left on it.")
    exchange = await endpoint.ask("GET", address, headers={"Accept": "*/*"})
    tell.expect("any-accept", listed(exchange) is not None, f"the answer was {said(exchange)}", exchange)
    exchange = await endpoint.ask("GET", f"{address}&aadOptscim062020=")
    tell.expect("unknown-query", listed(exchange) is not None, f"the answer was {said(exchange)}", exchange)


async def _credentials(tell: Telling) -> None:
    if not tell.lab.target.token:
        tell.leave_out("wrong-token", "The endpoint is asked without a token.")
        tell.leave_out("wrong-token-status", "The endpoint is asked without a token.")
        return
    tell.say("The token has expired, or was mistyped.")
    wrong = await tell.endpoint.ask("GET", "/Users?startIndex=1&count=1", token="not-the-token")  # noqa: S106
    tell.expect("wrong-token", not good(wrong) or listed(wrong) is None, f"it was answered with {said(wrong)}", wrong)
    tell.expect("wrong-token-status", wrong.status == 401, f"the answer was {said(wrong)}", wrong)
