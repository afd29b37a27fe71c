"""Everybody, page by page."""

from __future__ import annotations

from provisor.certify.endpoint import Json, json_of, listed, read_raw, total_of
from provisor.certify.stories.matching import ids
from provisor.certify.stories.members import crowd
from provisor.certify.telling import Telling, said


async def paging(tell: Telling) -> None:
    endpoint = tell.endpoint
    mine = await crowd(tell)
    tell.say("The identity provider reads all accounts, as account discovery does: five at a time, then many.")
    pages: list[list[str]] = []
    for start in (1, 6, 11):
        exchange = await endpoint.ask("GET", f"/Users?startIndex={start}&count=5")
        found = listed(exchange)
        echoed = read_raw(json_of(exchange), "startIndex")
        if found is None or len(found) != 5 or echoed not in (start, None):
            came = f"startIndex={start} gave {len(found or [])} of 5, and says that it begins at {echoed}"
            tell.expect("pages", False, came if found is not None else f"the answer was {said(exchange)}", exchange)
            break
        pages.append(ids(found))
    else:
        seen = [one for page in pages for one in page]
        doubles = len(seen) - len(set(seen))
        tell.expect("pages", not doubles, f"{doubles} are on two pages")
    everybody: list[Json] = []
    total = 0
    while True:
        exchange = await endpoint.ask("GET", f"/Users?startIndex={len(everybody) + 1}&count=50")
        page = listed(exchange) or []
        total = total_of(exchange) or total
        everybody += page
        if not page or len(everybody) >= total:
            break
    lost = set(mine) - set(ids(everybody))
    doubles = len(everybody) - len(set(ids(everybody)))
    came = f"totalResults is {total}, {len(everybody)} came, {doubles} of them twice; {len(lost)} are missing"
    tell.expect("complete", not lost and not doubles and len(everybody) == total, came, exchange)
    exchange = await endpoint.ask("GET", f"/Users?startIndex={total + 100}&count=10")
    found = listed(exchange)
    came = (
        f"the answer was {said(exchange)}" if found is None else f"{len(found)} came, the total is {total_of(exchange)}"
    )
    tell.expect("past-the-end", found == [] and total_of(exchange) == total, came, exchange)
    items = read_raw(json_of(exchange), "itemsPerPage")
    tell.expect("items", items in (0, None), f"nothing came, and itemsPerPage is {items}", exchange)
