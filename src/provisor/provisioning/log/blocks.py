"""Step log: how entries lie in the database. Many of one commit share a block: a row for each, with its indices, would
cost a cycle more than the requests that the entries tell of.

    block   what all its entries have in common (tenant, job, cycle, moment), heads, bodies
    line    one thing that put itself in the log: one entry, or the members that one request has changed
    head    of a line: what is searched by, how many entries it holds, how many bytes its body has
    key     of a value that is searched by: in which blocks it is (table ``provisioning_log_key``)

An entry's id is its block's, whose last four digits count; nothing of an entry needs an id before it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from provisor.ids import new_id

# A block is full with so many lines, entries, or bytes: whoever looks for one entry reads the block's bodies.
MOST_LINES, MOST_ENTRIES, MOST_BYTES = 128, 4_096, 262_144

# What has keys. The other filters are compared with the heads.
KEYED = ("source_id", "target_id", "cycle_id", "error_code", "action", "status")

_encode_heads = msgspec.json.Encoder().encode


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """``name`` is in lower case. ``target_id`` is null where nothing is there yet; ``length``: bytes of the body;
    ``members``: its entries are those of one request's members."""

    source_id: str
    target_id: str | None
    object_type: str
    action: str
    status: str
    error_code: str | None
    name: str
    count: int
    length: int
    members: bool = False

    @classmethod
    def of(cls, line: Line) -> Head:
        """That of a line that is to be stored."""
        return cls(*_head(line))


_HEADS = list[Head]


class Line(msgspec.Struct, frozen=True, gc=False):
    """``body``: JSON of what it has for itself: an entry, or ``Members`` (``entry.py``) of so many ``members``."""

    source_id: str
    object_type: str
    action: str
    status: str
    error_code: str | None
    body: bytes
    target_id: str | None
    name: str
    members: int | None = None


@dataclass(slots=True)
class Block:
    """Lines that are stored together. ``id``: of its first entry."""

    id: str = field(default_factory=lambda: f"{new_id()[:-4]}0000")
    lines: list[Line] = field(default_factory=list)
    entries: int = 0
    size: int = 0

    def takes(self, line: Line) -> bool:
        """Is there room for one more? An empty block takes any."""
        full = len(self.lines) >= MOST_LINES or self.size + len(line.body) > MOST_BYTES
        return not self.lines or not (full or self.entries + (line.members or 1) > MOST_ENTRIES)

    @property
    def no(self) -> int:
        """Its number: blocks of one process ascend."""
        return number_of(self.id)

    @property
    def heads(self) -> str:
        """JSON of the lines' heads."""
        return _encode_heads([_head(line) for line in self.lines]).decode()

    @property
    def body(self) -> bytes:
        """The lines' bodies, one after the other."""
        return b"".join([line.body for line in self.lines])

    @property
    def tally(self) -> dict[str, int]:
        """Entries by status."""
        counts: dict[str, int] = {}
        for line in self.lines:
            counts[line.status] = counts.get(line.status, 0) + (line.members or 1)
        return counts


class Lines:
    """What a batch has put in the log, in order, and in the blocks in which it will lie."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def append(self, line: Line) -> None:
        """One more."""
        if not self.blocks or not self.blocks[-1].takes(line):
            self.blocks.append(Block())
        block = self.blocks[-1]
        block.lines.append(line)
        block.entries += line.members or 1
        block.size += len(line.body)

    def extend(self, others: Lines) -> None:
        """Those of another batch, with their ids."""
        self.blocks += others.blocks

    def __len__(self) -> int:
        return sum(len(block.lines) for block in self.blocks)

    def __iter__(self) -> Iterator[Line]:
        return (line for block in self.blocks for line in block.lines)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a line lies: bytes ``start`` to ``end`` of the block's bodies, and the number of its first entry."""

    head: Head
    first: int
    start: int
    end: int


def spots(heads: str) -> list[Spot]:
    """The lines of a stored block, in order."""
    found: list[Spot] = []
    first = start = 0
    for head in msgspec.json.decode(heads, type=_HEADS):
        found.append(Spot(head, first, start, start + head.length))
        first, start = first + head.count, start + head.length
    return found


def keys_of(tenant_id: str, cycle_id: str, lines: Iterable[Line | Head]) -> list[int]:
    """Of all that a block's entries can be found by, ascending; the same of its lines and of their heads."""
    values: set[tuple[str, str]] = {("cycle_id", cycle_id)}
    for line in lines:
        values.add(("source_id", line.source_id))
        values.add(("action", line.action))
        values.add(("status", line.status))
        if line.target_id is not None:
            values.add(("target_id", line.target_id))
        if line.error_code is not None:
            values.add(("error_code", line.error_code))
    return sorted({key_of(tenant_id, name, value) for name, value in values})


def key_of(tenant_id: str, name: str, value: str) -> int:
    """64 bits, signed. What is found by it is compared before it is believed."""
    digest = blake2b(f"{tenant_id}\0{name}\0{value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def number_of(block_id: str) -> int:
    """The moment in which a block was begun, in parts of 1/4096 ms: what blocks are told apart by."""
    digits = block_id.replace("-", "")
    return int(digits[:12], 16) << 12 | int(digits[13:16], 16)


def entry_id(block_id: str, n: int) -> str:
    """The id of a block's ``n``-th entry, from 0."""
    return f"{block_id[:-4]}{n:04x}"


def place_of(id_: str) -> tuple[int, str, int] | None:
    """The number and the id of the block that has this entry, and which of its entries it is; null: this is no id."""
    try:
        if len(id_) != len("00000000-0000-0000-0000-000000000000") or id_ != id_.lower():
            return None
        return number_of(id_), f"{id_[:-4]}0000", int(id_[-4:], 16)
    except ValueError:
        return None


def _head(line: Line) -> tuple[str, str | None, str, str, str, str | None, str, int, int, bool]:
    # An array, like ``Head``: of a tuple, since one is made for every line of a cycle.
    return (
        line.source_id,
        line.target_id,
        line.object_type,
        line.action,
        line.status,
        line.error_code,
        line.name,
        1 if line.members is None else line.members,
        len(line.body),
        line.members is not None,
    )
