"""Floor 1: identifiers. Time-ordered (RFC 9562 UUID version 7), because random keys halve SQLite's insert rate."""

from __future__ import annotations

import os
import threading
import time

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A UUIDv7 as 36 lower-case characters; ids of one process ascend in the order in which they were made."""
    global _last
    random_bits = int.from_bytes(os.urandom(8), "big")
    with _lock:
        # 48 bits of milliseconds and 12 bits that count within one: RFC 9562 section 6.2, method 3.
        stamp = time.time_ns() * 4096 // 1_000_000
        _last = stamp = max(stamp, _last + 1)
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random_bits >> 2
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
