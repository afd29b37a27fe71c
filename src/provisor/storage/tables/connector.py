"""Tables of the connector: what is learnt of targets."""

from __future__ import annotations

from sqlalchemy import Column, Float, Table

from provisor.storage.tables.types import Key, Moment, Number, metadata

# What each worker knows of the pace of a target, so that all keep to it together and after a restart.
target_pace = Table(
    "target_pace",
    metadata,
    Column("target", Key, primary_key=True),  # the root of its Tenant URL
    Column("worker", Key, primary_key=True),
    Column("rate", Float),  # requests a second; null: no limit was met
    Column("refused_at", Moment, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("used_at", Moment, nullable=False),
    Column("throttled", Number, nullable=False),
    Column("paused_until", Moment),
    Column("at_once", Number),  # requests under way at most; null: what the profile says
    Column("resized_at", Moment, nullable=False, server_default="0"),
)
