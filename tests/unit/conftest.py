"""Unit tests touch no network: opening any socket but the event loop's own pair of Unix sockets fails the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    # Per test, for the plugin lifts every restriction after each.
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
