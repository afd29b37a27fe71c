"""Accounts: proving who one is. By a password, and for who has one set up, by a second factor.

Every attempt is counted as wrong before it is checked, in one transaction per attempt: parallel guesses gain nothing.
A name that nobody has costs the same time and locks the same way as one that somebody has.
"""

from __future__ import annotations

import asyncio

import msgspec

from provisor.clock import Clock
from provisor.errors import Conflict
from provisor.security.passwords import Passwords
from provisor.security.secrets import SealBroken, SealedElsewhere, Sealer
from provisor.signin.accounts import totp
from provisor.signin.accounts.lockout import ACCOUNT, ADDRESS, CODE, account_key, address_key
from provisor.signin.accounts.model import (
    Account,
    Checked,
    CodeRefused,
    Enrolment,
    Next,
    SecondFactor,
    SignInRefused,
    TooManyAttempts,
)
from provisor.signin.accounts.passwords import LONGEST, check_password
from provisor.signin.accounts.store import AccountStore
from provisor.signin.people import Kind, Person, PersonKey
from provisor.signin.sessions import Origin, Sessions
from provisor.signin.store import SignInStore

# How long one may take between the password and the code.
PENDING_MS = 10 * 60_000
_LONGEST_LOGIN = 320
_WRONG = "The user name or the password is wrong."


class _Pending(msgspec.Struct, frozen=True):
    """What a browser holds, sealed, between the password and the second factor."""

    kind: Kind
    realm_id: str
    subject_id: str
    next: Next
    ends: int


class Accounts:
    """Passwords and second factors of both realms' people.

    ``require_second_factor``: administrators without one have to set it up before they are let in. ``pepper``: the
    server's secret, for recovery codes.
    """

    def __init__(
        self,
        store: AccountStore,
        people: SignInStore,
        sessions: Sessions,
        passwords: Passwords,
        sealer: Sealer,
        clock: Clock,
        *,
        pepper: bytes,
        require_second_factor: bool = False,
    ) -> None:
        self._store = store
        self._people = people
        self._sessions = sessions
        self._passwords = passwords
        self._sealer = sealer
        self._clock = clock
        self._pepper = pepper
        self._require = require_second_factor
        self._decoy: str | None = None
        self._making_decoy = asyncio.Lock()

    async def check(self, kind: Kind, login: str, password: str, origin: Origin, realm_id: str = "") -> Checked:
        """Who has this name and this password; ``realm_id`` empty: in whichever tenant or company.

        Raises ``SignInRefused``, which does not say what was wrong, and ``TooManyAttempts``.
        """
        login = login.strip().lower()[:_LONGEST_LOGIN]
        account, address = account_key(kind, login), address_key(origin.address)
        await self._count(account, address)
        tried = False
        for key, hashed in await self._store.candidates(kind, realm_id, login):
            if hashed is None:
                continue
            tried = True
            if not await self._matches(password, hashed):
                continue
            person = await self._people.person(key)
            if person is None or not person.active:
                continue  # as if the password were wrong: who was dismissed learns nothing
            await self._store.succeed(account, address)
            if self._passwords.needs_rehash(hashed):
                await self._store.rehash(key, await self._passwords.hash(password))
            return Checked(person, await self._next(person))
        if not tried:
            await self._pretend(password)
        raise SignInRefused(_WRONG, hint="Check both. The server's operator can let you in again.")

    async def person(self, tenant_id: str, user_id: str) -> Person:
        """A tenant's person as they are now. Raises ``SignInRefused`` for who is gone."""
        return await self._known(PersonKey("tenant", tenant_id, user_id))

    async def note_sign_in(self, key: PersonKey, origin: Origin) -> None:
        """Somebody was let in."""
        await self._store.note_sign_in(await self._known(key), self._clock.now_ms(), origin.address)

    async def has_password(self, key: PersonKey) -> bool:
        """Whether the person can sign in with one."""
        return (await self._store.account(key)).password_hash is not None

    async def set_first_password(self, person: Person, password: str) -> None:
        """The password of who came by a one-time link; a second factor from before is gone. ``PasswordUnfit``."""
        check_password(password, (person.login, person.realm_name))
        hashed = await self._passwords.hash(password)
        await self._store.set_password(person, hashed, self._clock.now_ms(), drop_second_factor=True)
        await self._store.forget_attempts(account_key(person.key.kind, person.login))
        self._sessions.forget()

    async def change_password(self, key: PersonKey, old: str, new: str, origin: Origin) -> None:
        """One's own; every session and token from before ends. Raises ``SignInRefused``, ``PasswordUnfit``."""
        person, account = await self._known(key), await self._store.account(key)
        name, address = account_key(key.kind, person.login), address_key(origin.address)
        await self._count(name, address)
        if account.password_hash is None or not await self._matches(old, account.password_hash):
            raise SignInRefused("The present password is wrong.")
        await self._store.succeed(name, address)
        check_password(new, (person.login, person.realm_name))
        await self._store.set_password(person, await self._passwords.hash(new), self._clock.now_ms())
        self._sessions.forget()

    async def sign_out_everywhere(self, key: PersonKey) -> None:
        """End every session and token of a person."""
        await self._store.set_not_before(await self._known(key), self._clock.now_ms())
        await self._sessions.end_all(key)

    # Between the password and the second factor

    def pending(self, checked: Checked) -> str:
        """What the browser holds meanwhile: sealed, for ten minutes."""
        key = checked.person.key
        said = _Pending(key.kind, key.realm_id, key.subject_id, checked.next, self._clock.now_ms() + PENDING_MS)
        return self._sealer.seal(msgspec.msgpack.encode(said), "sign-in/pending").hex()

    async def resume(self, text: str) -> Checked | None:
        """Who that is, and what is still to be done; null for what is none, or took too long."""
        try:
            said = msgspec.msgpack.decode(self._sealer.open(bytes.fromhex(text), "sign-in/pending"), type=_Pending)
        except (ValueError, msgspec.DecodeError, SealBroken, SealedElsewhere):
            return None
        if said.ends <= self._clock.now_ms():
            return None
        person = await self._people.person(PersonKey(said.kind, said.realm_id, said.subject_id))
        if person is None or not person.active:
            return None
        # As it is now: what was to be set up may have been set up meanwhile.
        return Checked(person, await self._next(person))

    async def check_code(self, key: PersonKey, code: str) -> None:
        """A code of the person's second factor, or one of the recovery codes: each works once.

        Raises ``CodeRefused``, ``TooManyAttempts``.
        """
        guard = f"code:{key.kind}:{key.realm_id}:{key.subject_id}"
        locked = await self._store.attempt([(guard, CODE)], self._clock.now_ms())
        if locked is not None:
            raise self._too_many(locked)
        account = await self._store.account(key)
        if not account.has_second_factor or not await self._use_code(account, code):
            raise CodeRefused(hint="Wait for the next one, or use a recovery code.")
        await self._store.forget_attempts(guard)

    # One's own second factor

    async def second_factor(self, key: PersonKey) -> SecondFactor:
        """What there is."""
        account = await self._store.account(key)
        return SecondFactor(account.has_second_factor, await self._store.count_recovery_codes(key))

    async def begin_second_factor(self, key: PersonKey) -> Enrolment:
        """A new secret; it counts once a code of it was seen. Raises ``Conflict`` where there is one already."""
        person, account = await self._known(key), await self._store.account(key)
        if account.has_second_factor:
            raise Conflict("A second factor is set up already.", hint="Remove it first.")
        secret = totp.make_secret()
        await self._store.set_totp(key, self._sealer.seal(secret.encode(), _row_name(key)))
        return self._enrolment(person, secret)

    async def enrolment(self, key: PersonKey) -> Enrolment:
        """The secret that is being set up, once more; a new one where there is none."""
        account = await self._store.account(key)
        if account.totp_sealed is None or account.has_second_factor:
            return await self.begin_second_factor(key)
        return self._enrolment(await self._known(key), self._secret(account))

    async def confirm_second_factor(self, key: PersonKey, code: str) -> list[str]:
        """From now on a code is asked for; the recovery codes, this once. Raises ``CodeRefused``."""
        account = await self._store.account(key)
        if account.has_second_factor:
            raise Conflict("A second factor is set up already.", hint="Remove it first.")
        step = (
            None
            if account.totp_sealed is None
            else totp.matching_step(self._secret(account), code, self._clock.now_ms(), account.totp_step)
        )
        if step is None or not await self._store.use_step(key, step):
            raise CodeRefused(hint="See that the device's clock is right, and enter the code that it shows now.")
        codes = totp.make_recovery_codes()
        await self._store.confirm_totp(await self._known(key), self._clock.now_ms(), self._hashes(codes))
        return codes

    async def new_recovery_codes(self, key: PersonKey, code: str) -> list[str]:
        """In the place of those before, this once. ``code``: of the second factor. Raises ``CodeRefused``."""
        await self.check_code(key, code)
        codes = totp.make_recovery_codes()
        await self._store.set_recovery_codes(key, self._hashes(codes))
        return codes

    async def remove_second_factor(self, key: PersonKey, code: str) -> None:
        """``code``: as for ``check_code``. Raises ``CodeRefused``, and ``Conflict`` where everybody needs one."""
        person = await self._known(key)
        if self._require and person.is_administrator:
            raise Conflict("Administrators need a second factor here.", hint="'provisor admin reset' begins anew.")
        await self.check_code(key, code)
        await self._store.drop_totp(person, self._clock.now_ms())

    async def purge(self) -> int:
        """Delete counts of attempts that are too old to count; how many."""
        return await self._store.purge_attempts(self._clock.now_ms() - 24 * 3_600_000)

    async def _next(self, person: Person) -> Next:
        if (await self._store.account(person.key)).has_second_factor:
            return "code"
        return "enrol" if self._require and person.is_administrator else "done"

    async def _count(self, account: str, address: str) -> None:
        locked = await self._store.attempt([(account, ACCOUNT), (address, ADDRESS)], self._clock.now_ms())
        if locked is not None:
            raise self._too_many(locked)

    def _too_many(self, locked_until: int) -> TooManyAttempts:
        minutes = max(1, -(-(locked_until - self._clock.now_ms()) // 60_000))
        return TooManyAttempts(
            "There were too many wrong attempts.", hint=f"Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        )

    async def _matches(self, password: str, hashed: str) -> bool:
        return len(password) <= LONGEST and await self._passwords.matches(password, hashed)

    async def _pretend(self, password: str) -> None:
        """Take the time of a check, so that the time does not tell whether somebody has this name."""
        async with self._making_decoy:
            if self._decoy is None:
                self._decoy = await self._passwords.hash("nobody's")
        await self._matches(password, self._decoy)

    async def _use_code(self, account: Account, code: str) -> bool:
        step = totp.matching_step(self._secret(account), code, self._clock.now_ms(), account.totp_step)
        if step is not None:
            return await self._store.use_step(account.key, step)
        hashed = totp.recovery_hash(code, self._pepper)
        return hashed is not None and await self._store.use_recovery_code(account.key, hashed)

    def _secret(self, account: Account) -> str:
        return self._sealer.open(account.totp_sealed or b"", _row_name(account.key)).decode()

    @staticmethod
    def _enrolment(person: Person, secret: str) -> Enrolment:
        return Enrolment(secret, totp.uri(secret, person.login, person.realm_name))

    def _hashes(self, codes: list[str]) -> list[str]:
        return [hashed for code in codes if (hashed := totp.recovery_hash(code, self._pepper)) is not None]

    async def _known(self, key: PersonKey) -> Person:
        person = await self._people.person(key)
        if person is None:
            raise SignInRefused("This person is gone.")
        return person


def _row_name(key: PersonKey) -> str:
    """What a sealed secret is bound to."""
    return f"{key.kind}/{key.realm_id}/{key.subject_id}/totp"
