"""Start-up: applications, their registrations, passwords and grants."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from provisor.app.wiring.shared import Shared

if TYPE_CHECKING:
    from provisor.applications.assignments.service import RoleAssignments
    from provisor.applications.grants.service import PermissionGrants
    from provisor.applications.passwords.service import Passwords
    from provisor.applications.registrations.service import Registrations
    from provisor.applications.service import Applications
    from provisor.applications.synchronization.service import Synchronization


class ApplicationServices(Shared):
    """What makes applications, their registrations, passwords and grants."""

    @cached_property
    def applications(self) -> Applications:
        from provisor.applications.service import Applications
        from provisor.applications.store import ApplicationStore

        return Applications(ApplicationStore(self.database), self._sealer, self.clock)

    @cached_property
    def registrations(self) -> Registrations:
        from provisor.applications.registrations.service import Registrations
        from provisor.applications.registrations.store import RegistrationStore

        return Registrations(RegistrationStore(self.database), self.clock)

    @cached_property
    def passwords(self) -> Passwords:
        from provisor.applications.passwords.service import Passwords
        from provisor.applications.passwords.store import PasswordStore

        return Passwords(PasswordStore(self.database), self.root.derive("client secret pepper"), self.clock)

    @cached_property
    def grants(self) -> PermissionGrants:
        from provisor.applications.grants.service import PermissionGrants
        from provisor.applications.grants.store import GrantStore

        return PermissionGrants(GrantStore(self.database), self.clock)

    @cached_property
    def synchronization(self) -> Synchronization:
        from provisor.applications.store import ApplicationStore
        from provisor.applications.synchronization.service import Synchronization

        store = ApplicationStore(self.database)
        return Synchronization(store, self.applications, self.sealer, self.clock)

    @cached_property
    def role_assignments(self) -> RoleAssignments:
        from provisor.applications.assignments.service import RoleAssignments
        from provisor.applications.assignments.store import AssignmentStore

        store = AssignmentStore(self.database)
        return RoleAssignments(store, self.applications, self.registrations, self.clock)
