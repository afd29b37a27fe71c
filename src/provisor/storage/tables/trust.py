"""Tables of the guards and of stored plans."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from provisor.storage.tables.types import Document, Flag, Key, Moment, Number, metadata

# What a guard keeps back, at most one row an object. The object's slot in ``pending`` waits with it.
held = Table(
    "held",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("source_id", Key, primary_key=True),
    Column("object_type", Key, nullable=False),  # User | Group
    Column("action", Key, nullable=False),  # update | disable | delete: what would be done
    # deferred  the running cycle has not counted all of its kind yet
    # held      too many: nothing is done until somebody decides
    # released  not too many: the running cycle goes on with it
    # approved  somebody has: it is done at the next occasion
    # rejected  somebody has: it is not done, until the object's own state asks for something else
    Column("state", Key, nullable=False),
    Column("wave_id", Key),  # the wave that it was counted in; null while deferred and not counted yet
    Column("schema_version", Number, nullable=False),
    Column("name", Key, nullable=False),
    Column("target_id", Key, nullable=False),
    Column("changes", Document, nullable=False),  # [{displayName, oldValue, newValue}, …]
    Column("at", Moment, nullable=False),
    Column("decided_by", Key),
    Column("decided_at", Moment),
    Index("ix_held_state", "job_id", "state", "wave_id"),
)

# What one cycle wanted to do at once, how it was counted, and the verdict.
guard_wave = Table(
    "guard_wave",
    metadata,
    Column("id", Key, primary_key=True),  # time-ordered
    Column("job_id", Key, nullable=False),
    Column("cycle_id", Key, nullable=False),
    Column("kind", Key, nullable=False),  # deletions (deletes and disables) | changes (updates)
    Column("rule", Key),  # which limit held it: absolute | percent | changes | deleteThreshold; null = let go
    Column("wanted", Number, nullable=False),
    Column("done", Number, nullable=False),  # executed already within the window
    Column("linked", Number, nullable=False),
    Column("most", Number, nullable=False),  # the limit
    Column("at", Moment, nullable=False),
    Index("ix_guard_wave_job", "job_id", "id"),
)

# Deletes and disables that were carried out: what the sliding window counts. Older rows go with every new one.
deprovision = Table(
    "deprovision",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("source_id", Key, primary_key=True),
)

# Linked objects that a restart has asked to be read in the target, until they were.
recheck = Table(
    "recheck",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("source_id", Key, primary_key=True),
)

# What a cycle would do, as somebody was shown it.
plan = Table(
    "plan",
    metadata,
    Column("id", Key, primary_key=True),  # time-ordered
    Column("job_id", Key, nullable=False),
    Column("state", Key, nullable=False),  # Planning | Ready | Approved | Applying | Applied | Failed
    Column("created_at", Moment, nullable=False),
    Column("created_by", Key, nullable=False),
    Column("ready_at", Moment),
    # What the whole plan rests on: {schemaVersion, scope, target}; digests, nothing secret.
    Column("basis", Document, nullable=False),
    Column("previous_id", Key),
    Column("counts", Document),
    Column("comparison", Document),
    Column("approved_at", Moment),
    Column("approved_by", Key),
    Column("cycle_id", Key),  # under which it was applied: outcomes and log entries have it
    Column("applied_at", Moment),
    Column("result", Document),
    Column("error", Document),
    Index("ix_plan_job", "job_id", "id"),
)

plan_entry = Table(
    "plan_entry",
    metadata,
    Column("plan_id", Key, primary_key=True),
    Column("source_id", Key, primary_key=True),
    Column("object_type", Key, nullable=False),
    Column("action", Key, nullable=False),  # create | link | update | disable | delete | ambiguous | fail | skip | hold
    Column("name", Key, nullable=False),
    Column("target_id", Key),
    # [[path, old, new], …] as they would be sent; a group's members are ``plan_pair``'s
    Column("changes", Document, nullable=False),
    Column("manager_id", Key),  # the source's id of the manager that is to be written; "" = is to be removed
    Column("joins", Number, nullable=False),  # members that a group gets, and loses
    Column("leaves", Number, nullable=False),
    Column("reason", Key),
    Column("source_version", Number),  # null when the source is gone
    Column("digest", Key, nullable=False),  # of what it rests on: source version, acknowledged state, target object
    Column("held", Flag, nullable=False),  # a guard holds it now, or somebody has rejected it
    Column("left_out", Key),  # why it was not applied
    Index("ix_plan_entry_action", "plan_id", "action", "source_id"),
)

# Memberships that would be written, by source ids.
plan_pair = Table(
    "plan_pair",
    metadata,
    Column("plan_id", Key, primary_key=True),
    Column("group_id", Key, primary_key=True),
    Column("member_id", Key, primary_key=True),
    Column("joins", Flag, nullable=False),
)

# Target objects by the values of the matching attributes, while a plan is made: a list too long for the memory.
plan_target = Table(
    "plan_target",
    metadata,
    Column("plan_id", Key, primary_key=True),
    Column("object_type", Key, primary_key=True),
    Column("attribute", Key, primary_key=True),
    Column("value", Key, primary_key=True),
    Column("target_id", Key, primary_key=True),
    Column("document", Document, nullable=False),
)
