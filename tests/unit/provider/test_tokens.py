"""Access tokens prove themselves, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.provider.clients import tokens
from provisor.provider.clients.model import BadToken

KEY = b"k" * 32
CLIENT, SECRET = tokens.make_id(), tokens.make_id()
TOKEN = tokens.make_token(CLIENT, SECRET, 1_800_000_000_000, KEY)


@given(st.integers(min_value=0, max_value=2**47))
def test_a_token_says_what_it_was_made_of(ends: int) -> None:
    assert tokens.read_token(tokens.make_token(CLIENT, SECRET, ends, KEY), KEY) == (CLIENT, SECRET, ends)


@given(st.integers(min_value=0, max_value=len(TOKEN) - 1), st.sampled_from("0a_-.Z "))
def test_a_token_with_one_character_changed_is_none_of_ours(at: int, character: str) -> None:
    changed = TOKEN[:at] + character + TOKEN[at + 1 :]
    if changed != TOKEN:
        with pytest.raises(BadToken):
            tokens.read_token(changed, KEY)


def test_a_token_of_another_servers_key_is_none_of_ours() -> None:
    with pytest.raises(BadToken):
        tokens.read_token(TOKEN, b"o" * 32)


def test_a_secret_is_no_token_and_a_token_no_secret() -> None:
    secret_id, text = tokens.make_secret()
    assert tokens.secret_id_of(text) == secret_id
    assert tokens.secret_id_of(TOKEN) is None
    with pytest.raises(BadToken):
        tokens.read_token(text, KEY)
