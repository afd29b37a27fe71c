"""Beneath every flow: passwords. Argon2id in a bounded pool: hashing takes neither the event loop nor all cores."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

_TIME_COST = 2
_MEMORY_KIB = 19 * 1024
_PARALLELISM = 1
_THREADS = 2


class Passwords:
    """Hashes passwords and checks them. One hash takes about 20 ms and 19 MiB; ``threads`` run at a time.

    The threads start with the first password and end with the process.
    """

    def __init__(self, threads: int = _THREADS) -> None:
        self._hasher = PasswordHasher(
            time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=_PARALLELISM, type=Type.ID
        )
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="provisor-password")

    async def hash(self, password: str) -> str:
        """The hash with its salt and parameters, ``$argon2id$…``: another one each time."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._hasher.hash, password)

    async def matches(self, password: str, hashed: str) -> bool:
        """Whether ``hashed`` was made of this password; a damaged hash was made of none."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._check, password, hashed)

    def needs_rehash(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def _check(self, password: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
