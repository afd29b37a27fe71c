"""Access tokens of a target's authority: fetched once, kept until shortly before their end, never shown."""

from __future__ import annotations

import pytest

from provisor.connector.errors import TargetError, Unreachable
from provisor.connector.oauth import ClientCredentials, TokenSource
from provisor.connector.transport import ConnectionRefused, Request, Response
from provisor.testing.clock import SettableClock
from provisor.testing.transport import MemoryTransport, json_reply, replies

CLIENT = ClientCredentials("https://login.test/token", "me & you", "hush:hush")


async def test_a_token_is_kept_until_shortly_before_its_end(clock: SettableClock) -> None:
    answers = [json_reply({"access_token": f"t{n}", "expires_in": 100}) for n in range(3)]
    transport = replies(*answers)
    source = TokenSource(transport, clock)
    assert [await source.token(CLIENT) for _ in range(2)] == ["t0", "t0"]
    clock.advance(89)
    assert await source.token(CLIENT) == "t0"
    clock.advance(2)
    assert await source.token(CLIENT) == "t1"
    assert await source.token(CLIENT, fresh=True) == "t2"


@pytest.mark.parametrize("in_header", [True, False])
async def test_the_secret_goes_where_it_is_asked_for(clock: SettableClock, in_header: bool) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return json_reply({"access_token": "t"})

    client = ClientCredentials(CLIENT.token_url, CLIENT.client_id, CLIENT.client_secret, in_header)
    assert await TokenSource(MemoryTransport(answer), clock).token(client) == "t"
    [request] = seen
    body = (request.body or b"").decode()
    assert body.startswith("grant_type=client_credentials")
    assert ("Authorization" in request.headers) == in_header
    assert ("client_secret=hush%3Ahush" in body) == (not in_header)


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({"error": "invalid_client", "error_description": "hush:hush is wrong"}, 401),
        json_reply({"token": "t"}),
        json_reply(["t"]),
        json_reply({"access_token": "two\nlines"}),
        json_reply({"access_token": ""}),
    ],
)
async def test_no_token_is_an_error_of_the_whole_target_without_the_secret(
    clock: SettableClock, reply: Response
) -> None:
    with pytest.raises(TargetError) as refused:
        await TokenSource(replies(reply), clock).token(CLIENT)
    assert refused.value.target_wide
    assert "hush" not in f"{refused.value} {refused.value.exchange.response_body} {refused.value.exchange}"


async def test_an_authority_that_does_not_answer_is_unreachable(clock: SettableClock) -> None:
    with pytest.raises(Unreachable):
        await TokenSource(replies(ConnectionRefused()), clock).token(CLIENT)
