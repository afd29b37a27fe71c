"""Another sealing key for everything that is sealed, so that a crash at any moment leaves a database that opens.

With a key file: the new key is durable as ``secret.key.next`` before anything is sealed with it; one commit seals
everything anew and changes the check value; then the file gets its name. Whoever opens the database after a crash
between the last two finds that the next key fits, and renames it (``app.services``). With ``PROVISOR_SECRET_KEY`` the
new key is the operator's, who puts it into the variable afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

from provisor.app.locks import take_presence, take_worker_lock
from provisor.app.services import AppServices
from provisor.app.upkeep.store import UpkeepStore
from provisor.errors import Conflict, InvalidInput
from provisor.security.actor import Actor, Right
from provisor.security.secrets import VARIABLE, key_of, new_key, take_pending, write_pending


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many secrets were sealed anew, and the ids of both keys."""

    secrets: int
    before: str
    after: str
    in_variable: bool


async def rotate(services: AppServices, actor: Actor, given: str | None = None) -> Rotated:
    """Seal everything with a new key. ``given``: its text, demanded where the present one is in the variable.

    Raises ``Conflict`` while a server or worker runs: every process holds the key that it was started with; and
    ``InvalidInput``.
    """
    actor.require(Right.TENANTS_MANAGE)
    settings, old = services.settings, services.key
    in_variable = old.origin == VARIABLE
    if in_variable and given is None:
        raise InvalidInput(
            f"The sealing key is in {VARIABLE}, so the new one has to be given.",
            hint="Write it to a file that only you can read, and name that with --new-key-file.",
        )
    key = new_key("a new key") if given is None else key_of(given, "the new key")
    if key.id == old.id:
        raise InvalidInput("This is the key that everything is sealed with already.")
    presence = await take_presence(settings, alone=True)
    url = settings.database_url if settings.engine == "postgresql" else None
    lock = await take_worker_lock(folder=settings.lock_dir, url=url, executor_id="rotation" if url else None)
    try:
        if lock is None or presence is None:
            raise Conflict(
                "A server or worker runs on this database.",
                hint="Stop every one of them, rotate, then start them again.",
            )
        if not in_variable:
            write_pending(settings.data_dir, key)
        store, now = UpkeepStore(services.database), services.clock.now_ms()
        count = await store.seal_anew(old, key, services.root, actor=actor, at=now)
        if not in_variable:
            take_pending(settings.data_dir)
    finally:
        for held in (lock, presence):
            if held is not None:
                await held.release()
    return Rotated(count, old.id, key.id, in_variable)
