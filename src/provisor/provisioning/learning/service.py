"""Step export, its lessons, for all who call: what a job's target can do by its profile, and what it refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisor.applications.service import Applications
from provisor.connector.capabilities import CapabilityProfile
from provisor.provisioning.learning.store import LearningStore, Seen
from provisor.security.actor import Actor


@dataclass(frozen=True, slots=True)
class TargetKnowledge:
    """``profile``: what differs from a generous server, by the gallery; ``refused``: what the target did not take
    although the profile does not say so; ``notes``: what the gallery tells an administrator."""

    profile: Mapping[str, Any]
    refused: Sequence[Seen]
    notes: Sequence[str]


class Learning:
    """What is known of targets."""

    def __init__(self, store: LearningStore, applications: Applications) -> None:
        self._store = store
        self._applications = applications

    async def of(self, actor: Actor, job_id: str) -> TargetKnowledge:
        """What is known of the job's target. Raises ``JobNotFound``."""
        job = await self._applications.job(actor, job_id)
        template = self._applications.template(job.template_id)
        profile = CapabilityProfile.from_dict(template.capabilities).to_dict()
        return TargetKnowledge(profile, await self._store.seen(job_id), template.notes)
