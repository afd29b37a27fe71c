"""Tables of the program itself."""

from __future__ import annotations

from sqlalchemy import Column, Table

from provisor.storage.tables.types import Document, Key, Moment, metadata

# Small facts: the check value of the sealing key, the demo's progress.
setting = Table(
    "setting",
    metadata,
    Column("name", Key, primary_key=True),
    Column("value", Document, nullable=False),
)

# Who works on this database: one row per live executor.
executor = Table(
    "executor",
    metadata,
    Column("id", Key, primary_key=True),
    Column("heartbeat_at", Moment, nullable=False),
)
