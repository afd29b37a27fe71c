"""Tables of the provisioning service. Every job can be rebuilt from these alone: DBOS's store is expendable."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, text

from provisor.storage.tables.types import Document, Flag, Key, Moment, Number, RowNumber, metadata

_NO = text("false")

job_state = Table(
    "job_state",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("code", Key, nullable=False),  # NotConfigured | NotRun | Active | Paused | Quarantine
    # Position in the tenant's feed up to which changes were turned into pending rows; null before the initial cycle.
    Column("watermark", Number),
    # The schema version that the last finished initial cycle was made with; another one asks for a new initial cycle.
    Column("schema_version", Number),
    Column("next_run_at", Moment),  # the schedule's due time; null while paused
    Column("not_before", Moment),  # after a cycle that was broken off: nothing is tried before
    Column("failures", Number, nullable=False, server_default="0"),  # cycles broken off in a row
    # A cycle is in the queue since; nobody else enqueues one before this moment, or before it has begun.
    Column("enqueued_until", Moment),
    Column("running_cycle_id", Key),
    Column("last_cycle_id", Key),
    Column("quarantine", Document),  # {reason, began_at, next_attempt_at, error:{code,message}, …}
    Column("updated_at", Moment, nullable=False),
    # Stop now: no further request is sent, and a cycle that is cut off stays so until the job is started.
    Column("stopped", Flag, nullable=False, server_default=_NO),
    # The settings' scope_version that the last finished initial cycle was made with, like schema_version.
    Column("scope_version", Number),
    # The leavers' lane reads the feed by itself: up to here.
    Column("leavers_watermark", Number),
    # What became of the last test of the credentials: {version, state, cause, message, hint, at}.
    Column("credentials", Document),
    # The version of the credentials with which a search of the target has found what was known to be there.
    Column("search_proved", Key),
)

link = Table(
    "link",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("source_id", Key, primary_key=True),
    Column("object_type", Key, nullable=False),  # User | Group
    Column("target_id", Key, nullable=False),
    # linked    in scope, or on its way out
    # disabled  we took access away because the source is disabled or in the recycle bin; a purge still deletes it
    # released  we took access away because it is no longer assigned; not managed until it is in scope again
    Column("state", Key, nullable=False),
    # What the target last confirmed, target attribute path -> value; members never inside.
    Column("acknowledged", Document, nullable=False),
    Column("display_name", Key, nullable=False),
    # The name in lower case, of a deleted user without the id before it: who comes back under it gets the account.
    Column("name_key", Key, nullable=False),
    Column("updated_at", Moment, nullable=False),
    # A group on its way to a new name in a target that renames none: the target's id of the group that replaces it.
    Column("successor_id", Key),
    Index("ix_link_name", "job_id", "object_type", "name_key"),
    Index("ux_link_target", "job_id", "object_type", "target_id", unique=True),
)

# Memberships that the target has confirmed, by source ids.
link_member = Table(
    "link_member",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("group_id", Key, primary_key=True),
    Column("member_id", Key, primary_key=True),
    # A change of it was sent and its answer is not known: whatever is wanted is sent again.
    Column("doubtful", Flag, nullable=False, server_default=_NO),
    Index("ix_link_member_member", "job_id", "member_id"),
)

# Memberships to look at again, one row a pair: who may have joined or left which group, at either end of the wire.
pending_member = Table(
    "pending_member",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("group_id", Key, primary_key=True),
    Column("member_id", Key, primary_key=True),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Number, nullable=False),
    Column("failed_first_at", Moment),
    Index("ix_pending_member_due", "job_id", "due_at"),
)

# At most one row per (job, object): the queue is bounded by objects, not by events.
pending = Table(
    "pending",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("source_id", Key, primary_key=True),
    Column("object_type", Key, nullable=False),
    # object: everything but references is to be looked at; reference: only the manager is; vanished: the target no
    # longer has what it is linked to (404), and the cycle has yet to judge whether that can be true
    Column("stage", Key, nullable=False),
    Column("seq", Number, nullable=False),  # raised by every further change: a slot is cleared only if it still holds
    Column("due_at", Moment, nullable=False),  # now, or the escrow's next attempt
    Column("attempts", Number, nullable=False),  # failures in a row; 0 = not in escrow
    Column("failed_first_at", Moment),
    Column("error_code", Key),
    Column("error", Document),
    Column("correlation_id", Key),  # of the change that it is looked at for
    # The directory says that it was purged, so that its absence is no fault of reading.
    Column("gone", Flag, nullable=False, server_default=_NO),
    # It may have to lose access: the leavers' lane looks at it before all others.
    Column("urgent", Flag, nullable=False, server_default=_NO),
    Index("ix_pending_urgent", "job_id", "due_at", sqlite_where=text("urgent"), postgresql_where=text("urgent")),
    Index("ix_pending_due", "job_id", "stage", "object_type", "due_at", "source_id"),
    Index("ix_pending_time", "job_id", "due_at"),
)

# Written (one commit a batch) before a create leaves; gone when its answer was recorded.
intent = Table(
    "intent",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("source_id", Key, primary_key=True),
    Column("object_type", Key, nullable=False),
    Column("cycle_id", Key, nullable=False),
    # What the new object can be found by, [[attribute, value], …]: its source may be renamed before it is looked for.
    Column("keys", Document, nullable=False),
    Column("sent_at", Moment, nullable=False),
)

cycle = Table(
    "cycle",
    metadata,
    Column("id", Key, primary_key=True),
    Column("job_id", Key, nullable=False),
    Column("kind", Key, nullable=False),  # Initial | Incremental
    Column("state", Key, nullable=False),  # Running | Succeeded | Failed | Stopped (and Running again when started)
    Column("phase", Key, nullable=False),
    Column("cursor", Key),  # the last source id that the phase has done; null = at its start
    Column("watermark", Number, nullable=False),  # the feed's head when it began
    Column("schema_version", Number, nullable=False),
    Column("considered", Number, nullable=False),  # objects looked at, counted apart from the outcomes: they must agree
    Column("began_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("counts", Document),  # the balance, written when it ends
    Column("error", Document),
    Column("lane", Key, nullable=False, server_default="main"),  # main | leavers
    Column("scope_version", Number, nullable=False, server_default="0"),
    Index("ix_cycle_job", "job_id", "began_at"),
)

# What became of each object in a cycle: the counts are made from these rows and nothing else.
outcome = Table(
    "outcome",
    metadata,
    Column("cycle_id", Key, primary_key=True),
    Column("source_id", Key, primary_key=True),
    Column("object_type", Key, nullable=False),
    # created | updated | unchanged | failed | waiting: in scope; disabled | deleted | skipped: not
    Column("action", Key, nullable=False),
    Column("reason", Key),  # skip reason or error code
    Index("ix_outcome_cycle", "cycle_id", "object_type", "action"),
)

lease = Table(
    "lease",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("holder", Key, nullable=False),
    Column("epoch", Number, nullable=False),
    Column("expires_at", Moment, nullable=False),
    # Who asks for it, so that the holder gives it up between two batches; null: nobody.
    Column("wanted_by", Key),
    Column("wanted_until", Moment),
)

# Entries of one commit, together: provisioning/log/blocks.py. A row and its indices for each would cost a cycle more
# than what the entries tell of.
provisioning_log_block = Table(
    "provisioning_log_block",
    metadata,
    Column("no", RowNumber, primary_key=True, autoincrement=False),  # time-ordered
    Column("id", Key, nullable=False),  # of its first entry
    Column("tenant_id", Key, nullable=False),
    Column("job_id", Key, nullable=False),
    Column("cycle_id", Key, nullable=False),
    Column("at", Moment, nullable=False),
    Column("entries", Number, nullable=False),
    Column("tally", Document, nullable=False),  # entries by status
    Column("common", Document, nullable=False),  # what all entries share
    Column("heads", Document, nullable=False),  # what each line is searched by
    Column("body", LargeBinary, nullable=False),
    Index("ix_provisioning_log_block_time", "tenant_id", "at", "no"),
    Index("ix_provisioning_log_block_job", "job_id", "at", "no"),
)

# In which blocks a value is that is searched by, newest first.
provisioning_log_key = Table(
    "provisioning_log_key",
    metadata,
    Column("key", Number, primary_key=True, autoincrement=False),  # a digest: blocks.py, key_of
    Column("at", Moment, primary_key=True, autoincrement=False),
    Column("no", Number, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# What a batch is about to change, written before its first request and gone with its acknowledgement. What is still
# here when the next batch begins was cut off; those changes may or may not have reached the target.
flight = Table(
    "flight",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("lane", Key, primary_key=True),
    Column("content", Document, nullable=False),  # {objects: {source id: [paths]}, groups: [source ids]}
)

# Objects that a person has to decide about: several accounts could be theirs.
decision = Table(
    "decision",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("source_id", Key, primary_key=True),
    Column("object_type", Key, nullable=False),
    Column("display_name", Key, nullable=False),
    Column("reason", Key, nullable=False),  # DuplicateTargetEntries
    Column("attribute", Key, nullable=False),  # the matching attribute, and its value
    Column("value", Key, nullable=False),
    Column("candidates", Document, nullable=False),  # [{id, displayName, userName, active, …}, …]
    Column("found_at", Moment, nullable=False),
    Column("choice", Key),  # link | create | ignore; null: nobody has decided yet
    Column("target_id", Key),  # with link: which of the candidates
    Column("decided_by", Key),
    Column("decided_at", Moment),
)

# What became of a job's objects by slices of time: thresholds look at the last 24 hours, over all cycles and lanes.
job_window = Table(
    "job_window",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("slice", Number, primary_key=True),
    Column("considered", Number, nullable=False),
    Column("succeeded", Number, nullable=False),
    Column("failed", Number, nullable=False),
    Column("vanished", Number, nullable=False),
)
