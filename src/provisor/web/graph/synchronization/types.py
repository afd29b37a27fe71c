"""Graph face, the types of provisioning configurations: for ``$select``, ``$filter`` and ``$expand``.

Their navigation properties (a template's schema, a schema's directories) are answered in place, as the documentation's
samples have it, and can be named in ``$expand`` too.
"""

from __future__ import annotations

from provisor.odata.types import EntityType, Property, properties

_PAIR = {"key": Property(), "value": Property()}
JOB = EntityType(
    "synchronizationJob",
    properties(
        texts="id templateId",
        records={"schedule": {}, "status": {}},
        record_lists={"synchronizationJobSettings": {"name": Property(), "value": Property()}},
    ),
    links={"schema": "synchronizationSchema"},
)
TEMPLATE = EntityType(
    "synchronizationTemplate",
    properties(
        texts="id applicationId description factoryTag",
        flags="default discoverable",
        record_lists={"metadata": _PAIR},
    ),
    links={"schema": "synchronizationSchema"},
)
SCHEMA = EntityType(
    "synchronizationSchema",
    properties(texts="id version", record_lists={"synchronizationRules": {}}),
    links={"directories": "directoryDefinition"},
)
DIRECTORY = EntityType(
    "directoryDefinition",
    properties(
        texts="id name version discoverabilities",
        flags="readOnly",
        moments="discoveryDateTime",
        record_lists={"objects": {}},
    ),
)
TYPES = {kind.name: kind for kind in (JOB, TEMPLATE, SCHEMA, DIRECTORY)}
