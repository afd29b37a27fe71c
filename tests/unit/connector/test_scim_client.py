"""The client against a simulated target: what it does, and what it makes of everything that goes wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from provisor.connector.capabilities import CapabilityProfile
from provisor.connector.client import ScimClient
from provisor.connector.dialect import load_dialect
from provisor.connector.errors import (
    BadAnswer,
    Conflict409,
    Forbidden403,
    NotFound404,
    Refused,
    ServerFailed,
    TargetError,
    Throttled,
    Unauthorized401,
    Unreachable,
)
from provisor.connector.messages import AttributeChange
from provisor.connector.pacing import Pacer
from provisor.connector.paths import ENTERPRISE
from provisor.connector.transport import (
    ConnectionRefused,
    Headers,
    NameNotFound,
    Response,
    TimedOut,
    Transport,
    TransportError,
)
from provisor.testing.clock import SettableClock
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import (
    failure_after_applying,
    lands_later,
    lost_reply,
    method,
    reset_after_applying,
    silence,
    too_many_requests,
)
from provisor.testing.transport import error_reply, json_reply, list_reply, replies

MANAGER = f"{ENTERPRISE}:manager"
MAIL = 'emails[type eq "work"].value'
DIALECTS = ["provisor", "entra", "entra-aadOptscim062020"]


def client_of(
    transport: Transport,
    *,
    token: str | None = "secret-token",
    dialect: str = "provisor",
    capabilities: CapabilityProfile | None = None,
    clock: SettableClock | None = None,
    **options: Any,
) -> ScimClient:
    return ScimClient(
        transport,
        base_address="https://target.test/scim/v2/?someFlag",
        token=token,
        dialect=load_dialect(dialect),
        capabilities=capabilities or CapabilityProfile(),
        clock=clock or SettableClock(skipping=True),
        **options,
    )


# --- the good way ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_persons_whole_life_in_every_dialect(dialect: str) -> None:
    # A strict server is what the default dialect is for; it would refuse Entra's capitals.
    target = SimulatedTarget(strict=dialect == "provisor")
    client = client_of(target, dialect=dialect)

    assert await client.find("User", "userName", "ada@x.example") == []
    ada = await client.create("User", {"userName": "ada@x.example", "active": "True", "name.givenName": "Ada"})
    bob = await client.create("User", {"userName": "bob@x.example", MAIL: "bob@x.example"})
    assert [found.id for found in await client.find("User", "userName", "ADA@x.example")] == [ada.id]
    assert [found.id for found in await client.find("User", MAIL, "bob@x.example")] == [bob.id]

    await client.update("User", ada.id, [AttributeChange(MAIL, None, "a@x"), AttributeChange("title", None, "CTO")])
    await client.update("User", ada.id, [AttributeChange(MAIL, "a@x", "ada@x"), AttributeChange("title", "CTO", None)])
    await client.set_reference("User", bob.id, MANAGER, None, ada.id)
    assert target.managers() == {"bob@x.example": "ada@x.example"}
    await client.set_reference("User", bob.id, MANAGER, ada.id, None)
    assert target.managers() == {}
    await client.update("User", ada.id, [AttributeChange("active", "True", "False")])

    read = await client.read("User", ada.id)
    assert read is not None
    assert (read.get(MAIL), read.get("title"), read.get("active")) == ("ada@x", None, False)
    assert await client.delete("User", ada.id) is True
    assert await client.delete("User", ada.id) is False
    assert await client.read("User", ada.id) is None
    assert list(target.users_by_name()) == ["bob@x.example"]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_members_come_and_go_in_every_dialect_and_are_never_read(dialect: str) -> None:
    target = SimulatedTarget(strict=dialect == "provisor")
    client = client_of(target, dialect=dialect, capabilities=CapabilityProfile(members_per_patch=3))
    ids = [(await client.create("User", {"userName": f"u{n}"})).id for n in range(8)]
    group = await client.create("Group", {"displayName": "Sales"})

    await client.change_members(group.id, ids, [])
    await client.change_members(group.id, [], ids[:5])

    assert target.memberships() == {"Sales": {"u5", "u6", "u7"}}
    asked = [request.query for request in target.sent("GET", "/Groups")]
    assert all(query.get("excludedAttributes") == "members" or query.get("attributes") == "id" for query in asked)


async def test_members_go_in_as_many_patches_as_the_target_needs() -> None:
    target = SimulatedTarget()
    client = client_of(target, capabilities=CapabilityProfile(members_per_patch=4))
    group = await client.create("Group", {"displayName": "Sales"})

    await client.change_members(group.id, [f"m{n}" for n in range(10)], ["x"])

    sizes = [
        sum(len(operation["value"]) if operation["op"] == "add" else 1 for operation in request.body["Operations"])
        for request in target.sent("PATCH")
    ]
    assert sizes == [4, 4, 3]


async def test_nothing_to_change_sends_nothing() -> None:
    target = SimulatedTarget()
    client = client_of(target)

    assert await client.update("User", "u1", []) is None
    await client.change_members("g1", [], [])

    assert target.requests == []


async def test_removing_one_who_already_left_is_done_and_the_others_still_go() -> None:
    target = SimulatedTarget(strict=True)
    client = client_of(target)
    group = await client.create("Group", {"displayName": "Sales"})
    await client.change_members(group.id, ["a", "b"], [])

    await client.change_members(group.id, ["c"], ["gone", "a"])

    assert target.memberships() == {"Sales": {"b", "c"}}


async def test_entra_sends_one_member_at_a_time_and_up_to_five_at_once() -> None:
    target = SimulatedTarget()
    client = client_of(target, dialect="entra")
    group = await client.create("Group", {"displayName": "Sales"})

    await client.change_members(group.id, [f"m{n}" for n in range(7)], [])

    assert [len(request.body["Operations"][0]["value"]) for request in target.sent("PATCH")] == [1] * 7
    assert len(target.memberships()["Sales"]) == 7


async def test_a_list_is_read_in_pages() -> None:
    target = SimulatedTarget()
    client = client_of(target)
    for n in range(5):
        await client.create("User", {"userName": f"u{n}"})

    pages = [await client.list_page("User", start, 2) for start in (1, 3, 5, 7)]

    assert [page.total for page in pages] == [5, 5, 5, 5]
    assert [[item.get("userName") for item in page.objects] for page in pages] == [
        ["u0", "u1"],
        ["u2", "u3"],
        ["u4"],
        [],
    ]


async def test_an_id_cannot_lead_elsewhere() -> None:
    transport = replies(error_reply(404))

    await client_of(transport).read("User", "../Groups/g1?x=y#z")

    assert transport.requests[0].url == "https://target.test/scim/v2/Users/..%2FGroups%2Fg1%3Fx%3Dy%23z"


async def test_requests_carry_the_token_and_the_flags_of_the_tenant_url_stay_here() -> None:
    transport = replies(list_reply())
    client = client_of(transport)

    await client.find("User", "userName", "x")

    assert client.flags == {"someFlag"}
    assert "someFlag" not in transport.requests[0].url
    assert transport.requests[0].headers["Authorization"] == "Bearer secret-token"
    assert transport.requests[0].timeout == 30.0


async def test_without_a_token_no_authorization_is_sent() -> None:
    transport = replies(list_reply())

    await client_of(transport, token=None).find("User", "userName", "x")

    assert "Authorization" not in transport.requests[0].headers


# --- exchanges -------------------------------------------------------------------------------------------------------


async def test_an_exchange_shows_all_but_the_secret() -> None:
    transport = replies(error_reply(400, "I do not like Bearer secret-token"))
    client = client_of(transport)

    with pytest.raises(TargetError) as caught:
        await client.create("User", {"userName": "ada"})

    exchange = caught.value.exchange
    assert exchange.request_line == "POST /scim/v2/Users"
    assert '"userName":"ada"' in exchange.request_body
    assert exchange.status == 400
    assert "I do not like Bearer" in exchange.response_body
    assert exchange.headers["Content-Type"] == "application/scim+json"
    everything = f"{exchange} {exchange.headers} {exchange.response_body} {caught.value} {caught.value.detail}"
    assert "secret-token" not in everything
    assert "secret-token" not in repr(transport.requests)


async def test_each_task_sees_its_own_last_exchange() -> None:
    target = SimulatedTarget()
    client = client_of(target)

    async def make(name: str) -> str:
        await client.create("User", {"userName": name})
        await asyncio.sleep(0)
        assert client.last_exchange is not None
        return client.last_exchange.request_body

    bodies = await asyncio.gather(*(make(name) for name in ("ada", "bob")))

    assert ["ada" in bodies[0], "bob" in bodies[1]] == [True, True]


# --- errors ----------------------------------------------------------------------------------------------------------

INCOMPATIBLE = "SystemForCrossDomainIdentityManagementServiceIncompatible"

STATUSES = [
    # status, scimType, error, code, retryable, may have arrived
    (400, None, Refused, "WebExceptionProtocolError", False, False),
    (400, "invalidPath", Refused, "SchemaAttributeNotFound", False, False),
    (400, "invalidValue", Refused, "UnprocessableEntity", False, False),
    (400, "mutability", Refused, "NotPermitted", False, False),
    (400, "uniqueness", Conflict409, "EntryConflict", False, False),  # some say it with 400
    (401, None, Unauthorized401, "Unauthorized", False, False),
    (403, None, Forbidden403, "InsufficientRights", False, False),
    (404, None, NotFound404, "InvalidAnchor", False, False),
    (405, None, Refused, "MethodNotAllowed", False, False),
    (408, None, Refused, "Timeout", True, True),
    (409, "uniqueness", Conflict409, "EntryConflict", False, False),
    (413, None, Refused, "UnprocessableEntity", False, False),
    (418, None, Refused, "WebExceptionProtocolError", False, False),
    (422, None, Refused, "UnprocessableEntity", False, False),
    (500, None, ServerFailed, "InternalServerError", True, True),
    (501, None, ServerFailed, "NotImplemented", False, False),
    (502, None, ServerFailed, "InternalServerError", True, True),
    (503, None, ServerFailed, "InternalServerError", True, True),
    (504, None, ServerFailed, "Timeout", True, True),
]


@pytest.mark.parametrize(("status", "scim_type", "error", "code", "retryable", "arrived"), STATUSES)
async def test_a_status_becomes_an_error_with_the_logs_code_and_the_servers_own_words(
    status: int, scim_type: str | None, error: type[TargetError], code: str, retryable: bool, arrived: bool
) -> None:
    client = client_of(replies(error_reply(status, "In my own words.", scim_type)))

    with pytest.raises(error) as caught:
        await client.update("User", "u1", [AttributeChange("title", None, "x")])

    raised = caught.value
    assert type(raised) is error
    assert (raised.code, raised.status, raised.detail) == (code, status, "In my own words.")
    assert (raised.retryable, raised.may_have_arrived) == (retryable, arrived)
    assert "In my own words." in raised.message
    assert raised.hint
    assert raised.credential_problem is (status == 401)


async def test_403_is_about_the_credential_where_it_meets_a_read_and_about_the_object_where_it_meets_a_write() -> None:
    client = client_of(replies(error_reply(403, "no"), error_reply(403, "no")))

    with pytest.raises(Forbidden403) as read:
        await client.find("User", "userName", "x")
    with pytest.raises(Forbidden403) as write:
        await client.delete("User", "u1")

    assert (read.value.credential_problem, write.value.credential_problem) == (True, False)


ANSWERS = [
    # (reply, words of the message)
    (
        Response(200, Headers({"Content-Type": "text/html"}), b"<html><body>Sign <b>in</b></body></html>"),
        "an HTML page",
    ),
    (Response(200, Headers(), b"it works"), "not JSON"),
    (Response(200, Headers(), b'{"a": "\xff"}'), "not JSON"),
    (Response(200, Headers(), b'{"Resources": ['), "not JSON"),
    (Response(200, Headers(), b""), "is empty"),
    (json_reply([1]), "not an object"),
    (json_reply({"hello": "world"}), "not a ListResponse"),
    (json_reply({"Resources": {"id": "u1"}, "totalResults": 1}), "Resources is not a list"),
    (json_reply({"Resources": [], "totalResults": 3}), "counts 3 objects and shows none"),
    (list_reply({"userName": "ada"}), "without an id"),
    (list_reply({"id": "u1", "userName": "bob"}), "the target ignores the filter"),
    (error_reply(404, "no route"), r"/scim/v2/Users does not exist"),
    (json_reply(None, 302, {"Location": "https://login.test/"}), r"sends on to https://login\.test/"),
]


@pytest.mark.parametrize(("reply", "words"), ANSWERS)
async def test_an_answer_that_is_not_scim_is_told_in_words(reply: Response, words: str) -> None:
    with pytest.raises(BadAnswer, match=words) as caught:
        await client_of(replies(reply)).find("User", "userName", "ada")

    assert caught.value.code.startswith(INCOMPATIBLE)
    assert caught.value.hint


async def test_an_excerpt_of_a_wrong_page_is_short_and_without_tags() -> None:
    page = b"<html><script>var x</script><h1>Welcome</h1>" + b"<p>lorem</p>" * 10_000
    reply = Response(200, Headers({"Content-Type": "text/html"}), page)

    with pytest.raises(BadAnswer) as caught:
        await client_of(replies(reply)).find("User", "userName", "ada")

    assert caught.value.detail.startswith("Welcome lorem")
    assert len(caught.value.detail) < 310


async def test_lists_are_understood_with_missing_counts_numbered_ids_and_names_in_any_case() -> None:
    client = client_of(
        replies(
            json_reply({"resources": [{"id": 7, "userName": "ada"}], "TotalResults": "1"}),
            json_reply({"totalResults": 0}),
        )
    )

    assert [found.id for found in await client.find("User", "userName", "ada")] == ["7"]
    assert await client.find("User", "userName", "ada") == []


async def test_a_normalising_target_may_show_another_value() -> None:
    capabilities = CapabilityProfile(normalised_attributes=frozenset({"userName"}))
    client = client_of(replies(list_reply({"id": "u1", "userName": "ada_short"})), capabilities=capabilities)

    assert [found.id for found in await client.find("User", "userName", "ada@x")] == ["u1"]


async def test_a_value_found_in_another_element_is_a_match() -> None:
    emails = [{"type": "work", "value": "old@x"}, {"type": "work", "value": "ada@x"}]
    client = client_of(replies(list_reply({"id": "u1", "emails": emails})))

    assert len(await client.find("User", "emails.value", "ada@x")) == 1


async def test_the_id_of_a_new_object_is_in_its_address_where_the_reply_has_no_body() -> None:
    client = client_of(
        replies(
            json_reply(None, 201, {"Location": "https://target.test/scim/v2/Users/a%20b"}),
            json_reply(None, 201),
            json_reply({"userName": "ada"}, 201),
        )
    )

    assert (await client.create("User", {"userName": "ada"})).id == "a b"
    for words in ("nobody knows the new object's id", "without an id"):
        with pytest.raises(BadAnswer, match=words) as caught:
            await client.create("User", {"userName": "ada"})
        assert caught.value.may_have_arrived


async def test_a_patch_is_done_whatever_its_answer_shows() -> None:
    client = client_of(replies(json_reply(None, 204), Response(200, Headers(), b"OK"), json_reply({"id": "u1"})))
    changes = [AttributeChange("title", None, "x")]

    assert await client.update("User", "u1", changes) is None
    assert await client.update("User", "u1", changes) is None
    updated = await client.update("User", "u1", changes)
    assert updated is not None
    assert updated.id == "u1"


LOST = [
    # (what the transport says, code, whole target, a write may have arrived)
    (NameNotFound("There is no host named x."), "WebExceptionProtocolError", True, False),
    (ConnectionRefused("x:1 refused."), "WebExceptionProtocolError", True, False),
    (TimedOut("x:1 did not accept."), "Timeout", True, False),
    (TimedOut("x:1 gave no reply.", may_have_arrived=True), "Timeout", False, True),
]


@pytest.mark.parametrize(("error", "code", "wide", "arrived"), LOST)
async def test_without_a_reply_the_error_says_whether_the_request_may_have_arrived(
    error: TransportError, code: str, wide: bool, arrived: bool
) -> None:
    client = client_of(replies(error, error))

    with pytest.raises(Unreachable) as write:
        await client.create("User", {"userName": "ada"})
    with pytest.raises(Unreachable) as read:
        await client.read("User", "u1")

    assert (write.value.code, write.value.target_wide, write.value.may_have_arrived) == (code, wide, arrived)
    assert write.value.retryable
    assert error.message in write.value.message
    assert read.value.may_have_arrived is False
    assert write.value.exchange.status is None


async def test_a_request_may_be_carried_out_though_the_client_hears_of_a_failure() -> None:
    target = SimulatedTarget()
    client = client_of(target)
    for fault in (lost_reply(), reset_after_applying(), failure_after_applying()):
        target.users.clear()
        target.fault(fault, when=method("POST"))

        with pytest.raises(TargetError) as caught:
            await client.create("User", {"userName": "ada"})

        assert caught.value.may_have_arrived
        assert list(target.users_by_name()) == ["ada"]


async def test_a_create_can_land_after_the_look_up_that_followed_it() -> None:
    target = SimulatedTarget()
    client = client_of(target)
    target.fault(lands_later())
    with pytest.raises(Unreachable):
        await client.create("User", {"userName": "ada"})

    assert await client.find("User", "userName", "ada") == []
    target.land()
    assert len(await client.find("User", "userName", "ada")) == 1


# --- pacing ----------------------------------------------------------------------------------------------------------


async def test_a_throttled_request_is_sent_again_after_the_pause_that_the_target_asked_for() -> None:
    clock = SettableClock(skipping=True)
    target = SimulatedTarget(clock=clock)
    client = client_of(target, clock=clock)
    target.fault(too_many_requests(retry_after=7), times=2)
    began = clock.now_ms()

    await client.create("User", {"userName": "ada"})

    assert clock.now_ms() - began == 14_000
    assert [request.status for request in target.requests] == [429, 429, 201]


async def test_a_pause_beyond_the_budget_is_given_up_at_once_and_told() -> None:
    clock = SettableClock(skipping=True)
    target = SimulatedTarget(clock=clock)
    client = client_of(target, clock=clock, pacing=Pacer(clock, budget=60))
    target.fault(too_many_requests(retry_after=120))
    began = clock.now_ms()

    with pytest.raises(Throttled) as caught:
        await client.create("User", {"userName": "ada"})

    assert (caught.value.code, caught.value.retry_after_seconds) == ("TooManyRequests", 120)
    assert caught.value.retryable
    assert not caught.value.may_have_arrived
    assert clock.now_ms() == began


async def test_a_server_that_names_the_end_of_its_maintenance_is_waited_for() -> None:
    transport = replies(error_reply(503, "Back soon.", headers={"Retry-After": "20"}), list_reply())

    assert await client_of(transport).find("User", "userName", "x") == []


async def test_one_throttled_request_holds_back_all_who_share_the_pacer() -> None:
    clock = SettableClock()
    target = SimulatedTarget(clock=clock)
    pacer = Pacer(clock)
    one, other = (client_of(target, clock=clock, pacing=pacer) for _ in range(2))
    target.fault(too_many_requests(retry_after=5))

    first = asyncio.create_task(one.find("User", "userName", "x"))
    await _until(lambda: clock.sleepers == 1)
    second = asyncio.create_task(other.find("User", "userName", "y"))
    await _until(lambda: clock.sleepers == 2)
    assert len(target.requests) == 1

    clock.advance(5)
    await asyncio.gather(first, second)
    assert len(target.requests) == 3


async def test_nothing_is_sent_once_the_lease_is_lost_not_even_after_a_pause() -> None:
    clock = SettableClock(skipping=True)
    target = SimulatedTarget(clock=clock)
    lease_ends = clock.now_ms() + 3_000

    class LeaseLost(Exception):
        pass

    async def check() -> None:
        if clock.now_ms() >= lease_ends:
            raise LeaseLost

    client = client_of(target, clock=clock, before_send=check)
    target.fault(too_many_requests(retry_after=5), when=method("POST"))

    with pytest.raises(LeaseLost):
        await client.create("User", {"userName": "ada"})

    assert len(target.requests) == 1
    assert target.users == {}


async def _until(condition: Any) -> None:
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("It did not come to that.")


# --- Test Connection -------------------------------------------------------------------------------------------------


async def test_a_good_connection_is_proven_by_two_searches_for_nobody() -> None:
    target = SimulatedTarget(token="secret-token")

    result = await client_of(target).test()

    assert (result.ok, result.cause, result.hint) == (True, "connected", None)
    assert [request.path for request in target.requests] == ["/Users", "/Groups"]
    assert target.requests[0].query["filter"].startswith('userName eq "')


async def test_a_target_without_groups_is_asked_for_users_only() -> None:
    target = SimulatedTarget()

    assert (await client_of(target, capabilities=CapabilityProfile(groups=False)).test()).ok
    assert [request.path for request in target.requests] == ["/Users"]


async def test_a_target_that_has_users_and_no_groups_is_told_apart() -> None:
    result = await client_of(replies(list_reply(), error_reply(404))).test()

    assert (result.ok, result.cause) == (False, "wrong_path")
    assert "switch off the mapping of groups" in (result.hint or "")


@pytest.mark.parametrize("shown", [{"id": "u1"}, {"id": "u1", "userName": "bob"}])
async def test_a_target_that_finds_somebody_for_a_random_name_is_not_trusted(shown: dict[str, str]) -> None:
    result = await client_of(replies(list_reply(shown))).test()

    assert (result.ok, result.cause) == (False, "filter_ignored")
    assert result.code == "SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering"


async def test_a_filter_that_is_refused_is_named() -> None:
    result = await client_of(replies(error_reply(400, "only id is searchable", "invalidFilter"))).test()

    assert (result.ok, result.cause) == (False, "filter_refused")
    assert "only id is searchable" in result.message


async def test_somebody_who_tests_a_connection_is_not_kept_waiting_for_a_pause() -> None:
    clock = SettableClock(skipping=True)
    target = SimulatedTarget(clock=clock)
    target.fault(too_many_requests(retry_after=100))
    began = clock.now_ms()

    result = await client_of(target, clock=clock).test()

    assert (result.ok, result.cause) == (False, "throttled")
    assert clock.now_ms() == began


async def test_a_silent_target_is_told_as_a_timeout() -> None:
    target = SimulatedTarget()
    target.fault(silence())

    result = await client_of(target).test()

    assert (result.ok, result.cause) == (False, "timeout")
    assert result.code == "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable"
