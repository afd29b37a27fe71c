"""Step quarantine, what people are told of: subjects and texts. Pure.

Each says which job it is, what happened, why, and what to do next (``reference/entra-provisioning-service.md``
section 7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisor.applications.model import Notification
from provisor.events.mail.model import Channel, NewMessage
from provisor.security.actor import Realm

_WHY = {
    "EncounteredQuarantineException": "the target does not let this job in, or does not answer as SCIM asks for",
    "EncounteredBaseEscrowThreshold": "too many objects fail",
    "EncounteredTotalEscrowThreshold": "too many objects and references fail",
    "EncounteredEscrowProportionThreshold": "too large a part of the objects fails",
    "TooManyDeletes": "more would be deleted or disabled than the deletion threshold allows",
    "QuarantinedOnDemand": "somebody put it there",
}


@dataclass(frozen=True, slots=True)
class About:
    """The job that a message is about."""

    tenant_id: str
    job_id: str
    app: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that fails: its name, the error code, the cause, and when it is tried again (ISO)."""

    name: str
    kind: str
    code: str
    cause: str
    again: str


def quarantine(about: About, story: Mapping[str, Any], notification: Notification) -> list[NewMessage]:
    """The job is in quarantine, or it is for another reason than before."""
    reason, error = str(story["reason"]), story.get("error") or {}
    cause = str(error.get("message") or "no cause was given")
    text = (
        f"Provisioning to {about.app} is in quarantine: {_WHY.get(reason, reason)}.\n\n"
        f"Reason: {reason}\nCause: {cause}\n"
        f"Since: {story['currentBegan']}\nNext attempt: {story['nextAttempt']}\n\n"
        "While it lasts, cycles run less and less often, at last once a day. After four weeks the job is disabled.\n"
        "Mend the cause, then start the job:\n\n"
        f"    provisor job test {about.job_id}\n    provisor job start {about.job_id}\n"
    )
    return _messages(
        about,
        notification,
        key=f"quarantine/{about.job_id}/{story['seriesBegan']}/{reason}",
        kind="quarantine",
        subject=f"Provisioning to {about.app} is in quarantine ({reason})",
        text=text,
        facts={"reason": reason, "code": str(error.get("code") or ""), "message": cause},
    )


def guard(
    about: About, wave_id: str, sentence: str, facts: Mapping[str, str], notification: Notification
) -> list[NewMessage]:
    """A guard holds something. ``sentence``: how much, and above which limit."""
    text = (
        f"Provisioning to {about.app} waits for your decision.\n\n{sentence}\n\n"
        "Nothing of it was sent, and everything else goes on. Look at what is held, then approve or reject it,\n"
        f"all at once or one by one, in the portal or with 'provisor job' ({about.job_id}).\n"
    )
    return _messages(
        about,
        notification,
        key=f"guard/{wave_id}",
        kind="guard",
        subject=f"Provisioning to {about.app}: changes are held until you approve them",
        text=text,
        facts=facts,
    )


def expiring(about: About, days: int, at: str, notification: Notification) -> list[NewMessage]:
    """The job's Secret Token ends soon."""
    text = (
        f"The Secret Token that provisioning to {about.app} uses expires at {at}.\n\n"
        "Make a new one in the app, then enter it among the job's admin credentials.\n"
    )
    return _messages(
        about,
        notification,
        key=f"token/{about.job_id}/{at}/{days}",
        kind="expiry",
        subject=f"The credentials of {about.app} expire in {days} day{'' if days == 1 else 's'} or less",
        text=text,
        facts={"expires": at},
    )


def digest(
    about: About, day: str, counts: Mapping[str, int], failures: Sequence[Failure], notification: Notification
) -> list[NewMessage]:
    """What fails today. ``counts``: objects by error code; ``failures``: the first of them."""
    total = sum(counts.values())
    lines = [f"{total} object{'' if total == 1 else 's'} cannot be provisioned to {about.app} at the moment.\n"]
    lines += [f"    {count:6}  {code}" for code, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    lines.append("")
    lines += [f"{one.kind} {one.name}: {one.code}: {one.cause} Tried again at {one.again}." for one in failures]
    if total > len(failures):
        lines.append(f"... and {total - len(failures)} more: provisor job logs {about.job_id} --status failure")
    return _messages(
        about,
        notification,
        key=f"digest/{about.job_id}/{day}",
        kind="digest",
        subject=f"Provisioning to {about.app}: {total} object{'' if total == 1 else 's'} failing",
        text="\n".join(lines) + "\n",
        facts={"failing": str(total), **{f"failing.{code}": str(count) for code, count in counts.items()}},
    )


def _messages(
    about: About,
    notification: Notification,
    *,
    key: str,
    kind: str,
    subject: str,
    text: str,
    facts: Mapping[str, str],
) -> list[NewMessage]:
    """One to the job's address and one to its webhook, where they are set; nothing when the checkbox is off."""
    if not notification.enabled:
        return []
    recipients: list[tuple[Channel, str]] = [("mail", notification.recipients), ("webhook", notification.webhook)]
    all_facts = {"tenantId": about.tenant_id, "jobId": about.job_id, "app": about.app, **facts}
    return [
        NewMessage(Realm("tenant", about.tenant_id), channel, key, kind, recipient.strip(), subject, text, all_facts)
        for channel, recipient in recipients
        if recipient.strip()
    ]
