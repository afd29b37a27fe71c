"""Graph face, what can go wrong with applications and provisioning, as Graph tells it (reference sections 4, 5, 14)."""

from __future__ import annotations

from provisor.applications import errors as found
from provisor.applications.schema import InvalidSchema
from provisor.connector.errors import TargetError
from provisor.provisioning.checking import MissingCredential
from provisor.web.graph.errors import BadRequest, Clashing, Detail, GraphError


def as_graph(error: Exception) -> GraphError | None:
    """The error in Graph's words; null when nothing special is to be said of it."""
    text = str(error)
    match error:
        case found.AlreadyAssigned() | found.AlreadyOwner() | found.RoleNotFound() | found.RoleDisabled():
            return BadRequest(text)
        case found.NotSecurityEnabled():
            return BadRequest(text)
        case found.EnabledRole():
            return BadRequest(text, code="CannotDeleteOrUpdateEnabledEntitlement")
        case found.RegistrationExists() | found.GrantExists():
            return Clashing(text, code="Request_MultipleObjectsWithSameKeyValue")
        case InvalidSchema():
            details = [Detail("InvalidSchema", one.where, one.problem) for one in error.findings]
            return BadRequest(text, code="InvalidSchema", details=details)
        case MissingCredential():
            return BadRequest(text, code="RequestMissingRequiredParameter")
        case TargetError():
            return BadRequest(text, code=error.code)
    return None
