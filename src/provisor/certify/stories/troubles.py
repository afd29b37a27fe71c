"""What goes wrong in between: lost replies, accounts that vanish, too many requests."""

from __future__ import annotations

import asyncio
from functools import partial

from provisor.certify.endpoint import at_once
from provisor.certify.stories.matching import ids
from provisor.certify.telling import Telling, said

_RATE = 25
_SECONDS = 3
_BURST = 60


async def lost_reply(tell: Telling) -> None:
    endpoint = tell.endpoint
    world = await tell.world()
    ada = await world.person("Ada")
    tell.say("Ada's account is created, but the connection breaks before the answer is there.")
    endpoint.recorder.lose_reply(lambda request: request.method == "POST")
    await world.cycle()
    await world.retry()
    found = await endpoint.find("User", "userName", ada.user_principal_name)
    linked = await world.target_id(ada.id)
    trouble = " ".join((await world.troubles(ada.id))[:1])
    came = f"her name finds {len(found or [])} accounts, and {linked or 'none'} is linked. {trouble}".strip()
    tell.expect("one-account", bool(linked) and ids(found) == [linked], came)


async def vanished(tell: Telling) -> None:
    endpoint = tell.endpoint
    world = await tell.world()
    ada = await world.person("Ada", jobTitle="Engineer")
    await world.cycle()
    account = await world.target_id(ada.id)
    if account is None:
        tell.stop("Ada has no account: see the story of the first cycle.")
    tell.say("Somebody deletes Ada's account in the app. Then her title changes in the directory.")
    deleted = await endpoint.delete("User", account)
    if await endpoint.read("User", account) is not None:
        tell.stop(f"The account could not be deleted ({said(deleted)}).")
    mark = endpoint.recorder.mark()
    await world.change(ada, jobTitle="Chief Engineer")
    await world.cycle()
    await world.retry()
    asked = [one for one in endpoint.recorder.since(mark) if one.url.split("?")[0].endswith(f"/{account}")]
    wrong = next((one for one in asked if one.status != 404), None)
    came = f"{wrong.method} was answered with {said(wrong)}" if wrong else "the account was not asked for"
    tell.expect("not-found", bool(asked) and wrong is None, came, wrong or (asked[0] if asked else None))
    found = await endpoint.find("User", "userName", ada.user_principal_name)
    linked = await world.target_id(ada.id)
    trouble = " ".join((await world.troubles(ada.id))[:1])
    came = f"her name finds {len(found or [])} accounts. {trouble}".strip()
    tell.expect("anew", bool(linked) and linked != account and ids(found) == [linked], came)


async def pace(tell: Telling) -> None:
    endpoint = tell.endpoint
    tell.say(f"{_RATE} searches a second for {_SECONDS} seconds, then {_BURST} at once.")
    question = partial(endpoint.find, "User", "userName", tell.address("nobody"))
    mark = endpoint.recorder.mark()

    async def later(number: int) -> None:
        await asyncio.sleep(number / _RATE)
        await question()

    async with asyncio.TaskGroup() as group:
        for number in range(_RATE * _SECONDS):
            group.create_task(later(number))
    slowed = [one for one in endpoint.recorder.since(mark) if one.status != 200]
    came = f"{len(slowed)} of {_RATE * _SECONDS} were not served, the first with {said(slowed[0])}" if slowed else ""
    tell.expect("rate", not slowed, came, slowed[0] if slowed else None)
    await at_once([question] * _BURST, _BURST)
    answers = endpoint.recorder.since(mark)
    wrong = [one for one in answers if one.status is None or one.status not in (200, 429)]
    silent = [
        one for one in answers if one.status == 429 and one.response and not one.response.headers.get("Retry-After", "")
    ]
    bad = next(iter([*wrong, *silent]), None)
    came = "" if bad is None else f"an answer was {said(bad)}{'' if wrong else ', without Retry-After'}"
    tell.expect("throttled", bad is None, came, bad)
    if any(one.status == 429 for one in answers):
        # Let it forget us before the next story.
        await asyncio.sleep(1)
