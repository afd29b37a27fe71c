"""All table metadata in one place; the migrations are compared with it in a test."""

from provisor.storage.tables import (
    applications,
    connector,
    directory,
    operations,
    provider,
    provisioning,
    signin,
    system,
    trust,
)
from provisor.storage.tables.types import metadata

__all__ = [
    "applications",
    "connector",
    "directory",
    "metadata",
    "operations",
    "provider",
    "provisioning",
    "signin",
    "system",
    "trust",
]
