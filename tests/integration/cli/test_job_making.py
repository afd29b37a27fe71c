"""``provisor job create|delete``: an app may have no job, and lists say so."""

from __future__ import annotations

from tests.integration.cli.conftest import Cli


def test_a_job_ends_while_its_app_stays_and_is_made_again(cli: Cli) -> None:
    cli("tenant", "create", "Example", "--domain", "example.org")
    made = cli("app", "add", "scim", "--name", "App", "--tenant-url", "http://127.0.0.1:9/scim").json
    assert cli("job", "delete", "App").json == {"id": made["job"], "deleted": True}
    [listed] = cli("app", "list").json
    assert (listed["name"], listed["job"], listed["sync_all"]) == ("App", None, False)
    refused = cli("job", "status", "App", status=1)
    assert "provisor job create" in refused.err
    again = cli("job", "create", "App").json
    assert (again["id"], again["template"]) == (made["job"], "scim")
    twice = cli("job", "create", "App", status=1)
    assert made["job"] in twice.err
    unknown = cli("job", "create", "App", "--template", "slack", status=1)
    assert "scim, customappsso" in unknown.err
