"""Who is written to when: quarantine, its change of reason, a guard, credentials that end, and the daily digest."""

from __future__ import annotations

import base64
import json

import pytest
from tests.integration.provisioning.conftest import World

from provisor.app.upkeep.tokens import ends_at
from provisor.events.mail.model import Message
from provisor.provider.notices.store import ExpiryNotices, days_due
from provisor.security.actor import Realm, operator
from provisor.storage.database import Database
from provisor.testing.target_faults import failure, unauthorized

DAY = 86_400


async def told(world: World) -> list[Message]:
    page = await world.services.mail.page(operator(), Realm("tenant", world.tenant.id))
    return list(reversed(page.messages))


async def notify(world: World, **more: object) -> None:
    notification = {"enabled": True, "recipients": "ops@example.org", **more}
    await world.services.applications.change_settings(operator(), world.job_id, {"notification": notification})


async def broken(world: World) -> None:
    await world.assign(await world.person("ada"))
    world.target.fault(unauthorized(), times=None)
    await world.start()
    await world.broken_cycle()


async def test_one_mail_a_quarantine(world: World) -> None:
    await notify(world)
    await broken(world)
    world.clock.advance(600)
    await world.broken_cycle()
    [mail] = await told(world)
    assert (mail.recipient, mail.kind) == ("ops@example.org", "quarantine")
    assert "EncounteredQuarantineException" in mail.subject
    assert "The token is not valid" in mail.text
    assert world.job_id in mail.text
    world.target.heal()
    world.clock.advance(2 * DAY)
    await world.cycle()
    assert len(await told(world)) == 1
    world.target.fault(unauthorized(), times=None)
    await world.assign(await world.person("bob"))
    await world.broken_cycle()
    assert [one.kind for one in await told(world)] == ["quarantine", "quarantine"]


async def test_nothing_when_the_checkbox_is_off(world: World) -> None:
    await notify(world, enabled=False, webhook="https://app.example/hook")
    await broken(world)
    assert await told(world) == []


async def test_the_webhook_gets_the_same(world: World) -> None:
    await notify(world, recipients="", webhook="https://app.example/hook")
    await broken(world)
    [message] = await told(world)
    assert (message.channel, message.recipient) == ("webhook", "https://app.example/hook")
    assert message.facts["reason"] == "EncounteredQuarantineException"
    assert message.facts["jobId"] == world.job_id


async def test_the_digest_names_what_fails_and_why_once_a_day(world: World) -> None:
    await notify(world, digest=True)
    for name in ("ada", "bob"):
        await world.assign(await world.person(name))
    world.target.fault(failure(400, "No room for Ada."), when=lambda request: request.method == "POST", times=1)
    await world.start()
    await world.cycle()
    assert await world.services.telling.digests() == 1
    assert await world.services.telling.digests() == 1
    [mail] = await told(world)
    assert mail.kind == "digest"
    assert "1 object" in mail.subject
    assert "No room for Ada." in mail.text
    world.clock.advance(DAY)
    await world.services.telling.digests()
    assert len(await told(world)) == 2
    await notify(world, digest=False)
    assert await world.services.telling.digests() == 0


@pytest.mark.parametrize(
    ("created", "expires", "now", "due"),
    [
        (0, 100, 0, None),
        (0, 100, 69, None),
        (0, 100, 70, 30),
        (0, 100, 92, 30),
        (0, 100, 93, 7),
        (0, 100, 99, 1),
        (0, 100, 100, None),
        (80, 100, 85, None),
        (80, 100, 93, 7),
        (99.5, 100, 99.6, None),
    ],
)
def test_which_notice_is_due(created: float, expires: float, now: float, due: int | None) -> None:
    ms = 86_400_000
    assert days_due(round(now * ms), round(created * ms), round(expires * ms)) == due


async def test_keys_that_end_are_told_to_their_owner_or_to_all_administrators(world: World, database: Database) -> None:
    companies, me = world.services.companies, operator()
    firm = await companies.create_company(me, "Firm", "ada@firm.example")
    await companies.add_administrator(me, firm.id, "bob@firm.example")
    await companies.create_key(me, firm.id, name="hers", expires="2026-03-01", administrator="ada@firm.example")
    await companies.create_key(me, firm.id, name="robot", expires="2026-03-01", service_account="robot")
    gone = await companies.create_key(me, firm.id, name="gone", expires="2026-03-01")
    await companies.revoke_key(me, firm.id, gone[0].id)
    await world.services.clients.create(me, firm.id, "client", expires="2026-03-01")
    notices = ExpiryNotices(database, world.clock)
    counts = []
    for days in (0, 31, 0, 24, 4, 2):
        world.clock.advance(days * DAY)
        await notices.run_once()
        counts.append(len((await world.services.mail.page(me, Realm("company", firm.id))).messages))
    # Five of each: hers to Ada; the robot's and the client's to both.
    assert counts == [0, 5, 5, 10, 15, 15]
    page = await world.services.mail.page(me, Realm("company", firm.id))
    assert {(one.recipient, one.facts["name"]) for one in page.messages} == {
        ("ada@firm.example", "hers"),
        ("ada@firm.example", "robot"),
        ("bob@firm.example", "robot"),
        ("ada@firm.example", "client"),
        ("bob@firm.example", "client"),
    }


def token_until(ends: int) -> str:
    """A JWT that ends then (ms UTC); nobody checks its signature here."""

    def part(document: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'exp': ends // 1000, 'sub': 'provisor'})}.x"


async def test_a_secret_token_that_says_when_it_ends_is_told_before(world: World) -> None:
    await notify(world)
    ends = world.clock.now_ms() + 40 * DAY * 1000
    await world.services.applications.set_credentials(operator(), world.job_id, secret_token=token_until(ends))
    counts = []
    for days in (0, 11, 0, 23, 5.5, 1):
        world.clock.advance(days * DAY)
        await world.services.upkeep.run_once(operator())
        counts.append(len(await told(world)))
    assert counts == [0, 1, 1, 2, 3, 3]
    assert {one.kind for one in await told(world)} == {"expiry"}


@pytest.mark.parametrize("token", [None, "", "opaque", "a.b.c", "a..c", "x.e30.y", "x.eyJleHAiOiJzb29uIn0.y"])
def test_a_token_that_says_nothing_ends_at_no_known_moment(token: str | None) -> None:
    assert ends_at(token) is None
