"""One id leads from a change of the directory to the request on the wire, and back."""

from __future__ import annotations

import structlog
from structlog.testing import CapturingLogger
from tests.integration.provisioning.conftest import World

from provisor.events.audit.store import AuditFilter
from provisor.events.correlation import correlated, with_correlation
from provisor.provisioning.log.model import LogFilter
from provisor.security.actor import Realm, operator


async def test_one_id_from_the_change_to_the_wire(world: World) -> None:
    ada = await world.person("ada")
    await world.assign(ada)
    await world.start()
    await world.cycle()
    with correlated("change-1"):
        await world.services.directory.update_user(operator(), world.tenant.id, ada.id, {"displayName": "Ada L"})

    output = CapturingLogger()
    structlog.configure(
        processors=[with_correlation, structlog.processors.KeyValueRenderer()],
        logger_factory=lambda *_: output,
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=False,
    )
    try:
        await world.cycle()
    finally:
        structlog.reset_defaults()

    realm = Realm("tenant", world.tenant.id)
    [audited] = (await world.services.audit.page(operator(), realm, AuditFilter(correlation_id="change-1"))).entries
    assert audited.activity.name == "Update user"
    [update] = await world.services.log.latest(operator(), world.tenant.id, LogFilter(action="update"), 10)
    assert update["correlationId"] == "change-1"
    sent = [str(call.args) for call in output.calls if "target_request" in str(call.args)]
    assert sent
    assert any("'change-1'" in line and "PATCH" in line for line in sent), sent
