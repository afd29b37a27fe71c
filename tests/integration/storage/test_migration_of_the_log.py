"""What a provisioning log had before entries lay in blocks is in it afterwards, and is found by the same filters."""

from __future__ import annotations

from typing import Any

import msgspec
from alembic import command

from provisor.clock import iso
from provisor.ids import new_id
from provisor.provisioning.log.model import LogFilter
from provisor.provisioning.log.store import LogStore
from provisor.storage.database import Database, Tx
from provisor.storage.migrations import migrate
from provisor.storage.migrations.run import configuration, connection
from provisor.testing.database import Store

TENANTS = ("tenant-a", "tenant-b")
COUNT = 300


def entry(n: int) -> dict[str, Any]:
    """As the version before wrote it."""
    return {
        "tenantId": TENANTS[n % 2],
        "jobId": f"job-{n % 2}",
        "cycleId": f"cycle-{n // 100}",
        "servicePrincipal": {"id": "sp", "displayName": "App"},
        "id": new_id(),
        "changeId": new_id(),
        "activityDateTime": iso(1_000 + n),
        "provisioningAction": "create",
        "sourceIdentity": {"id": f"source-{n % 7}", "displayName": f"Person {n}"},
        "provisioningStatusInfo": {"status": "failure" if n % 50 == 0 else "success"},
        "provisioningSteps": [{"name": "EntryImportAdd"}],
    }


async def written(database: Database, entries: list[dict[str, Any]]) -> None:
    async def work(tx: Tx) -> None:
        for n, one in enumerate(entries):
            failed = n % 50 == 0
            row = {
                "id": one["id"],
                "tenant_id": one["tenantId"],
                "job_id": one["jobId"],
                "cycle_id": one["cycleId"],
                "change_id": one["changeId"],
                "at": 1_000 + n // 4,
                "source_id": one["sourceIdentity"]["id"],
                "object_type": "User",
                "action": "create",
                "status": "failure" if failed else "success",
                "error_code": "InternalServerError" if failed else None,
                "entry": msgspec.json.encode(one).decode(),
                "target_id": f"target-{n}",
                "source_name": f"person {n}",
            }
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            await tx.execute(f"INSERT INTO provisioning_log ({names}) VALUES ({values})", row)

    await database.write(work)


async def test_entries_are_moved_into_blocks(empty_store: Store) -> None:
    database = empty_store.database()
    await database.open()
    with connection(database) as connected:
        config = configuration()
        config.attributes["connection"] = connected
        command.upgrade(config, "0010")
    old = [entry(n) for n in range(COUNT)]
    await written(database, old)
    assert await migrate(database) is True
    log = LogStore(database)

    async def found(tenant: str, **wanted: Any) -> list[dict[str, Any]]:
        entries, more = await log.page(tenant, LogFilter(**wanted), before=None, limit=1_000)
        assert more is None
        return [dict(one) for one in entries]

    for tenant in TENANTS:
        mine = [one for one in old if one["tenantId"] == tenant]
        everything = await found(tenant)
        assert without_ids(everything) == without_ids(sorted(mine, key=old.index, reverse=True))
        assert len({one["id"] for one in everything}) == len(mine)
        for wanted in ({"source_id": "source-3"}, {"cycle_id": "cycle-2"}, {"status": "failure"}):
            [(name, value)] = wanted.items()
            fits = {
                "source_id": lambda one, value=value: one["sourceIdentity"]["id"] == value,
                "cycle_id": lambda one, value=value: one["cycleId"] == value,
                "status": lambda one, value=value: one["provisioningStatusInfo"]["status"] == value,
            }[name]
            assert await found(tenant, **wanted) == [one for one in everything if fits(one)]
        assert [one["sourceIdentity"] for one in await found(tenant, target_id="target-17")] == [
            one["sourceIdentity"] for one in mine if one is old[17]
        ]
        for one in everything[::40]:
            assert await log.entry(tenant, one["id"]) == one
    assert await log.count(TENANTS[0], LogFilter(error_code="InternalServerError")) == 6
    assert await log.expire(TENANTS[0], 1_000 + 10, 100) > 0
    await database.close()


def without_ids(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in one.items() if key not in ("id", "changeId")} for one in entries]
