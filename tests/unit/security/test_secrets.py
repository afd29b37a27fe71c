"""Secrets at rest: the master key, what is derived from it, and sealed values."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisor.security.secrets import KeyUnusable, MasterKey, SealBroken, SealedElsewhere, Sealer, load_key

KEY = MasterKey(bytes(range(32)), "PROVISOR_SECRET_KEY")
OTHER = MasterKey(bytes(reversed(range(32))), "PROVISOR_SECRET_KEY")


@settings(max_examples=30)
@given(st.binary(max_size=200), st.text(max_size=40))
def test_what_was_sealed_is_opened_with_the_same_row_name(plaintext: bytes, row: str) -> None:
    assert Sealer(KEY).open(Sealer(KEY).seal(plaintext, row), row) == plaintext


def test_sealing_twice_gives_different_bytes_and_never_the_plaintext() -> None:
    sealer = Sealer(KEY)
    one, two = sealer.seal(b"hunter2-hunter2", "row"), sealer.seal(b"hunter2-hunter2", "row")
    assert one != two
    assert b"hunter2" not in one


def test_a_ciphertext_that_was_moved_to_another_row_does_not_open() -> None:
    sealed = Sealer(KEY).seal(b"secret", "tenant/job-1/SecretToken")
    with pytest.raises(SealBroken, match="tenant/job-2/SecretToken was altered, or moved"):
        Sealer(KEY).open(sealed, "tenant/job-2/SecretToken")


def test_another_key_is_told_apart_by_its_id() -> None:
    sealed = Sealer(KEY).seal(b"secret", "row")
    with pytest.raises(SealedElsewhere) as caught:
        Sealer(OTHER).open(sealed, "row")
    assert KEY.id in str(caught.value)
    assert OTHER.id in str(caught.value)
    assert "PROVISOR_SECRET_KEY" in str(caught.value)


@pytest.mark.parametrize("position", [0, 9, 20, 21, -1])
def test_a_changed_byte_anywhere_is_noticed(position: int) -> None:
    sealed = bytearray(Sealer(KEY).seal(b"secret", "row"))
    sealed[position] ^= 1
    with pytest.raises((SealBroken, SealedElsewhere)):
        Sealer(KEY).open(bytes(sealed), "row")


@pytest.mark.parametrize("length", [0, 1, 8, 9, 15, 21, 30])
def test_a_truncated_value_is_broken_and_not_a_crash(length: int) -> None:
    sealed = Sealer(KEY).seal(b"secret", "row")
    with pytest.raises(SealBroken):
        Sealer(KEY).open(sealed[:length], "row")


def test_derived_keys_differ_by_purpose_and_by_master_key_and_stay_the_same() -> None:
    derived = {KEY.derive("sealing"), KEY.derive("pepper"), OTHER.derive("sealing"), OTHER.derive("pepper")}
    assert len(derived) == 4
    assert {len(one) for one in derived} == {32}
    assert KEY.derive("sealing") == MasterKey(KEY.material, "elsewhere").derive("sealing")


def test_what_is_derived_for_a_purpose_never_changes() -> None:
    # Peppers and sealed values outlive releases: another derivation would lock everybody out.
    assert KEY.id == "30f4df6656b5fdc5"
    assert KEY.derive("pepper").hex() == "6418df486eee9213e57e07b605a917f7e77989ebc7584fff8d3a7357cdc3c354"


def test_the_key_does_not_show_in_its_representation() -> None:
    assert KEY.material.hex() not in repr(KEY)
    assert str(KEY.material) not in repr(KEY)


@pytest.mark.parametrize(
    "text",
    [
        KEY.material.hex(),
        KEY.material.hex().upper(),
        base64.b64encode(KEY.material).decode(),
        base64.b64encode(KEY.material).decode().rstrip("="),
        base64.urlsafe_b64encode(KEY.material).decode(),
        f"  {KEY.material.hex()}\n",
    ],
)
def test_the_variable_holds_32_bytes_in_hexadecimal_or_base64(text: str) -> None:
    assert load_key(None, {"PROVISOR_SECRET_KEY": text}).material == KEY.material


@pytest.mark.parametrize(
    "text", ["correct horse battery staple", "ab" * 16, "zz" * 32, base64.b64encode(b"x" * 31).decode()]
)
def test_anything_else_in_the_variable_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(KeyUnusable) as caught:
        load_key(None, {"PROVISOR_SECRET_KEY": text})
    assert "PROVISOR_SECRET_KEY" in str(caught.value)
    assert "token_hex(32)" in str(caught.value)
    assert text not in str(caught.value)


def test_the_first_start_makes_a_private_key_file_and_the_next_one_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    first = load_key(folder, {})
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600
    assert load_key(folder, {}) == first
    assert first.origin == str(folder / "secret.key")
    assert [file.name for file in folder.iterdir()] == ["secret.key"]


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    assert load_key(tmp_path / "a", {}).material != load_key(tmp_path / "b", {}).material


def test_the_variable_comes_before_the_file_and_makes_none(tmp_path: Path) -> None:
    assert load_key(tmp_path, {"PROVISOR_SECRET_KEY": KEY.material.hex()}).material == KEY.material
    assert not (tmp_path / "secret.key").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    load_key(tmp_path, {})
    (tmp_path / "secret.key").chmod(mode)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        load_key(tmp_path, {})


def test_a_damaged_key_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    file.touch(mode=0o600)
    file.write_text("abc")
    with pytest.raises(KeyUnusable, match=r"secret\.key"):
        load_key(tmp_path, {})
    assert file.read_text() == "abc"


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyUnusable, match="cannot be read or made"):
        load_key(tmp_path / "file", {})


def test_postgresql_needs_the_variable_whatever_lies_in_the_folder(tmp_path: Path) -> None:
    load_key(tmp_path, {})
    with pytest.raises(KeyUnusable, match="every process") as caught:
        load_key(tmp_path, {}, database="postgresql")
    assert "token_hex(32)" in str(caught.value)
    assert load_key(tmp_path, {"PROVISOR_SECRET_KEY": KEY.material.hex()}, database="postgresql") == KEY


def test_without_a_folder_and_a_variable_there_is_no_key() -> None:
    with pytest.raises(KeyUnusable, match="no data folder"):
        load_key(None, {"PROVISOR_SECRET_KEY": "  "})
