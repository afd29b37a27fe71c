"""Every step, before and after it: where a job stands, who may put its cycle into the queue, and what stops it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from provisor.events.audit.model import Activity
from provisor.provisioning.model import JobState
from provisor.provisioning.rechecking import store as rechecking
from provisor.provisioning.telling.store import SERVICE, Watched
from provisor.security.actor import Actor
from provisor.storage.database import Database, Row, Tx
from provisor.storage.queries import named_queries

SQL = named_queries("provisor.provisioning")


class JobStates:
    """The table ``job_state``, and what goes with its changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self, job_id: str, now: int) -> JobState:
        """Where a job stands; one that was never looked at is NotConfigured."""

        async def work(tx: Tx) -> JobState | None:
            row = await tx.fetch_one(SQL["job_state"], {"job_id": job_id})
            return _state(row) if row else None

        found = await self._database.read(work)
        if found is None:
            return JobState(job_id, "NotConfigured", None, None, None, None, None, None)
        return found

    async def set_code(
        self,
        job_id: str,
        code: str,
        *,
        now: int,
        next_run_at: int | None = None,
        quarantine: Mapping[str, Any] | None = None,
        stopped: bool = False,
        resume: bool = False,
        fresh_window: bool = False,
        again_from_start: bool = False,
        escrows: bool = False,
        drop_links: bool = False,
        activity: Activity | None = None,
        actor: Actor = SERVICE,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Start, pause, stop, restart: one commit, told by the audit log as ``activity`` (null: the service did it
        itself). The last three flags are those of ``resetScope`` (reference section 23).

        ``stopped``: whoever sends requests for the job ends at once. ``resume``: a stopped cycle goes on; without it,
        and with ``again_from_start``, it is left behind. ``fresh_window``: what was counted is forgotten.
        """

        async def work(tx: Tx) -> None:
            at = {"job_id": job_id, "now": now}
            watched = await Watched.before(tx, job_id)
            await tx.execute(SQL["create_job_state"], {**at, "code": code})
            await tx.execute(
                SQL["set_job_code"],
                {
                    **at,
                    "code": code,
                    "next_run_at": next_run_at,
                    "quarantine": msgspec.json.encode(quarantine).decode() if quarantine else None,
                    "stopped": stopped,
                },
            )
            if stopped:
                await tx.execute(SQL["stop_cycle"], at)
            if fresh_window:
                await tx.execute(SQL["forget_window"], {"job_id": job_id})
            if again_from_start:
                await tx.execute(SQL["forget_watermark"], at)
                await tx.execute(SQL["drop_stopped_cycle"], at)
            elif resume:
                await tx.execute(SQL["resume_cycle"], at)
            if escrows:
                await tx.execute(SQL["clear_escrows"], at)
                await tx.execute(SQL["clear_member_escrows"], at)
            if drop_links:
                await tx.execute(SQL["all_links_gone"], {"job_id": job_id})
                await tx.execute(SQL["all_memberships_gone"], {"job_id": job_id})
                await tx.execute(SQL["search_unproved"], {"job_id": job_id})
            if again_from_start:
                await rechecking.ask(tx, job_id)
            await watched.after(tx, at=now, activity=activity, actor=actor, details=details)

        await self._database.write(work)

    async def stopped(self, job_id: str) -> bool:
        """Is nothing more to be sent for this job?"""

        async def work(tx: Tx) -> bool:
            row = await tx.fetch_one(SQL["is_stopped"], {"job_id": job_id})
            return bool(row and row[0])

        return await self._database.read(work)

    async def hasten(self, job_id: str, at: int) -> None:
        """The schedule's next run comes no later than this."""

        async def work(tx: Tx) -> None:
            await tx.execute(SQL["hasten"], {"job_id": job_id, "at": at})

        await self._database.write(work)

    async def save_credentials_state(self, job_id: str, story: Mapping[str, Any], now: int) -> None:
        """What became of a test of the credentials."""

        async def work(tx: Tx) -> None:
            at = {"job_id": job_id, "now": now}
            await tx.execute(SQL["create_job_state"], {**at, "code": "NotConfigured"})
            await tx.execute(SQL["save_credentials_state"], {**at, "story": msgspec.json.encode(story).decode()})

        await self._database.write(work)

    async def prove_search(self, job_id: str, version: str) -> None:
        """With these credentials, a search has found what was known to be in the target."""

        async def work(tx: Tx) -> None:
            await tx.execute(SQL["prove_search"], {"job_id": job_id, "version": version})

        await self._database.write(work)

    async def jobs_behind(self, now: int, *, job_id: str | None = None, free: bool = False) -> list[str]:
        """Ids of the started jobs (or of this one) that have something to do; ``free``: that nobody works on."""

        async def work(tx: Tx) -> list[str]:
            params = {"now": now, "job_id": job_id, "free": free}
            return [row[0] for row in await tx.fetch_all(SQL["jobs_behind"], params)]

        return await self._database.read(work)

    async def claim_enqueueing(self, job_id: str, *, now: int, until: int) -> bool:
        """Whether the caller may put a cycle of this job into the queue."""

        async def work(tx: Tx) -> bool:
            params = {"job_id": job_id, "now": now, "until": until}
            return await tx.execute(SQL["claim_enqueueing"], params) == 1

        return await self._database.write(work)

    async def under_way(self, now: int) -> tuple[int, int, int | None]:
        """Of all jobs: cycles that run, cycles that wait in the queue, and the earliest end of such a wait's claim
        (``claim_enqueueing``), null where none waits."""

        async def work(tx: Tx) -> tuple[int, int, int | None]:
            row = await tx.fetch_one(SQL["under_way"], {"now": now})
            return (row[0], row[1], row[2]) if row else (0, 0, None)

        return await self._database.read(work)

    async def dequeued(self, job_id: str) -> None:
        """The cycle that was in the queue has begun."""

        async def work(tx: Tx) -> None:
            await tx.execute(SQL["dequeued"], {"job_id": job_id})

        await self._database.write(work)

    async def all_dequeued(self) -> None:
        """Nothing is said to be in the queue any more: a worker that starts does not wait for what was lost there."""

        async def work(tx: Tx) -> None:
            await tx.execute(SQL["all_dequeued"], {})

        await self._database.write(work)

    async def failures(self, job_id: str) -> int:
        """Cycles broken off in a row."""

        async def work(tx: Tx) -> int:
            row = await tx.fetch_one(SQL["failures"], {"job_id": job_id})
            return row[0] if row else 0

        return await self._database.read(work)


def _state(row: Row) -> JobState:
    (job_id, code, watermark, version, next_run_at, running, last, quarantine, stopped, scope, leavers, *rest) = row
    credentials, proved, not_before = rest
    return JobState(
        job_id=job_id,
        code=code,
        watermark=watermark,
        schema_version=version,
        next_run_at=next_run_at,
        running_cycle_id=running,
        last_cycle_id=last,
        quarantine=_loaded(quarantine),
        stopped=bool(stopped),
        scope_version=scope,
        leavers_watermark=leavers,
        credentials=_loaded(credentials),
        search_proved=proved,
        not_before=not_before,
    )


def _loaded(text: str | None) -> Any:
    return msgspec.json.decode(text) if text else None
