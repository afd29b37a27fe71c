"""The text of an API key, and what an Authorization header may look like."""

from __future__ import annotations

from datetime import date

import pytest

from provisor.clock import parse_iso
from provisor.errors import InvalidInput
from provisor.provider import keys
from provisor.provider.model import MalformedKey, NoCredential, NotBearer

NOON = parse_iso("2026-05-10T12:00:00Z")


def test_a_key_is_read_back_from_its_header_in_any_spelling_of_the_scheme() -> None:
    key_id, text = keys.make()
    for header in (f"Bearer {text}", f"bearer {text}", f"BEARER  {text} "):
        assert keys.read_header(header) == (key_id, text)


def test_every_key_has_a_secret_of_its_own() -> None:
    assert len({keys.make()[1] for _ in range(100)}) == 100


def test_the_shown_start_tells_nothing_of_the_secret() -> None:
    key_id, text = keys.make()
    assert text.startswith(keys.start_of(text))
    assert len(keys.start_of(text)) < len(f"pvk_{key_id}_")


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (None, NoCredential),
        ("", NoCredential),
        ("Basic dXNlcjpwYXNz", NotBearer),
        ("Bearer", MalformedKey),
        ("Bearer eyJhbGciOiJub25lIn0.e30.", MalformedKey),
        ('Bearer "pvk_x"', MalformedKey),
    ],
)
def test_a_header_that_is_no_key_says_which_way(header: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        keys.read_header(header)


def test_the_code_depends_on_the_pepper() -> None:
    text = keys.make()[1]
    assert keys.mac(text, b"one") != keys.mac(text, b"two")


def test_a_key_lives_to_the_end_of_its_last_day_in_utc() -> None:
    assert keys.expiry("2026-05-10", NOON) == parse_iso("2026-05-11T00:00:00Z")
    assert keys.expiry(date(2026, 5, 11), NOON) == parse_iso("2026-05-12T00:00:00Z")


@pytest.mark.parametrize("day", ["2026-05-09", "10.05.2026", "soon", "9999-12-31"])
def test_an_expiry_in_the_past_or_out_of_reach_is_refused(day: str) -> None:
    with pytest.raises(InvalidInput):
        keys.expiry(day, NOON)
