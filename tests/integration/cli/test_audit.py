"""``provisor audit``: what was changed, and the proof of it, told with an exit status."""

from __future__ import annotations

from tests.integration.cli.conftest import Cli

from provisor.storage.database import Tx
from provisor.testing.database import Store


async def _tamper(store: Store) -> None:
    database = store.database()
    await database.open()

    async def work(tx: Tx) -> None:
        await tx.execute("UPDATE audit_entry SET actor = 'somebody' WHERE realm = 'system' AND seq = 2")

    await database.write(work)
    await database.close()


def test_the_log_is_listed_and_proven(cli: Cli) -> None:
    cli("tenant", "create", "Example", "--domain", "example.org")
    cli("company", "create", "Firm")
    cli("app", "add", "scim", "--name", "App", "--tenant-url", "https://target.test/scim")
    cli("apikey", "create", "--name", "k", "--expires", "2099-12-31")
    mine = cli("audit", "list").json
    assert [(entry["activity"], entry["initiatedBy"]["kind"]) for entry in mine["entries"]] == [
        ("Add service principal", "operator")
    ]
    assert mine["next"] is None
    theirs = cli("audit", "list", "--company", "Firm").json
    assert [entry["activity"] for entry in theirs["entries"]] == ["Add API key"]
    first = cli("audit", "list", "--system", "--limit", "1").json
    assert [entry["activity"] for entry in first["entries"]] == ["Add company"]
    second = cli("audit", "list", "--system", "--limit", "1", "--after", first["next"]).json
    assert [entry["activity"] for entry in second["entries"]] == ["Create tenant"]
    none = cli("audit", "list", "--system", "--since", "2999-01-01T00:00:00Z").json
    assert none["entries"] == []
    proof = cli("audit", "verify").json
    assert proof["valid"] is True
    assert [chain["entries"] for chain in proof["chains"]] == [1, 2, 1]


async def test_an_altered_entry_ends_with_status_one_and_its_name(cli: Cli, store: Store) -> None:
    import asyncio

    await asyncio.to_thread(cli, "tenant", "create", "Example", "--domain", "example.org")
    await asyncio.to_thread(cli, "company", "create", "Firm")
    await _tamper(store)
    answer = await asyncio.to_thread(lambda: cli("audit", "verify", status=1))
    [finding] = answer.json["findings"]
    assert (finding["realm"], finding["seq"], finding["kind"]) == ("system", 2, "altered")


def test_wrong_use_is_said(quick: Cli) -> None:
    assert "tenant, to a company" in quick("audit", "list", "--tenant", "a", "--system", status=1).err
    assert "--since" in quick("audit", "list", "--since", "yesterday", "--system", status=1).err
