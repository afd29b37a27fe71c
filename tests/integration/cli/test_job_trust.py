"""``provisor job plan|guard|held|approve|reject|on-demand|explain`` on either engine, in JSON, with wrong input too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.integration.cli.conftest import Cli
from tests.integration.cli.test_trust_pages import PEOPLE, write_users

from provisor.testing.target import SimulatedTarget
from provisor.testing.target_faults import failure


@pytest.fixture
def here(cli: Cli, target: SimulatedTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Thirty people, all in the scope of an app that was never started; files go to an empty folder."""
    monkeypatch.chdir(tmp_path)
    cli("tenant", "create", "Example", "--domain", "example.org")
    write_users("people.csv", PEOPLE)
    cli("directory", "import", "people.csv")
    words = ("app", "add", "scim", "--name", "App", "--tenant-url", target.base_address, "--secret-token-file", "-")
    cli(*words, stdin="right\n")
    cli("app", "assign", "App", "--all")
    return cli


def writes(target: SimulatedTarget) -> int:
    return sum(1 for request in target.requests if request.method != "GET")


def switched_off(here: Cli, people: list[tuple[str, str]]) -> Any:
    """After these people were disabled: the next cycle's counts."""
    write_users("off.csv", people, enabled=False)
    here("directory", "import", "off.csv")
    return here("job", "start", "App", "--wait").json["cycle"]["counts"]


def test_a_plan_is_made_shown_page_by_page_approved_and_applied(here: Cli, target: SimulatedTarget) -> None:
    made = here("job", "plan", "App").json
    assert (made["state"], made["counts"]["create"], len(made["entries"])) == ("Ready", 30, 30)
    assert writes(target) == 0
    first = here("job", "plan", "App", "--show", made["id"], "--limit", "20").json["entries"]
    rest = here("job", "plan", "App", "--show", "last", "--after", first[-1]["id"]).json["entries"]
    assert [one["id"] for one in first + rest] == [one["id"] for one in made["entries"]]
    assert here("job", "plan", "App", "--show", "last", "--action", "update").json["entries"] == []
    change = first[0]["changes"][0]
    assert change == {
        "displayName": "userName",
        "oldValue": None,
        "newValue": first[0]["name"],
        "removal": False,
    }
    assert "Approve it first" in here("job", "plan", "App", "--show", "last", "--apply", status=1).err
    done = here("job", "plan", "App", "--show", "last", "--approve", "--apply").json
    assert (done["state"], done["result"]["created"], done["result"]["leftOut"]) == ("Applied", 30, 0)
    assert len(target.users) == 30
    second = here("job", "plan", "App").json
    assert (second["counts"]["unchanged"], second["entries"], second["comparison"]["gone"]) == (30, [], 30)


def test_what_cannot_be_planned_shown_or_applied_is_said(here: Cli) -> None:
    assert "no plan yet" in here("job", "plan", "App", "--show", "last", status=1).err
    assert "no plan nope" in here("job", "plan", "App", "--show", "nope", status=1).err
    assert "--approve as well" in here("job", "plan", "App", "--apply", status=1).err
    assert "'nonsense' is not one of" in here("job", "plan", "App", "--action", "nonsense", status=2).err
    assert "It has: App." in here("job", "plan", "Nope", status=1).err
    # Nothing was made by any of them.
    assert "no plan yet" in here("job", "plan", "App", "--show", "last", status=1).err


def test_what_has_changed_since_a_plan_is_left_out_and_named(here: Cli, target: SimulatedTarget) -> None:
    made = here("job", "plan", "App", "--approve").json
    write_users("renamed.csv", [(PEOPLE[0][0], "Another")])
    here("directory", "import", "renamed.csv")
    done = here("job", "plan", "App", "--show", made["id"], "--apply").json
    assert (done["result"]["created"], done["result"]["leftOut"]) == (29, 1)
    [left] = here("job", "plan", "App", "--show", made["id"], "--left-out").json["entries"]
    assert (left["name"], left["leftOut"]) == (PEOPLE[0][0], "It has changed in the directory since.")
    assert len(target.users) == 29


def test_limits_are_shown_and_changed_and_wrong_ones_are_refused(here: Cli) -> None:
    found = here("job", "guard", "App").json
    assert (found["enabled"], found["deletions"], found["deletionsPercent"], found["changesPercent"]) == (
        True,
        500,
        10,
        25,
    )
    changed = here("job", "guard", "App", "--deletions", "7", "--off").json
    assert (changed["enabled"], changed["deletions"], changed["deletionsPercent"]) == (False, 7, 10)
    assert here("job", "guard", "App", "--on").json["enabled"] is True
    for words in (("--deletions", "-1"), ("--deletions-percent", "101"), ("--changes-percent", "many")):
        here("job", "guard", "App", *words, status=2)
    assert here("job", "guard", "App").json["deletions"] == 7


def test_held_objects_are_listed_approved_by_name_and_rejected(here: Cli, target: SimulatedTarget) -> None:
    here("job", "start", "App", "--wait")
    counts = switched_off(here, PEOPLE[:10])
    assert (counts["disabled"], counts["waiting"]) == (0, 10)
    held = here("job", "held", "App").json
    assert (held["held"], held["linked"], held["limits"]["deletions"]) == ({"disable": 10}, 30, 4)
    assert held["waves"][0]["wanted"] == 10
    assert [one["name"] for one in held["objects"]] == [upn for upn, _ in PEOPLE[:10]]
    page = here("job", "held", "App", "--limit", "4", "--after", held["objects"][3]["id"]).json["objects"]
    assert [one["name"] for one in page] == [upn for upn, _ in PEOPLE[4:8]]

    for words in (("approve", "App"), ("reject", "App", "x", "--all")):
        assert "Name objects, or give --all." in here("job", *words, status=1).err
    assert "Nothing of 'nobody' is held" in here("job", "approve", "App", "nobody", status=1).err
    approved = here("job", "approve", "App", PEOPLE[0][0], held["objects"][1]["id"]).json
    assert len(approved["approved"]) == 2
    assert here("job", "start", "App", "--wait").json["cycle"]["counts"]["disabled"] == 2
    assert len(here("job", "reject", "App", "--all").json["rejected"]) == 8
    assert here("job", "held", "App").json["objects"] == []
    assert len(here("job", "held", "App", "--rejected").json["objects"]) == 8
    assert sum(1 for user in target.users.values() if not user["active"]) == 2
    told = here("job", "explain", "App", PEOPLE[5][0]).json
    assert told["held"] == "rejected: disable"
    assert told["nextAction"].startswith("nothing: its disabling was rejected")


def test_one_object_on_demand_with_its_steps(here: Cli, target: SimulatedTarget) -> None:
    who = PEOPLE[0][0]
    done = here("job", "on-demand", "App", who).json
    assert done["action"] == "Create"
    assert [step["type"] for step in done["provisioningSteps"]] == ["Import", "Scoping", "Matching", "Export"]
    assert list(target.users_by_name()) == [who]
    target.users_by_name()[who]["displayName"] = "By hand"
    assert here("job", "on-demand", "App", who).json["action"] == "Update"
    assert target.users_by_name()[who]["displayName"] == "P01"
    assert "no user or group 'nobody'" in here("job", "on-demand", "App", "nobody", status=1).err
    assert "no user or group" in here("job", "on-demand", "App", who, "--type", "group", status=1).err
    here("job", "on-demand", "App", who, "--type", "device", status=2)


def test_an_object_that_fails_on_demand_says_so_and_ends_with_1(here: Cli, target: SimulatedTarget) -> None:
    target.fault(failure(400, "No such department."), when=lambda request: request.method == "POST", times=None)
    assert "No such department." in here("job", "on-demand", "App", PEOPLE[0][0], status=1).out


def test_an_explanation_before_and_after_and_of_one_attribute(here: Cli, target: SimulatedTarget) -> None:
    who = PEOPLE[0][0]
    before = here("job", "explain", "App", who).json
    assert before["answer"] == "The user is not in App: the job has not run yet."
    assert before["inScope"] is True
    here("job", "start", "App", "--wait")
    after = here("job", "explain", "App", who).json
    assert after["answer"].endswith("and in order.")
    assert after["events"][0]["status"] == "success"
    sent = writes(target)
    one = here("job", "explain", "App", who, "--attribute", "displayName").json
    assert [(line["target"], line["desired"], line["shown"]) for line in one["mappings"]] == [
        ("displayName", "P01", "P01")
    ]
    assert "No mapping writes nonsense" in here("job", "explain", "App", who, "--attribute", "nonsense", status=1).err
    assert "no user or group 'nobody'" in here("job", "explain", "App", "nobody", status=1).err
    assert writes(target) == sent


def test_the_log_takes_only_words_that_it_knows(here: Cli) -> None:
    for words in (("--status", "nonsense"), ("--action", "nonsense")):
        assert "is not one of" in here("job", "logs", "App", *words, status=2).err
    assert here("job", "logs", "App", "--status", "failure", "--action", "stagedDelete").json == []
