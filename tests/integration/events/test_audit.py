"""The audit log: every configuration change, in its own transaction, chained by hashes, on both engines."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from provisor.app.services import AppServices, wire
from provisor.app.settings import Settings
from provisor.errors import Forbidden, InvalidInput, NotFound
from provisor.events.audit import activities
from provisor.events.audit.model import NewEntry, Target, differences
from provisor.events.audit.service import Audit
from provisor.events.audit.store import AuditFilter, AuditStore, company, record, tenant
from provisor.events.correlation import correlated
from provisor.provider.model import RateLimits
from provisor.provisioning.engine import run_inline
from provisor.security.actor import Actor, Realm, Right, operator, rights_of
from provisor.security.secrets import MasterKey
from provisor.storage.database import Database, Tx
from provisor.testing.clock import SettableClock
from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import unauthorized

REALM = Realm("tenant", "t1")
URN = "urn:example:params:scim:schemas:extension:badge:2.0:User"


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(AuditStore(database))


async def add(database: Database, name: str, *targets: str, at: int = 1_000, realm: Realm = REALM) -> None:
    entry = NewEntry(activities.USERS["created"], operator(), tuple(Target("User", id_, name) for id_ in targets))

    async def work(tx: Tx) -> None:
        await record(tx, realm, [entry], at=at)

    await database.write(work)


async def execute(database: Database, sql: str) -> None:
    async def work(tx: Tx) -> None:
        assert await tx.execute(sql) > 0

    await database.write(work)


async def test_entries_that_are_written_at_once_make_one_chain(database: Database, audit: Audit) -> None:
    await asyncio.gather(*(add(database, f"user {n}", f"u{n}") for n in range(40)))
    page = await audit.page(operator(), REALM)
    assert sorted(entry.seq for entry in page.entries) == list(range(1, 41))
    assert len({entry.hash for entry in page.entries}) == 40
    proof = await audit.verify(operator())
    assert [(chain.realm, chain.entries) for chain in proof.chains] == [("tenant:t1", 40)]
    assert not proof.findings


async def test_a_change_that_is_rolled_back_leaves_no_entry(database: Database, audit: Audit) -> None:
    await add(database, "ada", "u1")

    async def work(tx: Tx) -> None:
        await record(tx, REALM, [NewEntry(activities.ADD_MEMBER, operator(), ())], at=1)
        raise InvalidInput("not this one")

    with pytest.raises(InvalidInput):
        await database.write(work)
    await add(database, "bob", "u2")
    assert [entry.seq for entry in (await audit.page(operator(), REALM)).entries] == [2, 1]
    assert not (await audit.verify(operator())).findings


@pytest.mark.parametrize(
    ("sql", "kind", "seq"),
    [
        pytest.param("UPDATE audit_entry SET actor = 'somebody' WHERE seq = 3", "altered", 3, id="a column altered"),
        pytest.param("UPDATE audit_entry SET at = at + 1 WHERE seq = 2", "altered", 2, id="the moment altered"),
        pytest.param(
            "UPDATE audit_entry SET entry = replace(entry, 'name 4', 'name 5') WHERE seq = 4", "altered", 4, id="inside"
        ),
        pytest.param("DELETE FROM audit_entry WHERE seq = 2", "removed", 2, id="one removed from the middle"),
        pytest.param("DELETE FROM audit_entry WHERE seq = 1", "removed", 1, id="the first removed"),
        pytest.param("DELETE FROM audit_entry WHERE seq >= 4", "removed", 4, id="the last ones removed"),
        pytest.param("DELETE FROM audit_entry", "removed", 1, id="all removed"),
        pytest.param("DELETE FROM audit_head", "inserted", 1, id="the end of the chain removed"),
        pytest.param("DELETE FROM audit_target WHERE target_id = 'u3'", "altered", 3, id="hidden from its target"),
        pytest.param(
            """INSERT INTO audit_entry
               SELECT realm, 6, 'x', at, activity, category, actor, result, correlation_id, entry, hash
               FROM audit_entry WHERE seq = 5""",
            "altered",
            6,
            id="one inserted behind the end",
        ),
        pytest.param(
            "UPDATE audit_entry SET seq = 9 WHERE seq = 5",
            "removed",
            5,
            id="one moved",
        ),
    ],
)
async def test_tampering_is_found_and_named(database: Database, audit: Audit, sql: str, kind: str, seq: int) -> None:
    for n in range(1, 6):
        await add(database, f"name {n}", f"u{n}")
    assert not (await audit.verify(operator())).findings
    await execute(database, sql)
    findings = (await audit.verify(operator())).findings
    assert [(finding.kind, finding.seq) for finding in findings] == [(kind, seq)]
    assert str(seq) in findings[0].message


async def test_entries_are_found_by_what_they_say(database: Database, audit: Audit) -> None:
    with correlated("c-1"):
        await add(database, "ada", "u1", "g1", at=1_000)
    await add(database, "bob", "u2", at=2_000)
    await add(database, "ada again", "u1", at=3_000)
    await add(database, "elsewhere", "u1", realm=Realm("tenant", "t2"))

    async def seqs(**wanted: object) -> list[int]:
        found = await audit.page(operator(), REALM, AuditFilter(**wanted))  # type: ignore[arg-type]
        return [entry.seq for entry in found.entries]

    assert await seqs() == [3, 2, 1]
    assert await seqs(target_id="u1") == [3, 1]
    assert await seqs(target_id="u1", until=3_000) == [1]
    assert await seqs(since=2_000) == [3, 2]
    assert await seqs(correlation_id="c-1") == [1]
    assert await seqs(activity="Add user") == [3, 2, 1]
    assert await seqs(activity="Delete user") == []
    assert await seqs(actor="operator", result="success", category="UserManagement") == [3, 2, 1]
    assert await seqs(actor="nobody") == []


async def test_pages_join_without_a_gap(database: Database, audit: Audit) -> None:
    for n in range(7):
        await add(database, f"name {n}", "u", at=1_000 + n // 3)
    for wanted in (AuditFilter(), AuditFilter(target_id="u")):
        seen, after = [], None
        while True:
            page = await audit.page(operator(), REALM, wanted, after=after, limit=2)
            seen += [entry.seq for entry in page.entries]
            after = page.next
            if after is None:
                break
        assert seen == [7, 6, 5, 4, 3, 2, 1]
    with pytest.raises(InvalidInput):
        await audit.page(operator(), REALM, after="nonsense")
    with pytest.raises(InvalidInput):
        await audit.page(operator(), REALM, limit=0)


async def test_one_entry_is_found_by_its_id_in_its_realm_only(database: Database, audit: Audit) -> None:
    await add(database, "ada", "u1")
    [entry] = (await audit.page(operator(), REALM)).entries
    assert await audit.entry(operator(), REALM, entry.id) == entry
    with pytest.raises(NotFound):
        await audit.entry(operator(), Realm("tenant", "t2"), entry.id)


async def test_a_realm_is_read_by_its_own_people_who_may(database: Database, audit: Audit) -> None:
    reader = Actor(REALM, "reader", rights_of(["Reports Reader"]))
    await audit.page(reader, REALM)
    with pytest.raises(Forbidden):
        await audit.page(reader, Realm("tenant", "t2"))
    with pytest.raises(Forbidden):
        await audit.page(reader, Realm("system"))
    with pytest.raises(Forbidden):
        await audit.page(Actor(REALM, "x", frozenset({Right.DIRECTORY_READ})), REALM)
    with pytest.raises(Forbidden):
        await audit.verify(reader)


def test_secrets_do_not_show_in_differences() -> None:
    changed = differences(
        {"a": 1, "clientSecret": "s1", "passwordPolicies": "None", "inside": {"token": "t1", "url": "u1"}},
        {"a": 2, "clientSecret": "s2", "passwordPolicies": "Strong", "inside": {"token": "t2", "url": "u2"}},
    )
    assert {one.display_name: (one.old_value, one.new_value) for one in changed} == {
        "a": (1, 2),
        "clientSecret": ("(hidden)", "(hidden)"),
        "passwordPolicies": ("None", "Strong"),
        "inside": ({"token": "(hidden)", "url": "u1"}, {"token": "(hidden)", "url": "u2"}),
    }


# What is told by whom


@pytest.fixture
def services(database: Database) -> AppServices:
    target = SimulatedTarget()
    return wire(database, MasterKey(bytes(32), "test"), target, Settings(), SettableClock(skipping=True))


async def told(services: AppServices, realm: Realm) -> list[tuple[str, str, str]]:
    """Activity, first target and its first change, oldest first."""
    page = await services.audit.page(operator(), realm, limit=1_000)
    rows = []
    for entry in reversed(page.entries):
        changed = [change for target in entry.targets for change in target.modified_properties]
        first = f"{changed[0].display_name}: {changed[0].old_value} > {changed[0].new_value}" if changed else ""
        rows.append((entry.activity.name, entry.targets[0].display_name, first))
    return rows


async def test_the_identity_side_tells_every_change(services: AppServices) -> None:
    me, directory, apps = operator(), services.directory, services.applications
    home = await directory.create_tenant(me, "Example", "example.org")
    realm = tenant(home.id)
    ada = await directory.create_user(me, home.id, {"userPrincipalName": "ada@example.org", "displayName": "Ada"})
    bob = await directory.create_user(me, home.id, {"userPrincipalName": "bob@example.org", "displayName": "Bob"})
    await directory.update_user(me, home.id, ada.id, {"department": "Engines"})
    await directory.update_user(me, home.id, ada.id, {"department": "Engines"})
    await directory.set_manager(me, home.id, ada.id, bob.id)
    group = await directory.create_group(me, home.id, {"displayName": "Engineers"})
    await directory.add_members(me, home.id, group.id, [ada.id])
    await directory.remove_members(me, home.id, group.id, [ada.id])
    await directory.update_group(me, home.id, group.id, {"description": "All of them"})
    app = await apps.add(me, home.id, "scim", "App", "https://target.test/scim/v2", secret_token="let-me-in")
    await apps.assign(me, home.id, app.service_principal.id, ada.id, "User")
    await apps.unassign(me, home.id, app.service_principal.id, ada.id)
    await apps.change_settings(me, app.job_id, {"interval_seconds": 600})
    await apps.set_credentials(me, app.job_id, secret_token="another-token")
    schema = apps.template("scim").default_schema(app.job_id)
    schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"].pop()
    await apps.set_schema(me, app.job_id, schema)
    await services.provisioning.start(me, app.job_id)
    await services.provisioning.pause(me, app.job_id)
    await services.provisioning.restart(me, app.job_id)
    await directory.delete_user(me, home.id, bob.id)
    await directory.restore_user(me, home.id, bob.id)
    await directory.delete_group(me, home.id, group.id)
    await directory.purge_group(me, home.id, group.id)
    await apps.remove(me, home.id, "App")

    assert await told(services, Realm("system")) == [("Create tenant", "Example", "domain: None > example.org")]
    entries = await told(services, realm)
    assert [entry[:2] for entry in entries] == [
        ("Add user", "ada@example.org"),
        ("Add user", "bob@example.org"),
        ("Update user", "ada@example.org"),
        ("Update user", "ada@example.org"),
        ("Add group", "Engineers"),
        ("Add member to group", "ada@example.org"),
        ("Remove member from group", "ada@example.org"),
        ("Update group", "Engineers"),
        ("Add service principal", "App"),
        ("Add app role assignment grant to user", "App"),
        ("Remove app role assignment from user", "App"),
        ("Update provisioning setting or credentials", "App"),
        ("Update provisioning setting or credentials", "App"),
        ("Update attribute mappings or scope", "App"),
        ("Enable/start provisioning configuration", "App"),
        ("Disable/pause provisioning configuration", "App"),
        ("Enable/restart provisioning configuration", "App"),
        ("Delete user", "bob@example.org"),
        ("Restore user", "bob@example.org"),
        ("Delete group", "Engineers"),
        ("Hard Delete group", "Engineers"),
        ("Remove service principal", "App"),
    ]
    changes = [entry[2] for entry in entries]
    assert changes[2] == "department: None > Engines"
    assert changes[3] == f"manager: None > {bob.id}"
    assert changes[11] == "interval_seconds: 2400 > 600"
    assert changes[12] == "SecretToken: (hidden) > (hidden)"
    assert changes[14] == "status: NotConfigured > NotRun"
    page = await services.audit.page(me, realm, limit=1_000)
    assert b"another-token" not in msgspec.json.encode(page.entries)
    assert b"let-me-in" not in msgspec.json.encode(page.entries)
    assert not (await services.audit.verify(me)).findings


async def test_an_import_writes_one_entry_that_names_all(services: AppServices) -> None:
    me, directory = operator(), services.directory
    home = await directory.create_tenant(me, "Example", "example.org")
    from provisor.directory.model import NewUser

    new = [NewUser({"userPrincipalName": f"u{n}@example.org", "displayName": f"U {n}"}) for n in range(100)]
    made = await directory.create_users(me, home.id, new)
    page = await services.audit.page(me, tenant(home.id))
    assert [(entry.activity.name, len(entry.targets)) for entry in page.entries] == [("Add user", 100)]
    found = await services.audit.page(me, tenant(home.id), AuditFilter(target_id=made[70].id))
    assert [entry.id for entry in found.entries] == [page.entries[0].id]


async def test_quarantine_is_told_when_it_begins_and_when_it_ends(database: Database) -> None:
    clock = SettableClock(skipping=True)
    target = SimulatedTarget(token="let-me-in")
    services = wire(database, MasterKey(bytes(32), "test"), target, Settings(), clock)
    me = operator()
    home = await services.directory.create_tenant(me, "Example", "example.org")
    ada = await services.directory.create_user(
        me, home.id, {"userPrincipalName": "ada@example.org", "displayName": "Ada"}
    )
    address = "https://target.test/scim/v2"
    app = await services.applications.add(me, home.id, "scim", "App", address, secret_token="let-me-in")
    await services.applications.assign(me, home.id, app.service_principal.id, ada.id, "User")
    await services.provisioning.start(me, app.job_id)
    target.fault(unauthorized(), times=None)
    engine = services.engine("test")
    await run_inline(engine, app.job_id)
    clock.advance(seconds=600)
    await run_inline(engine, app.job_id)
    target.heal()
    clock.advance(seconds=2 * 86_400)
    await run_inline(engine, app.job_id)
    entries = [entry for entry in await told(services, tenant(home.id)) if entry[0].startswith("Quarantine")]
    reason = "EncounteredQuarantineException"
    assert entries == [
        ("Quarantine entry", "App", f"quarantine: None > {reason}"),
        ("Quarantine exit", "App", f"quarantine: {reason} > None"),
    ]


async def test_the_app_side_tells_every_change(services: AppServices) -> None:
    me, companies = operator(), services.companies
    firm = await companies.create_company(me, "Firm", "ada@firm.example")
    await companies.add_administrator(me, firm.id, "bob@firm.example")
    await companies.set_admin(me, firm.id, "bob@firm.example", False)
    await companies.remove_administrator(me, firm.id, "bob@firm.example")
    await companies.set_limits(me, firm.id, RateLimits(50, 100))
    key, text = await companies.create_key(me, firm.id, name="entra", expires="2026-12-31")
    await companies.revoke_key(me, firm.id, key.id)
    await companies.create_key(me, firm.id, name="robot", expires="2026-12-31", service_account="robot")
    await companies.remove_service_account(me, firm.id, "robot")
    client, first = await services.clients.create(me, firm.id, "client")
    _, secret, second = await services.clients.add_secret(me, firm.id, client.id)
    await services.clients.revoke_secret(me, firm.id, client.id, secret.id)
    await services.clients.revoke(me, firm.id, client.id)
    badge = {"id": URN, "name": "Badge", "attributes": [{"name": "number", "type": "string"}]}
    await services.resources.custom.add(me, firm.id, badge, extends="User")
    await services.resources.custom.remove(me, firm.id, URN)
    hook, hook_secret = await services.webhooks.add(me, firm.id, "https://app.example/hook")
    await services.webhooks.replay(me, firm.id, hook.id, after=0)
    await services.webhooks.remove(me, firm.id, hook.id)

    entries = await told(services, company(firm.id))
    assert [entry[:2] for entry in entries] == [
        ("Add administrator", "ada@firm.example"),
        ("Add administrator", "bob@firm.example"),
        ("Update administrator", "bob@firm.example"),
        ("Remove administrator", "bob@firm.example"),
        ("Update rate limits", "Firm"),
        ("Add API key", "entra"),
        ("Revoke API key", "entra"),
        ("Add API key", "robot"),
        ("Remove service account", "robot"),
        ("Add OAuth client", "client"),
        ("Add OAuth client secret", "client"),
        ("Revoke OAuth client secret", "client"),
        ("Revoke OAuth client", "client"),
        ("Add schema", "Badge"),
        ("Remove schema", "Badge"),
        ("Add webhook", "https://app.example/hook"),
        ("Replay webhook", "https://app.example/hook"),
        ("Remove webhook", "https://app.example/hook"),
    ]
    page = await services.audit.page(me, company(firm.id), limit=1_000)
    shown = msgspec.json.encode(page.entries).decode()
    assert all(hidden not in shown for hidden in (text, first, second, hook_secret))
    chain_end = page.entries[0]

    await companies.delete_company(me, firm.id)
    assert (await services.audit.page(me, company(firm.id))).entries == []
    [deleted, _] = (await services.audit.page(me, Realm("system"))).entries
    assert deleted.activity.name == "Delete company"
    assert deleted.details == {"auditEntries": str(chain_end.seq), "auditHash": chain_end.hash}
    assert not (await services.audit.verify(me)).findings
