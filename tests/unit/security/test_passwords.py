"""Passwords: argon2id with the parameters that the architecture names, in a pool that is bounded."""

from __future__ import annotations

import asyncio
import re

from provisor.security.passwords import Passwords

FORM = re.compile(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]{22,}\$[^$]{40,}")


async def test_a_password_matches_its_hash_and_no_other() -> None:
    passwords = Passwords()
    one, two = await asyncio.gather(passwords.hash("correct horse"), passwords.hash("correct horse"))
    assert one != two
    assert FORM.fullmatch(one)
    assert not passwords.needs_rehash(one)
    assert await passwords.matches("correct horse", one)
    assert not await passwords.matches("correct horsf", one)
    assert not await passwords.matches("correct horse", "damaged")


async def test_hashing_leaves_the_loop_free() -> None:
    passwords = Passwords(threads=1)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(turn())
    await asyncio.gather(*(passwords.hash(str(number)) for number in range(3)))
    task.cancel()
    assert turns > 3
