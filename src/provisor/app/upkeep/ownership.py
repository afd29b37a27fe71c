"""Removal of a whole tenant or company: which rows are its own, told by the tables themselves.

A table belongs by the first of these columns that it has; a new table that has none of them, and is not named among
those that nobody owns, fails a test.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Table

from provisor.storage.tables import metadata

RealmKind = Literal["tenant", "company"]

# Of the whole installation.
NOBODYS = frozenset({"setting", "target_pace", "executor", "attempt"})

# Statements are made of the tables' own names; ids are parameters.
# ruff: noqa: S608
_JOBS = "SELECT id FROM synchronization_job WHERE tenant_id = :id"
_BY_COLUMN: dict[str, tuple[tuple[str, str], ...]] = {
    "tenant": (
        ("tenant_id", "tenant_id = :id"),
        ("job_id", f"job_id IN ({_JOBS})"),
        ("cycle_id", f"cycle_id IN (SELECT id FROM cycle WHERE job_id IN ({_JOBS}))"),
        ("plan_id", f"plan_id IN (SELECT id FROM plan WHERE job_id IN ({_JOBS}))"),
        ("grant_id", "grant_id IN (SELECT id FROM token_grant WHERE tenant_id = :id)"),
        ("service_principal_id", "service_principal_id IN (SELECT id FROM service_principal WHERE tenant_id = :id)"),
        ("no", "no IN (SELECT no FROM provisioning_log_block WHERE tenant_id = :id)"),
    ),
    "company": (
        ("company_id", "company_id = :id"),
        ("client_id", "client_id IN (SELECT id FROM oauth_client WHERE company_id = :id)"),
    ),
}
# Others are found by their rows, so these go last, in this order.
_LAST = (
    "provisioning_log_block",
    "cycle",
    "plan",
    "token_grant",
    "service_principal",
    "synchronization_job",
    "oauth_client",
)
# The chain of the audit log is dropped apart, since how it ended is told.
_APART = frozenset({"audit_entry", "audit_head", "audit_target"})


def condition(table: Table, kind: RealmKind) -> str | None:
    """Which rows of a table are the realm's, ``:id`` and ``:realm`` (``tenant:ID``) given; null: none."""
    columns = {column.name for column in table.columns}
    if table.name == kind:
        return "id = :id"
    if table.name in NOBODYS or table.name in _APART or table.name in ("tenant", "company"):
        return None
    if "realm" in columns:
        return "realm = :realm"
    if {"kind", "realm_id"} <= columns:
        return f"kind = '{kind}' AND realm_id = :id"
    if kind == "company" and "tenant_id" in columns:
        return None
    return next((text for name, text in _BY_COLUMN[kind] if name in columns), None)


def deletions(kind: RealmKind) -> list[str]:
    """The statements that remove a realm, in an order in which each still finds its rows; the realm itself last."""
    order = {name: at for at, name in enumerate((*_LAST, kind), start=1)}
    tables = sorted(metadata.tables.values(), key=lambda table: (order.get(table.name, 0), table.name))
    found = ((table, condition(table, kind)) for table in tables)
    return [f"DELETE FROM {table.name} WHERE {where}" for table, where in found if where is not None]


def of_a_job() -> list[str]:
    """The statements that remove what is left of one job, ``:id``."""
    found = []
    for table in sorted(metadata.tables.values(), key=lambda one: (one.name in _LAST, one.name)):
        columns = {column.name for column in table.columns}
        if "job_id" in columns:
            found.append(f"DELETE FROM {table.name} WHERE job_id = :id")
        elif "plan_id" in columns or "cycle_id" in columns:
            parent = "plan" if "plan_id" in columns else "cycle"
            inner = f"SELECT id FROM {parent} WHERE job_id = :id"
            found.append(f"DELETE FROM {table.name} WHERE {parent}_id IN ({inner})")
        elif "no" in columns:
            inner = "SELECT no FROM provisioning_log_block WHERE job_id = :id"
            found.append(f"DELETE FROM {table.name} WHERE no IN ({inner})")
    return found
