"""The provisioning log in blocks: many entries of one commit in a row.

What was there is packed the same way. Entries get new ids by it, since an entry's id is its place in its block.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
AT_ONCE = 2_000
LINES = 128
SHARED = ("tenantId", "jobId", "cycleId", "initiatedBy", "servicePrincipal", "sourceSystem", "targetSystem")


def upgrade() -> None:
    blocks = op.create_table(
        "provisioning_log_block",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("cycle_id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.Column("common", sa.Text(), nullable=False),
        sa.Column("heads", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_provisioning_log_block")),
    )
    keys = op.create_table(
        "provisioning_log_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "at", "no", name=op.f("pk_provisioning_log_key")),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        # Parts of a body are read, which is cheap only while it is not compressed; and compressing costs the cycle.
        op.execute("ALTER TABLE provisioning_log_block ALTER COLUMN body SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE provisioning_log_block ALTER COLUMN heads SET STORAGE EXTERNAL")
    _move(blocks, keys)
    op.create_index("ix_provisioning_log_block_time", "provisioning_log_block", ["tenant_id", "at", "no"])
    op.create_index("ix_provisioning_log_block_job", "provisioning_log_block", ["job_id", "at", "no"])
    op.drop_table("provisioning_log")


def _move(blocks: sa.Table, keys: sa.Table) -> None:
    connection = op.get_bind()
    no = 0
    for rows in _pages(connection):
        for (tenant, job, cycle, at), group in groupby(rows, key=lambda row: (row[2], row[3], row[4], row[0])):
            lines = list(group)
            for begin in range(0, len(lines), LINES):
                no = max(no + 1, at << 12)
                block, found = _block(lines[begin : begin + LINES], no)
                names = {"tenant_id": tenant, "job_id": job, "cycle_id": cycle, "at": at}
                connection.execute(blocks.insert(), [{**names, **block}])
                found.add(("cycle_id", cycle))
                digests = sorted({_digest(tenant, *one) for one in found})
                connection.execute(keys.insert(), [{"key": key, "at": at, "no": no} for key in digests])


def _pages(connection: sa.Connection) -> Iterator[Sequence[Any]]:
    at, id_ = -1, ""
    text = sa.text(
        "SELECT at, id, tenant_id, job_id, cycle_id, source_id, target_id, object_type, action, status, error_code,"
        " source_name, entry FROM provisioning_log WHERE (at, id) > (:at, :id) ORDER BY at, id LIMIT :limit"
    )
    while rows := connection.execute(text, {"at": at, "id": id_, "limit": AT_ONCE}).fetchall():
        yield rows
        at, id_ = rows[-1][0], rows[-1][1]


def _block(lines: Sequence[Any], no: int) -> tuple[dict[str, Any], set[tuple[str, str]]]:
    heads, bodies, tally = [], [], dict[str, int]()
    found: set[tuple[str, str]] = set()
    common: dict[str, Any] = {}
    for _, _, _, _, _, source, target, kind, action, status, code, name, text in lines:
        entry = msgspec.json.decode(text)
        common = {key: entry[key] for key in SHARED if key in entry}
        own = {key: value for key, value in entry.items() if key not in (*SHARED, "id", "changeId")}
        body = msgspec.json.encode(own)
        heads.append((source, target, kind, action, status, code, name, 1, len(body), False))
        bodies.append(body)
        tally[status] = tally.get(status, 0) + 1
        found |= {("source_id", source), ("action", action), ("status", status)}
        found |= {pair for pair in (("target_id", target), ("error_code", code)) if pair[1] is not None}
    moment, count, rest = no >> 12, no & 0xFFF, os.urandom(6).hex()
    digits = f"{moment:012x}"
    block = {
        "no": no,
        "id": f"{digits[:8]}-{digits[8:]}-7{count:03x}-8{rest[:3]}-{rest[3:11]}0000",
        "entries": len(lines),
        "tally": msgspec.json.encode(tally).decode(),
        "common": msgspec.json.encode(common).decode(),
        "heads": msgspec.json.encode(heads).decode(),
        "body": b"".join(bodies),
    }
    return block, found


def _digest(tenant: str, name: str, value: str) -> int:
    digest = blake2b(f"{tenant}\0{name}\0{value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
