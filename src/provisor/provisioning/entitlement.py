"""Step scoping: may this object be in the target, and if not, why. Pure.

``reference/entra-provisioning-service.md`` sections 4 and 11; the details are those of its section 21.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisor.provisioning.model import Entitlement, Source


@dataclass(frozen=True, slots=True)
class Grounds:
    """What speaks for an object: the job's scope, its assignments' role ids, and the scoping filter's verdict."""

    sync_all: bool
    role_ids: Sequence[str]
    default_access_provisioned: bool
    filter_passed: bool
    filter_details: str  # JSON, clause by clause; "{}" without a filter
    default_access: str = "00000000-0000-0000-0000-000000000000"


def decide(source: Source, grounds: Grounds) -> Entitlement:
    """Assignment first, then the filter; whether the source is active is the plan's question, told in the details."""
    assigned = bool(grounds.role_ids)
    effective = any(role != grounds.default_access or grounds.default_access_provisioned for role in grounds.role_ids)
    entitled = source.exists and (grounds.sync_all or effective)
    reason: str | None = None
    if not entitled:
        reason = "NotEffectivelyEntitled"
    elif not grounds.filter_passed:
        reason = "EntrySynchronizationSkipped"
    return Entitlement(
        in_scope=reason is None,
        assigned=assigned,
        reason=reason,
        details={
            "IsActive": str(source.active),
            "Assigned": str(assigned),
            "ScopeSyncAll": str(grounds.sync_all),
            "IsEffectivelyEntitledForProvisioning": str(entitled),
            "ScopeEvaluationResult": grounds.filter_details,
        },
    )
