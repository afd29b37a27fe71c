"""The admin centre: where each app's provisioning stands, in words and a colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisor.applications.model import App
from provisor.provisioning.model import JobState
from provisor.security.actor import Actor, Right

if TYPE_CHECKING:
    from provisor.app.services import AppServices

# Job status code -> what a person reads, and Tabler's colour of it.
WORDS = {
    "NotConfigured": ("Not started", "secondary"),
    "NotRun": ("On, first cycle to come", "blue"),
    "Active": ("On", "green"),
    "Paused": ("Off", "secondary"),
    "Quarantine": ("Quarantined", "red"),
}


@dataclass(frozen=True, slots=True)
class AppState:
    """An app in a list. ``state`` is null for who may not read how apps are provisioned, and for an app without a job:
    its provisioning mode is Manual."""

    app: App
    state: JobState | None

    @property
    def words(self) -> str:
        """Where its provisioning stands."""
        if not self.app.has_job:
            return "Manual"
        return WORDS[self.state.code][0] if self.state is not None else ""

    @property
    def colour(self) -> str:
        """In which colour."""
        return WORDS[self.state.code][1] if self.state is not None else "secondary"

    @property
    def running(self) -> bool:
        """Whether a cycle is under way."""
        return self.state is not None and self.state.running_cycle_id is not None

    @property
    def trouble(self) -> str:
        """Why it needs somebody; empty when it does not."""
        if self.state is None or self.state.code != "Quarantine":
            return ""
        story = self.state.quarantine or {}
        return str((story.get("error") or {}).get("message") or story.get("reason") or "It is quarantined.")


async def app_states(app: AppServices, actor: Actor, tenant_id: str) -> list[AppState]:
    """The tenant's apps, by name."""
    found = await app.applications.apps(actor, tenant_id)
    if Right.SYNCHRONIZATION_READ not in actor.rights:
        return [AppState(one, None) for one in found]
    return [await app_state(app, actor, one) for one in found]


async def app_state(app: AppServices, actor: Actor, one: App) -> AppState:
    """One of them, for who may read how apps are provisioned."""
    return AppState(one, await app.provisioning.state(actor, one.job_id) if one.has_job else None)
