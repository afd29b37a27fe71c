"""Explanations: the answer in a sentence, and what would make it another. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisor.provisioning.explaining.model import ClauseLine, Ground
from provisor.provisioning.guarding.model import Held
from provisor.provisioning.model import Source
from provisor.provisioning.ondemand.store import SlotStory
from provisor.provisioning.planning.model import SENDING, PlanEntry


@dataclass(frozen=True, slots=True)
class Facts:
    """What the answer is made of."""

    app: str
    job_state: str
    source: Source
    in_scope: bool
    sync_all: bool
    grounds: Sequence[Ground]
    filter_passed: bool
    clauses: Sequence[ClauseLine]
    link_state: str | None
    target_id: str | None
    target_found: bool | None
    slot: SlotStory | None
    held: Held | None
    planned: PlanEntry | None
    last_error: str | None
    # Target attributes that somebody changed in the target.
    drifted: Sequence[str] = ()


def kept_back(planned: PlanEntry | None, held: Held | None) -> str | None:
    """Why nothing is sent of what is planned; null: it is."""
    if planned is None or held is None or held.action != planned.action or held.state not in ("held", "rejected"):
        return None
    what = {"update": "change", "disable": "disabling", "delete": "deletion"}[held.action]
    if held.state == "held":
        return f"a guard holds its {what} until somebody approves or rejects it"
    return f"its {what} was rejected by {held.decided_by or 'somebody'}"


def next_action(planned: PlanEntry | None, held: Held | None) -> str:
    """What a cycle would do with it now. ``held``: what a guard keeps back of it."""
    if planned is None:
        return "nothing: it is in order as it is"
    if (why := kept_back(planned, held)) is not None:
        return f"nothing: {why}"
    told = {
        "create": "create it",
        "link": f"link it to {planned.target_id}, which exists already",
        "update": "update it",
        "disable": "disable it",
        "delete": "delete it",
        "ambiguous": "nothing: somebody has to decide which account it is",
        "fail": "nothing: it fails",
        "skip": "nothing",
    }[planned.action]
    return f"{told}. {planned.reason}" if planned.reason else told


def answer(facts: Facts) -> str:
    """Is it there, and why (not)."""
    kind = facts.source.kind.lower()
    if facts.target_found:
        return _present(facts, kind)
    lost = ""
    if facts.link_state is not None and facts.target_found is False:
        lost = f"It was linked to {facts.target_id}, which {facts.app} no longer has. "
    return f"{lost}The {kind} is not in {facts.app}: {_why_not(facts, kind)}"


def would_change(facts: Facts) -> list[str]:
    """What somebody can do to make the answer another; nothing when it is in order."""
    source = facts.source
    told: list[str] = []
    if facts.drifted:
        told.append("Provision it on demand: that sets right what was changed in the target.")
    if not source.exists:
        return ["Create the object anew; a person of the same name takes the account over."]
    if source.deleted:
        told.append("Restore it from the recycle bin of the directory.")
    elif not source.active:
        told.append("Enable its account in the directory.")
    if not facts.sync_all and not any(ground.counts for ground in facts.grounds):
        told += [_mend(ground) for ground in facts.grounds if not ground.counts]
        told.append("Assign it to the app, itself or through a group, or set the scope to all users and groups.")
    if not facts.filter_passed:
        told += _mend_filter(facts.clauses)
    if facts.held is not None and facts.held.state == "held":
        told.append("Approve or reject what the guard holds: 'provisor job approve', 'provisor job reject'.")
    if facts.held is not None and facts.held.state == "rejected":
        told.append("Approve it by name after all, or mend the cause.")
    if facts.planned is not None and facts.planned.action == "ambiguous":
        told.append("Decide which account it is: 'provisor job decide', or correct the matching values.")
    if facts.slot is not None and facts.slot.attempts:
        told.append("Mend what the target refuses; then provision it on demand, or restart with Escrows.")
    if facts.job_state == "Quarantine":
        told.append("Lift the quarantine: 'provisor job status' tells its cause.")
    elif facts.job_state != "Active" and facts.planned is not None and facts.planned.action in SENDING:
        told.append("Start the job, or provision the object on demand.")
    return told


def _present(facts: Facts, kind: str) -> str:
    where = f"The {kind} is in {facts.app} as {facts.target_id}"
    if facts.drifted and facts.link_state == "linked":
        where = f"{where}, where somebody has changed {', '.join(facts.drifted)}"
        return f"{where}." if facts.planned is None else f"{where}; a cycle would {_then(facts)}."
    if facts.link_state == "linked" and facts.planned is None:
        return f"{where}, and in order."
    if facts.link_state == "linked":
        return f"{where}; the next cycle would {_then(facts)}."
    if facts.link_state is None:
        return f"{where}, but not linked yet; the next cycle would {_then(facts)}."
    why = "its source is disabled or in the recycle bin" if facts.link_state == "disabled" else "it left the scope"
    return f"{where}, where its access was taken away because {why}."


def _then(facts: Facts) -> str:
    told = next_action(facts.planned, facts.held)
    return told.replace("nothing", "do nothing", 1).rstrip(".") if told.startswith("nothing") else told.rstrip(".")


def _why_not(facts: Facts, kind: str) -> str:
    source = facts.source
    if not source.exists:
        return "the directory does not have it any more."
    if not facts.sync_all and not any(ground.counts for ground in facts.grounds):
        return "it is not assigned to the app, and the scope is what is assigned."
    if not facts.filter_passed:
        return "it does not pass the scoping filter."
    if source.deleted:
        return f"the {kind} is in the recycle bin of the directory, and only an active one is created."
    if not source.active:
        return f"the {kind} is disabled in the directory, and only an active one is created."
    if facts.slot is not None and facts.slot.attempts:
        return f"the target refused it ({facts.slot.error_code}): {facts.slot.error or facts.last_error or ''}".rstrip()
    if facts.planned is not None and facts.planned.action in ("ambiguous", "fail", "skip"):
        return facts.planned.reason or facts.planned.action
    if facts.job_state in ("NotConfigured", "NotRun"):
        return "the job has not run yet."
    if facts.job_state == "Paused":
        return "the job is paused."
    if facts.job_state == "Quarantine":
        return "the job is in quarantine."
    return "the next cycle creates it."


def _mend(ground: Ground) -> str:
    return f"It is {ground.through}, but {ground.why}."


def _mend_filter(clauses: Sequence[ClauseLine]) -> list[str]:
    by_filter: dict[str, list[ClauseLine]] = {}
    for clause in clauses:
        if not clause.passed:
            by_filter.setdefault(clause.filter, []).append(clause)
    return [
        f"Pass the filter {name or 'of the mapping'}: "
        + " and ".join(f"{one.clause} (it is {one.seen or 'empty'})" for one in failed)
        + "."
        for name, failed in by_filter.items()
    ]
