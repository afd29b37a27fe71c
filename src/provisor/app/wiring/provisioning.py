"""Start-up: the provisioning service."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from provisor.app.wiring.applications import ApplicationServices
from provisor.app.wiring.directory import DirectoryServices

if TYPE_CHECKING:
    from provisor.app.targets import TargetClients
    from provisor.connector.paces.store import PaceStore
    from provisor.provisioning.checking import CredentialChecks
    from provisor.provisioning.connections.service import ObjectConnections
    from provisor.provisioning.decisions.service import Decisions
    from provisor.provisioning.discovery import Discovery
    from provisor.provisioning.engine import Engine, Stores
    from provisor.provisioning.explaining.service import Explanations
    from provisor.provisioning.guarding.model import GuardWatcher
    from provisor.provisioning.guarding.service import Guards
    from provisor.provisioning.learning.service import Learning
    from provisor.provisioning.log.service import ProvisioningLog
    from provisor.provisioning.ondemand.service import OnDemand
    from provisor.provisioning.outcomes.service import Outcomes
    from provisor.provisioning.planning.service import Plans
    from provisor.provisioning.service import Provisioning
    from provisor.provisioning.telling.store import Telling
    from provisor.provisioning.tryout import Tryout


class ProvisioningServices(DirectoryServices, ApplicationServices):
    """What makes the provisioning service."""

    @cached_property
    def stores(self) -> Stores:
        from provisor.provisioning.decisions.store import DecisionStore
        from provisor.provisioning.engine import Stores
        from provisor.provisioning.flights.store import FlightStore
        from provisor.provisioning.guarding.store import GuardStore
        from provisor.provisioning.importing.store import ImportStore
        from provisor.provisioning.leases.store import LeaseStore
        from provisor.provisioning.rechecking.store import RecheckStore
        from provisor.provisioning.recording.store import RecordStore
        from provisor.provisioning.store import ProvisioningStore

        database = self.database
        return Stores(
            ProvisioningStore(database),
            LeaseStore(database),
            ImportStore(database),
            RecordStore(database),
            GuardStore(database),
            RecheckStore(database),
            DecisionStore(database),
            FlightStore(database),
        )

    @cached_property
    def targets(self) -> TargetClients:
        from provisor.app.targets import TargetClients

        return TargetClients(self.applications, self._transport, self.clock)

    @cached_property
    def paces(self) -> PaceStore:
        from provisor.connector.paces.store import PaceStore

        return PaceStore(self.database)

    def engine(self, holder: str, *, batch: int | None = None) -> Engine:
        """An engine whose leases are ``holder``'s; ``batch``: how many objects it has in hand at once at most."""
        from provisor.provisioning.engine import Engine
        from provisor.provisioning.run import BATCH

        return Engine(
            self.stores,
            self.directory,
            self.applications,
            self.targets,
            self.clock,
            holder=holder,
            batch=batch or BATCH,
            watcher=self.guard_watcher,
        )

    @cached_property
    def provisioning(self) -> Provisioning:
        from provisor.provisioning.service import Provisioning

        stores = self.stores
        shared = (self.applications, self.targets, self.clock, self.guards, self.paces)
        return Provisioning(stores.jobs, stores.decisions, *shared, tell=self.work_waits.set)

    @cached_property
    def credential_checks(self) -> CredentialChecks:
        from provisor.provisioning.checking import CredentialChecks

        return CredentialChecks(self.synchronization, self.targets)

    @cached_property
    def discovery(self) -> Discovery:
        from provisor.provisioning.discovery import Discovery

        return Discovery(self.applications, self.targets, self.clock)

    @cached_property
    def connections(self) -> ObjectConnections:
        from provisor.provisioning.connections.service import ObjectConnections
        from provisor.provisioning.connections.store import ConnectionStore

        return ObjectConnections(ConnectionStore(self.database), self.clock)

    @cached_property
    def decisions(self) -> Decisions:
        from provisor.provisioning.decisions.service import Decisions

        return Decisions(self.stores.decisions, self.stores.jobs, self.applications, self.clock)

    @cached_property
    def telling(self) -> Telling:
        from provisor.provisioning.telling.store import Telling

        return Telling(self.database, self.clock)

    @cached_property
    def guard_watcher(self) -> GuardWatcher:
        """Who is told when a guard holds something, and when somebody decides."""
        return self.telling

    @cached_property
    def guards(self) -> Guards:
        from provisor.provisioning.guarding.service import Guards

        stores = self.stores
        return Guards(stores.guards, stores.jobs, self.applications, self.clock, self.guard_watcher)

    @cached_property
    def outcomes(self) -> Outcomes:
        from provisor.provisioning.outcomes.service import Outcomes
        from provisor.provisioning.outcomes.store import OutcomeStore

        return Outcomes(OutcomeStore(self.database), self.applications)

    @cached_property
    def tryout(self) -> Tryout:
        from provisor.provisioning.tryout import Tryout

        return Tryout(self.directory, self.applications, self.clock)

    @cached_property
    def on_demand(self) -> OnDemand:
        from provisor.provisioning.ondemand.service import OnDemand
        from provisor.provisioning.ondemand.store import SubjectStore

        subjects = SubjectStore(self.database)
        return OnDemand(self.stores, subjects, self.directory, self.applications, self.clock, self.engine)

    @cached_property
    def explanations(self) -> Explanations:
        from provisor.provisioning.explaining.service import Explanations
        from provisor.provisioning.ondemand.store import SubjectStore

        subjects = SubjectStore(self.database)
        return Explanations(self.stores, subjects, self.directory, self.applications, self.clock, self.engine)

    @cached_property
    def plans(self) -> Plans:
        from provisor.provisioning.ondemand.store import SubjectStore
        from provisor.provisioning.planning.service import Plans
        from provisor.provisioning.planning.store import PlanStore

        subjects = SubjectStore(self.database)
        return Plans(PlanStore(self.database), self.stores, subjects, self.applications, self.clock, self.engine)

    @cached_property
    def learning(self) -> Learning:
        from provisor.provisioning.learning.service import Learning
        from provisor.provisioning.learning.store import LearningStore

        return Learning(LearningStore(self.database), self.applications)

    @cached_property
    def log(self) -> ProvisioningLog:
        from provisor.provisioning.log.service import ProvisioningLog
        from provisor.provisioning.log.store import LogStore

        return ProvisioningLog(LogStore(self.database), self.clock, days=self.settings.provisioning_log_days)
