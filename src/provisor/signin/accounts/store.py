"""Accounts in the database, and the counts of wrong attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from provisor.events.audit import activities
from provisor.events.audit.model import Activity, NewEntry, Target
from provisor.events.audit.store import record
from provisor.security.actor import Actor
from provisor.signin.accounts.lockout import Attempts, Policy, attempted
from provisor.signin.accounts.model import Account
from provisor.signin.people import Kind, Person, PersonKey
from provisor.storage.database import Database, Params, Tx
from provisor.storage.queries import named_queries

_SQL = named_queries("provisor.signin.accounts")
# One e-mail address may be a person's of several companies, each with a password of its own.
_MOST_CANDIDATES = 5


class AccountStore:
    """Persistence of ``provisor.signin.accounts.service``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def candidates(self, kind: Kind, realm_id: str, login: str) -> list[tuple[PersonKey, str | None]]:
        """Whom a name can mean (``realm_id`` empty: anywhere), each with the password's hash; the likeliest first."""
        params = {
            "realm_id": realm_id,
            "login": login,
            "domain": login.rpartition("@")[2],
            "most": _MOST_CANDIDATES,
        }

        async def work(tx: Tx) -> list[tuple[PersonKey, str | None]]:
            rows = await tx.fetch_all(_SQL[f"{kind}_candidates"], params)
            return [(PersonKey(kind, row[0], row[1]), row[2]) for row in rows]

        return await self._database.read(work)

    async def account(self, key: PersonKey) -> Account:
        """A person's account; an empty one where there is none yet."""

        async def work(tx: Tx) -> Account:
            row = await tx.fetch_one(_SQL["account"], _row(key))
            if row is None:
                return Account(key)
            sealed = None if row[1] is None else bytes(row[1])
            return Account(key, row[0], sealed, row[2], row[3], row[4])

        return await self._database.read(work)

    async def set_password(
        self,
        person: Person,
        hashed: str,
        at: int,
        *,
        drop_second_factor: bool = False,
        actor: Actor | None = None,
    ) -> None:
        """A new password. Sessions and tokens from before ``at`` do not count any more. ``actor``: null: themselves."""
        key = person.key

        async def work(tx: Tx) -> None:
            await _told(tx, activities.SET_PASSWORD, person, at, actor=actor)
            await tx.execute(_SQL["open_account"], _row(key))
            await tx.execute(_SQL["set_password"], {**_row(key), "password_hash": hashed, "at": at})
            if drop_second_factor:
                await tx.execute(_SQL["set_totp"], {**_row(key), "sealed": None})
                await tx.execute(_SQL["delete_recovery_codes"], _row(key))

        await self._database.write(work)

    async def rehash(self, key: PersonKey, hashed: str) -> None:
        """The same password under today's parameters."""
        await self._execute("rehash", {**_row(key), "password_hash": hashed})

    async def set_not_before(self, person: Person, at: int) -> None:
        """Sessions and tokens from before ``at`` do not count any more."""
        key = person.key

        async def work(tx: Tx) -> None:
            await _told(tx, activities.SIGN_OUT_EVERYWHERE, person, at)
            await tx.execute(_SQL["open_account"], _row(key))
            await tx.execute(_SQL["set_not_before"], {**_row(key), "at": at})

        await self._database.write(work)

    async def note_sign_in(self, person: Person, at: int, address: str) -> None:
        """Somebody was let in from an address."""
        key = person.key

        async def work(tx: Tx) -> None:
            await _told(tx, activities.SIGN_IN, person, at, {"address": address})
            await tx.execute(_SQL["open_account"], _row(key))
            await tx.execute(_SQL["note_sign_in"], {**_row(key), "at": at})

        await self._database.write(work)

    # Second factor

    async def set_totp(self, key: PersonKey, sealed: bytes) -> None:
        """A secret that is not confirmed yet."""

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["open_account"], _row(key))
            await tx.execute(_SQL["set_totp"], {**_row(key), "sealed": sealed})
            await tx.execute(_SQL["delete_recovery_codes"], _row(key))

        await self._database.write(work)

    async def drop_totp(self, person: Person, at: int) -> None:
        """No second factor any more, and no recovery codes."""
        row = _row(person.key)

        async def work(tx: Tx) -> None:
            await _told(tx, activities.REMOVE_SECOND_FACTOR, person, at)
            await tx.execute(_SQL["set_totp"], {**row, "sealed": None})
            await tx.execute(_SQL["delete_recovery_codes"], row)

        await self._database.write(work)

    async def use_step(self, key: PersonKey, step: int) -> bool:
        """Whether the code of this step was not used before."""
        return await self._execute("use_step", {**_row(key), "step": step}) == 1

    async def confirm_totp(self, person: Person, at: int, recovery_hashes: Sequence[str]) -> None:
        """From now on a code is asked for; these are the recovery codes."""
        key = person.key

        async def work(tx: Tx) -> None:
            await _told(tx, activities.ADD_SECOND_FACTOR, person, at)
            await tx.execute(_SQL["confirm_totp"], {**_row(key), "at": at})
            await _replace_recovery_codes(tx, key, recovery_hashes)

        await self._database.write(work)

    async def set_recovery_codes(self, key: PersonKey, hashes: Sequence[str]) -> None:
        """These, in the place of those before."""

        async def work(tx: Tx) -> None:
            await _replace_recovery_codes(tx, key, hashes)

        await self._database.write(work)

    async def use_recovery_code(self, key: PersonKey, hash_: str) -> bool:
        """Whether there was such a code, which there is not any more."""
        return await self._execute("use_recovery_code", {**_row(key), "hash": hash_}) == 1

    async def count_recovery_codes(self, key: PersonKey) -> int:
        async def work(tx: Tx) -> int:
            row = await tx.fetch_one(_SQL["count_recovery_codes"], _row(key))
            return 0 if row is None else int(row[0])

        return await self._database.read(work)

    # Attempts

    async def attempt(self, keys: Sequence[tuple[str, Policy]], now: int) -> int | None:
        """Count an attempt as wrong under every key; null: it may be checked. Else until when one of them is locked."""

        async def work(tx: Tx) -> int | None:
            after: list[tuple[str, Attempts]] = []
            for key, policy in sorted(keys):
                await tx.execute(_SQL["open_attempts"], {"key": key})
                row = await tx.fetch_one(_SQL["attempts"], {"key": key})
                allowed, known = attempted(Attempts() if row is None else Attempts(*row), policy, now)
                if not allowed:
                    return known.locked_until
                after.append((key, known))
            for key, known in after:
                await tx.execute(_SQL["set_attempts"], {"key": key, **asdict(known)})
            return None

        return await self._database.write(work)

    async def succeed(self, account: str, address: str) -> None:
        """The attempt was right: forget those at the account, and take back the one from the address."""

        async def work(tx: Tx) -> None:
            await tx.execute(_SQL["forget_attempts"], {"key": account})
            await tx.execute(_SQL["forgive"], {"key": address})

        await self._database.write(work)

    async def forget_attempts(self, key: str) -> None:
        await self._execute("forget_attempts", {"key": key})

    async def purge_attempts(self, before: int) -> int:
        """Delete what is not counted any more; how many."""
        return await self._execute("purge_attempts", {"before": before})

    async def _execute(self, query: str, params: Params) -> int:
        async def work(tx: Tx) -> int:
            return await tx.execute(_SQL[query], params)

        return await self._database.write(work)


async def _told(
    tx: Tx,
    activity: Activity,
    person: Person,
    at: int,
    details: Mapping[str, str] | None = None,
    actor: Actor | None = None,
) -> None:
    kind = "User" if person.key.kind == "tenant" else "Administrator"
    target = Target(kind, person.key.subject_id, person.login)
    entry = NewEntry(activity, actor or person.actor, (target,), details=details or {})
    await record(tx, person.actor.realm, [entry], at=at)


async def _replace_recovery_codes(tx: Tx, key: PersonKey, hashes: Sequence[str]) -> None:
    await tx.execute(_SQL["delete_recovery_codes"], _row(key))
    await tx.execute_many(_SQL["insert_recovery_code"], [{**_row(key), "hash": hash_} for hash_ in hashes])


def _row(key: PersonKey) -> dict[str, str]:
    return {"kind": key.kind, "realm_id": key.realm_id, "subject_id": key.subject_id}
