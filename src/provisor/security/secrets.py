"""Beneath every flow: secrets at rest. One master key; from it a sealing key and the pepper of the API keys.

    KeyUnusable         InvalidInput   no key, or one that cannot be used
    SealedElsewhere     Unavailable    sealed with another master key
    SealBroken          Unavailable    altered, or moved from the row that it was sealed for

A sealed value is one format byte, eight bytes of key id, twelve of nonce, then AES-256-GCM's ciphertext with its tag.
The associated data names the row, so that a ciphertext copied into another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from provisor.errors import InvalidInput, Unavailable

VARIABLE = "PROVISOR_SECRET_KEY"
FILE_NAME = "secret.key"
# The key of a rotation, until its commit.
NEXT_NAME = "secret.key.next"
KEY_BYTES = 32

_HOW_TO_MAKE_ONE = 'Make one with: python3 -c "import secrets; print(secrets.token_hex(32))"'
_FORMAT = b"\x01"
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_HEADER_BYTES = len(_FORMAT) + _KEY_ID_BYTES


class KeyUnusable(InvalidInput):
    """There is no master key that can be used."""


class SealedElsewhere(Unavailable):
    """A stored secret was sealed with another master key."""


class SealBroken(Unavailable):
    """A stored secret was altered, or does not belong where it is stored."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 random bytes and where they came from. Never used itself: only what ``derive`` makes of it."""

    material: bytes = field(repr=False)
    origin: str  # for messages: the variable's name, or the file's path

    def __post_init__(self) -> None:
        if len(self.material) != KEY_BYTES:
            raise KeyUnusable(f"The key in {self.origin} is not {KEY_BYTES} bytes long.", hint=_HOW_TO_MAKE_ONE)

    def derive(self, purpose: str, length: int = KEY_BYTES) -> bytes:
        """``length`` bytes for one purpose (HKDF-SHA256, RFC 5869): one purpose's tells nothing about another's."""
        return HKDF(SHA256(), length, salt=None, info=f"provisor {purpose}".encode()).derive(self.material)

    @property
    def id(self) -> str:
        """16 hexadecimal digits that name this key and do not disclose it."""
        return self.derive("key id", _KEY_ID_BYTES).hex()


class Sealer:
    """Seals small secrets with AES-256-GCM under a key that is derived from the master key."""

    def __init__(self, key: MasterKey) -> None:
        self._key = key
        self._header = _FORMAT + bytes.fromhex(key.id)
        self._cipher = AESGCM(key.derive("sealing"))

    def seal(self, plaintext: bytes, aad: str) -> bytes:
        """The sealed form of ``plaintext``, to be opened with the same ``aad`` (the row's name) only."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._header + nonce + self._cipher.encrypt(nonce, plaintext, self._associated(aad))

    def open(self, sealed: bytes, aad: str) -> bytes:
        """What was sealed. Raises ``SealedElsewhere`` for another key's, ``SealBroken`` for altered or moved data."""
        header, rest = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:]
        if len(header) < _HEADER_BYTES or header[:1] != _FORMAT:
            raise SealBroken(
                f"The stored secret of {aad} is damaged: it does not begin as a sealed value does.",
                hint="Enter the secret again.",
            )
        if header != self._header:
            raise SealedElsewhere(
                f"The stored secret of {aad} was sealed with the key {header[1:].hex()}, "
                f"but {self._key.origin} holds the key {self._key.id}.",
                hint="Give the key that it was sealed with, or enter the secret again.",
            )
        try:
            return self._cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], self._associated(aad))
        except (InvalidTag, ValueError) as error:  # ValueError: too short for a nonce and a tag
            raise SealBroken(
                f"The stored secret of {aad} was altered, or moved there from another row.",
                hint="Enter the secret again, and find out who writes to the database.",
            ) from error

    def _associated(self, aad: str) -> bytes:
        return self._header + aad.encode()


def load_key(
    data_dir: Path | None, environment: Mapping[str, str], *, database: Literal["sqlite", "postgresql"] = "sqlite"
) -> MasterKey:
    """The master key: ``PROVISOR_SECRET_KEY``, else (on SQLite) ``DIR/secret.key``, which is made when missing.

    Several machines work on one PostgreSQL, and a key file would differ from one to the next: there, the variable is
    demanded. Raises ``KeyUnusable``.
    """
    text = environment.get(VARIABLE, "").strip()
    if text:
        return MasterKey(_decode(text, VARIABLE), VARIABLE)
    if database == "postgresql":
        raise KeyUnusable(
            f"{VARIABLE} is not set, and with PostgreSQL it must be: every process needs the same key.",
            hint=f"{_HOW_TO_MAKE_ONE} and give it to every process of this installation.",
        )
    if data_dir is None:
        raise KeyUnusable(
            f"{VARIABLE} is not set, and there is no data folder to keep a key in.",
            hint=f"Name a data folder, or set the variable. {_HOW_TO_MAKE_ONE}",
        )
    path = data_dir / FILE_NAME
    try:
        if not path.exists():
            _make_file(path)
        text = _read_private(path)
    except OSError as error:
        raise KeyUnusable(
            f"The key file {path} cannot be read or made: {error.strerror}.",
            hint=f"Give this user the right to it, or set {VARIABLE}.",
        ) from error
    return MasterKey(_decode(text, str(path)), str(path))


def pending_key(data_dir: Path) -> MasterKey | None:
    """The key of a rotation that was cut off before its file had its name, or null."""
    path = data_dir / NEXT_NAME
    return MasterKey(_decode(_read_private(path), str(path)), str(path)) if path.exists() else None


def new_key(origin: str) -> MasterKey:
    """A fresh key."""
    return MasterKey(secrets.token_bytes(KEY_BYTES), origin)


def write_pending(data_dir: Path, key: MasterKey) -> None:
    """Make a rotation's key durable before anything is sealed with it."""
    (data_dir / NEXT_NAME).unlink(missing_ok=True)
    _make_file(data_dir / NEXT_NAME, key.material.hex())


def take_pending(data_dir: Path) -> None:
    """The rotation is committed: its key is the key."""
    (data_dir / NEXT_NAME).replace(data_dir / FILE_NAME)
    _sync_folder(data_dir)


def key_of(text: str, origin: str) -> MasterKey:
    """A key that somebody gave as text. Raises ``KeyUnusable``."""
    return MasterKey(_decode(text.strip(), origin), origin)


def _decode(text: str, origin: str) -> bytes:
    """32 bytes from 64 hexadecimal digits or from base64 (either alphabet, padded or not)."""
    try:
        if len(text) == 2 * KEY_BYTES:
            return bytes.fromhex(text)
        plain = text.translate(str.maketrans("-_", "+/")).rstrip("=")
        material = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        material = b""
    if len(material) != KEY_BYTES:
        # The text itself is a secret, or a typing error away from one: it is not shown.
        raise KeyUnusable(
            f"The key in {origin} is not {KEY_BYTES} bytes in hexadecimal or base64 ({len(text)} characters found).",
            hint=_HOW_TO_MAKE_ONE,
        )
    return material


def _read_private(path: Path) -> str:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise KeyUnusable(
                f"The key file {path} can be read by others (its mode is {mode:04o}).",
                hint=f"Run: chmod 600 {path} - and think of whether others have read it.",
            )
        return file.read(1024).decode("ascii", "replace").strip()


def _make_file(path: Path, text: str | None = None) -> None:
    """Make the key file, whole or not at all; when another process makes it at the same time, that one's stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{text or secrets.token_hex(KEY_BYTES)}\n")
            file.flush()
            os.fsync(file.fileno())
        # A link never replaces, a rename would. Losing the race is fine: the winner's key is read next.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
