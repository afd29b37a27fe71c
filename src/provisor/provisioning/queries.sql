-- The provisioning service's own tables, and its set-wise reads of the directory's and the applications' tables (which
-- it never writes): one statement a batch, whatever the batch holds.

-- name: job_state
-- Where a job stands.
SELECT job_id, code, watermark, schema_version, next_run_at, running_cycle_id, last_cycle_id, quarantine,
    stopped, scope_version, leavers_watermark, credentials, search_proved, not_before
FROM job_state WHERE job_id = :job_id

-- name: create_job_state
-- A job that is looked at for the first time.
INSERT INTO job_state (job_id, code, updated_at) VALUES (:job_id, :code, :now) ON CONFLICT (job_id) DO NOTHING

-- name: set_job_code
-- Start, pause, quarantine: the code, the due time of the next cycle, and the quarantine's story.
UPDATE job_state SET code = :code, next_run_at = :next_run_at, quarantine = :quarantine, not_before = NULL,
    enqueued_until = NULL, failures = 0, stopped = :stopped, updated_at = :now
WHERE job_id = :job_id

-- name: resume_cycle
-- Start: a cycle that was stopped goes on.
UPDATE cycle SET state = 'Running', ended_at = NULL
WHERE state = 'Stopped' AND id = (SELECT running_cycle_id FROM job_state WHERE job_id = :job_id)

-- name: stop_cycle
-- Stop now, where no worker is at it: whoever is, ends it itself.
UPDATE cycle SET state = 'Stopped', ended_at = :now
WHERE state = 'Running' AND id = (SELECT running_cycle_id FROM job_state WHERE job_id = :job_id)
  AND NOT EXISTS (SELECT 1 FROM lease WHERE job_id = :job_id AND expires_at > :now)

-- name: still_stopped
-- Is the job to stop, or has somebody started it again meanwhile? A write, so that a start waits, or is seen.
UPDATE job_state SET updated_at = :now WHERE job_id = :job_id AND stopped

-- name: cut_cycle
-- A worker saw that the job is to stop: the cycle keeps its place.
UPDATE cycle SET state = 'Stopped', ended_at = :now, counts = :counts WHERE id = :id

-- name: drop_stopped_cycle
-- Restart: what was stopped is not gone on with, everything is looked at anew.
UPDATE job_state SET running_cycle_id = NULL
WHERE job_id = :job_id AND running_cycle_id IN (SELECT id FROM cycle WHERE job_id = :job_id AND state = 'Stopped')

-- name: is_stopped
-- Looked at twice a second by whoever sends requests for the job.
SELECT stopped FROM job_state WHERE job_id = :job_id

-- name: hasten
-- A shorter interval: the schedule's next run comes no later than this.
UPDATE job_state SET next_run_at = :at WHERE job_id = :job_id AND next_run_at > :at AND code IN ('NotRun', 'Active')

-- name: save_credentials_state
-- What became of a test of the credentials.
UPDATE job_state SET credentials = :story, updated_at = :now WHERE job_id = :job_id

-- name: forget_watermark
-- Restart: the next cycle is an initial one.
UPDATE job_state SET watermark = NULL, updated_at = :now WHERE job_id = :job_id

-- name: clear_escrows
-- Restart: everything that failed is due at once.
UPDATE pending SET due_at = :now, attempts = 0, failed_first_at = NULL, seq = seq + 1 WHERE job_id = :job_id

-- name: clear_member_escrows
-- The same for memberships.
UPDATE pending_member SET due_at = :now, attempts = 0, failed_first_at = NULL WHERE job_id = :job_id

-- name: search_unproved
-- Without links, everybody is looked up anew: the search has to show that it works.
UPDATE job_state SET search_proved = NULL WHERE job_id = :job_id

-- name: prove_search
-- A search has found what was known to be there.
UPDATE job_state SET search_proved = :version WHERE job_id = :job_id

-- name: jobs_behind
-- Started jobs that have something to do now: a cycle cut off in the middle, a feed that has moved on, a schema that has
-- changed, an object whose time has come, or a schedule that is due. Those that are being worked on, or are in the queue
-- already, are left out when :free is true.
SELECT s.job_id
FROM job_state s
JOIN synchronization_job j ON j.id = s.job_id
LEFT JOIN feed_head h ON h.tenant_id = j.tenant_id
LEFT JOIN lease l ON l.job_id = s.job_id
WHERE (CAST(:job_id AS TEXT) IS NULL OR s.job_id = :job_id)
  AND (NOT :free OR (COALESCE(l.expires_at, 0) <= :now AND COALESCE(s.enqueued_until, 0) <= :now))
  AND NOT s.stopped
  AND ((s.code = 'Quarantine' AND s.next_run_at <= :now)
       OR (s.code = 'Paused' AND s.running_cycle_id IS NOT NULL AND COALESCE(s.not_before, 0) <= :now)
       OR (s.code IN ('NotRun', 'Active')
           AND COALESCE(s.not_before, 0) <= :now
           AND (s.running_cycle_id IS NOT NULL
                OR s.watermark IS NULL
                OR COALESCE(s.schema_version, -1) <> j.schema_version
                OR COALESCE(s.scope_version, -1) <> j.scope_version
                OR s.watermark < COALESCE(h.seq, 0)
                OR s.next_run_at <= :now
                OR EXISTS (SELECT 1 FROM pending p WHERE p.job_id = s.job_id AND p.due_at <= :now)
                OR EXISTS (SELECT 1 FROM pending_member p WHERE p.job_id = s.job_id AND p.due_at <= :now))))

-- name: claim_enqueueing
-- At most one cycle of a job is in the queue: whoever changes this row may put it there.
UPDATE job_state SET enqueued_until = :until
WHERE job_id = :job_id AND COALESCE(enqueued_until, 0) <= :now

-- name: dequeued
-- The cycle that was in the queue has begun.
UPDATE job_state SET enqueued_until = NULL WHERE job_id = :job_id

-- name: all_dequeued
-- A worker starts, and finds out anew what is in the queue.
UPDATE job_state SET enqueued_until = NULL WHERE enqueued_until IS NOT NULL

-- name: under_way
-- Cycles that workers run now, and those that wait in the queue: how many, and since when the first of them does. Who
-- holds a job for a plan or on demand has a name with a slash.
SELECT (SELECT COUNT(*) FROM lease WHERE expires_at > :now AND holder NOT LIKE '%/%'),
    COUNT(*), MIN(enqueued_until) FROM job_state WHERE enqueued_until > :now

-- name: drop_leases_of
-- A holder starts anew: what it held before is free.
UPDATE lease SET expires_at = 0 WHERE holder = :holder

-- name: take_lease
-- The right to work on a job: free, expired, or ours already. No row comes back when it is another's.
INSERT INTO lease (job_id, holder, epoch, expires_at) VALUES (:job_id, :holder, 1, :expires_at)
ON CONFLICT (job_id) DO UPDATE
SET epoch = CASE WHEN lease.holder = excluded.holder THEN lease.epoch ELSE lease.epoch + 1 END,
    holder = excluded.holder, expires_at = excluded.expires_at
WHERE lease.holder = excluded.holder
   OR (lease.expires_at <= :now
       AND (COALESCE(lease.wanted_until, 0) <= :now OR lease.wanted_by = excluded.holder))
RETURNING epoch

-- name: want_lease
-- Somebody asks for the job, before whoever has it goes on with the next batch.
UPDATE lease SET wanted_by = :holder, wanted_until = :until WHERE job_id = :job_id

-- name: lease_wanted
-- Does another holder ask for the job?
SELECT 1 FROM lease WHERE job_id = :job_id AND wanted_until > :now AND wanted_by <> :holder

-- name: keep_lease
-- Part of every acknowledgement: nothing is written on a lease that another has taken.
UPDATE lease SET expires_at = :expires_at WHERE job_id = :job_id AND holder = :holder AND epoch = :epoch

-- name: drop_lease
-- The job is free for anybody.
UPDATE lease SET expires_at = 0, wanted_until = CASE WHEN wanted_by = :holder THEN NULL ELSE wanted_until END
WHERE job_id = :job_id AND holder = :holder

-- name: insert_cycle
-- A cycle begins.
INSERT INTO cycle (id, job_id, kind, state, phase, watermark, schema_version, scope_version, considered, began_at, lane)
VALUES (:id, :job_id, :kind, 'Running', :phase, :watermark, :schema_version, :scope_version, 0, :now, :lane)

-- name: set_running
-- The cycle that a job is in.
UPDATE job_state SET running_cycle_id = :cycle_id, last_cycle_id = COALESCE(:cycle_id, last_cycle_id), updated_at = :now
WHERE job_id = :job_id

-- name: cycle
-- One cycle.
SELECT id, job_id, kind, state, phase, cursor, watermark, schema_version, considered, began_at, ended_at, counts, error,
    lane, scope_version
FROM cycle WHERE id = :id

-- name: cycles
-- A job's latest cycles.
SELECT id, job_id, kind, state, phase, cursor, watermark, schema_version, considered, began_at, ended_at, counts, error,
    lane, scope_version
FROM cycle WHERE job_id = :job_id AND (CAST(:lane AS TEXT) IS NULL OR lane = :lane) ORDER BY began_at DESC, id DESC LIMIT :limit

-- name: newest_cycle
-- A job's newest cycle, which may be running.
SELECT id, job_id, kind, state, phase, cursor, watermark, schema_version, considered, began_at, ended_at, counts, error,
    lane, scope_version
FROM cycle c WHERE job_id = :job_id AND lane = 'main' ORDER BY began_at DESC, id DESC LIMIT 1

-- name: last_cycle
-- A job's newest cycle that has ended.
SELECT id, job_id, kind, state, phase, cursor, watermark, schema_version, considered, began_at, ended_at, counts, error,
    lane, scope_version
FROM cycle c WHERE job_id = :job_id AND lane = 'main' AND state <> 'Running' ORDER BY began_at DESC, id DESC LIMIT 1

-- name: last_good_cycle
-- A job's newest cycle that ended well.
SELECT id, job_id, kind, state, phase, cursor, watermark, schema_version, considered, began_at, ended_at, counts, error,
    lane, scope_version
FROM cycle c WHERE job_id = :job_id AND lane = 'main' AND state = 'Succeeded' ORDER BY began_at DESC, id DESC LIMIT 1

-- name: first_good_cycle
-- A job's first cycle that ended well.
SELECT id, job_id, kind, state, phase, cursor, watermark, schema_version, considered, began_at, ended_at, counts, error,
    lane, scope_version
FROM cycle c WHERE job_id = :job_id AND lane = 'main' AND state = 'Succeeded' ORDER BY began_at, id LIMIT 1

-- name: last_with_exports_cycle
-- A job's newest cycle that ended well and changed something in the target.
SELECT id, job_id, kind, state, phase, cursor, watermark, schema_version, considered, began_at, ended_at, counts, error,
    lane, scope_version
FROM cycle c WHERE job_id = :job_id AND lane = 'main' AND state = 'Succeeded'
  AND EXISTS (SELECT 1 FROM outcome o WHERE o.cycle_id = c.id
              AND o.action IN ('created', 'updated', 'disabled', 'deleted'))
ORDER BY began_at DESC, id DESC LIMIT 1

-- name: failed_in_a_row
-- How many of a job's cycles were broken off in a row.
SELECT failures FROM job_state WHERE job_id = :job_id

-- name: set_phase
-- How far a cycle is.
UPDATE cycle SET phase = :phase, cursor = :cursor WHERE id = :id

-- name: count_considered
-- Objects looked at, counted apart from their outcomes.
UPDATE cycle SET considered = considered + :n WHERE id = :id

-- name: end_cycle
-- A cycle has ended, well or not.
UPDATE cycle SET state = :state, ended_at = :now, counts = :counts, error = :error WHERE id = :id

-- name: move_watermark
-- The changes up to here are pending rows now; the leavers' lane has nothing to look for among them.
UPDATE job_state SET watermark = :watermark, updated_at = :now,
    leavers_watermark = CASE WHEN COALESCE(leavers_watermark, 0) > :watermark THEN leavers_watermark ELSE :watermark END
WHERE job_id = :job_id

-- name: move_leavers_watermark
-- The leavers' lane has looked at the changes up to here.
UPDATE job_state SET leavers_watermark = :watermark WHERE job_id = :job_id

-- name: leavers_watermark
-- Up to where it has looked, and how far the feed is.
SELECT COALESCE(s.leavers_watermark, s.watermark, 0), COALESCE(h.seq, 0)
FROM job_state s JOIN synchronization_job j ON j.id = s.job_id LEFT JOIN feed_head h ON h.tenant_id = j.tenant_id
WHERE s.job_id = :job_id

-- name: finish_job
-- A cycle has succeeded: quarantine lifted, schema version taken, next scheduled run set.
UPDATE job_state SET code = CASE WHEN code = 'Paused' THEN 'Paused' ELSE 'Active' END,
    schema_version = :schema_version, scope_version = :scope_version, running_cycle_id = NULL,
    next_run_at = CASE WHEN code = 'Paused' THEN NULL ELSE CAST(:next_run_at AS bigint) END,
    not_before = NULL, failures = 0, quarantine = NULL, updated_at = :now
WHERE job_id = :job_id

-- name: fail_job
-- A cycle was broken off: when the job may try again, and the quarantine that it is in, if any.
UPDATE job_state SET code = CASE WHEN code = 'Paused' OR :code = 'Active' THEN code ELSE :code END, running_cycle_id = NULL,
    next_run_at = CASE WHEN code = 'Paused' THEN NULL ELSE CAST(:next_run_at AS bigint) END,
    not_before = :not_before, failures = failures + 1,
    quarantine = COALESCE(CAST(:quarantine AS TEXT), quarantine), updated_at = :now
WHERE job_id = :job_id

-- name: failures
-- Cycles that were broken off in a row.
SELECT failures FROM job_state WHERE job_id = :job_id

-- name: mark
-- One object is to be looked at: its slot is made, or raised and due now. :gone when the directory says it was purged.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts, gone)
VALUES (:job_id, :source_id, :object_type, 'object', 1, :now, 0, :gone)
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at,
    gone = pending.gone OR excluded.gone

-- name: mark_gone
-- Initial cycle: what is in the queue and no longer in the directory. One statement on one snapshot: a complete answer.
-- It has jumped over the feed's entries that said so.
UPDATE pending SET gone = TRUE
WHERE job_id = :job_id
  AND EXISTS (SELECT 1 FROM tenant t WHERE t.id = :tenant_id)
  AND NOT EXISTS (SELECT 1 FROM directory_user u WHERE u.tenant_id = :tenant_id AND u.id = pending.source_id)
  AND NOT EXISTS (SELECT 1 FROM directory_group g WHERE g.tenant_id = :tenant_id AND g.id = pending.source_id)

-- name: mark_urgent
-- Of these slots, those whose objects may have to lose access: all (:whatever), or who is disabled, deleted or gone.
-- Somebody whose name another person has by now is left alone: that person may take the account over.
-- They are few: asked for by both columns of the key at once, SQLite does not go through the job's whole queue for them.
UPDATE pending SET urgent = TRUE
WHERE (job_id, source_id) IN (
    SELECT l.job_id, l.source_id FROM link l
    WHERE l.job_id = :job_id AND l.source_id IN (:ids...) AND l.state = 'linked'
      AND NOT EXISTS (SELECT 1 FROM directory_user h WHERE h.tenant_id = :tenant_id AND h.upn_key = l.name_key
                      AND h.id <> l.source_id AND h.deleted_at IS NULL)
      AND (:whatever
           OR (NOT EXISTS (SELECT 1 FROM directory_user u WHERE u.tenant_id = :tenant_id AND u.id = l.source_id
                           AND u.deleted_at IS NULL AND u.account_enabled)
               AND NOT EXISTS (SELECT 1 FROM directory_group g WHERE g.tenant_id = :tenant_id AND g.id = l.source_id
                               AND g.deleted_at IS NULL))))
  AND stage = 'object'

-- name: mark_urgent_members
-- The same of everybody in a group that entitles them no longer, or may not.
UPDATE pending SET urgent = TRUE
WHERE (job_id, source_id) IN (
    SELECT l.job_id, l.source_id FROM group_member m
    JOIN link l ON l.job_id = :job_id AND l.source_id = m.member_id AND l.state = 'linked'
    WHERE m.tenant_id = :tenant_id AND m.group_id = :group_id)
  AND NOT EXISTS (SELECT 1 FROM assignment a
                  JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = a.principal_id AND g.deleted_at IS NULL
                  JOIN synchronization_job j ON j.id = :job_id AND j.service_principal_id = a.service_principal_id
                  WHERE a.principal_id = :group_id AND g.security_enabled)
  AND stage = 'object'

-- name: mark_leavers
-- The same of all due slots: when a cycle looks at everybody.
UPDATE pending SET urgent = TRUE
WHERE job_id = :job_id AND stage = 'object' AND due_at <= :now
  AND EXISTS (SELECT 1 FROM link l WHERE l.job_id = pending.job_id AND l.source_id = pending.source_id
              AND l.state = 'linked'
              AND NOT EXISTS (SELECT 1 FROM directory_user h WHERE h.tenant_id = :tenant_id AND h.upn_key = l.name_key
                              AND h.id <> l.source_id AND h.deleted_at IS NULL))
  AND NOT EXISTS (SELECT 1 FROM directory_user u WHERE u.tenant_id = :tenant_id AND u.id = pending.source_id
                  AND u.deleted_at IS NULL AND u.account_enabled)
  AND NOT EXISTS (SELECT 1 FROM directory_group g WHERE g.tenant_id = :tenant_id AND g.id = pending.source_id
                  AND g.deleted_at IS NULL)

-- name: not_urgent
-- Looked at, and nobody who leaves: it waits for its turn.
UPDATE pending SET urgent = FALSE WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: claim_urgent
-- The next of those, whatever else is in the queue, which IS TRUE keeps SQLite from going through.
SELECT source_id, object_type, seq, attempts, failed_first_at, gone, urgent, correlation_id, due_at FROM pending
WHERE job_id = :job_id AND urgent AND due_at <= :now
  AND (stage = 'object' AND object_type = :object_type) IS TRUE
ORDER BY due_at, source_id LIMIT :limit

-- name: mark_vanished
-- The target does not have what this is linked to: the cycle judges it before anything is made anew.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
VALUES (:job_id, :source_id, :object_type, 'vanished', 1, :now, 0)
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'vanished', seq = pending.seq + 1, due_at = excluded.due_at,
    attempts = 0, failed_first_at = NULL, urgent = FALSE

-- name: put_back_vanished
-- It cannot be true: they are as they were.
UPDATE pending SET stage = 'object', due_at = :now WHERE job_id = :job_id AND stage = 'vanished'

-- name: mark_principals
-- Objects whose type the feed does not say: users and groups whose assignment or membership changed.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
SELECT :job_id, o.id, o.kind, 'object', 1, :now, 0
FROM (SELECT id, 'User' AS kind FROM directory_user WHERE tenant_id = :tenant_id AND id IN (:ids...)
      UNION ALL
      SELECT id, 'Group' AS kind FROM directory_group WHERE tenant_id = :tenant_id AND id IN (:ids...)) o
WHERE o.kind = 'User' OR :groups_too
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at

-- name: mark_members_of
-- A group's assignment or its security flag changed: everybody in it is to be looked at.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
SELECT :job_id, m.member_id, 'User', 'object', 1, :now, 0
FROM group_member m WHERE m.tenant_id = :tenant_id AND m.group_id = :group_id AND m.member_type = 'User'
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at

-- name: mark_pair
-- One membership is to be looked at.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
VALUES (:job_id, :group_id, :member_id, :now, 0)
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: all_users_page_end
-- The last id of the next page of the directory's users.
SELECT MAX(id), COUNT(*) FROM
(SELECT id FROM directory_user WHERE tenant_id = :tenant_id AND id > :after ORDER BY id LIMIT :limit) AS page

-- name: mark_users_between
-- Initial cycle, scope all: a page of users.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
SELECT :job_id, u.id, 'User', 'object', 1, :now, 0
FROM directory_user u WHERE u.tenant_id = :tenant_id AND u.id > :after AND u.id <= :until
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at

-- name: mark_all_groups
-- Initial cycle, scope all: every group.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
SELECT :job_id, g.id, 'Group', 'object', 1, :now, 0
FROM directory_group g WHERE g.tenant_id = :tenant_id
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at

-- name: mark_assigned
-- Initial cycle, scope assigned: users and groups that are assigned themselves.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
SELECT DISTINCT :job_id, a.principal_id, a.principal_type, 'object', 1, :now, 0
FROM assignment a WHERE a.service_principal_id = :service_principal_id
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at

-- name: mark_assigned_members
-- Initial cycle, scope assigned: direct members of assigned groups.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
SELECT DISTINCT :job_id, m.member_id, 'User', 'object', 1, :now, 0
FROM assignment a
JOIN group_member m ON m.tenant_id = a.tenant_id AND m.group_id = a.principal_id AND m.member_type = 'User'
WHERE a.service_principal_id = :service_principal_id AND a.principal_type = 'Group'
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at

-- name: managers_first
-- Who has reports is created first, so that most people's manager is there already and goes along with the create.
UPDATE pending SET due_at = due_at - 1
WHERE job_id = :job_id AND stage = 'object' AND object_type = 'User' AND source_id IN
    (SELECT manager_id FROM directory_user WHERE tenant_id = :tenant_id AND manager_id IS NOT NULL)

-- name: mark_linked
-- Initial cycle: whatever is in the target through us, so that what has left the scope is noticed.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
SELECT l.job_id, l.source_id, l.object_type, 'object', 1, :now, 0 FROM link l WHERE l.job_id = :job_id
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at

-- name: mark_linked_pairs
-- Initial cycle: every membership of the linked groups, on either side.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
SELECT l.job_id, m.group_id, m.member_id, :now, 0
FROM link l JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = l.source_id
WHERE l.job_id = :job_id AND l.object_type = 'Group'
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: mark_acknowledged_pairs
-- The same for memberships that the target has confirmed.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
SELECT a.job_id, a.group_id, a.member_id, :now, 0 FROM link_member a WHERE a.job_id = :job_id
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: correlate
-- What asked for the change that an object is looked at for, so that the request on the wire can be traced back to it.
UPDATE pending SET correlation_id = :correlation_id WHERE job_id = :job_id AND source_id = :source_id

-- name: claim
-- The next objects of a stage whose time has come, behind the last one that was claimed.
SELECT source_id, object_type, seq, attempts, failed_first_at, gone, urgent, correlation_id, due_at FROM pending
WHERE job_id = :job_id AND stage = :stage AND object_type = :object_type AND due_at <= :now
  AND (due_at, source_id) > (:after_due, :after_id)
ORDER BY due_at, source_id LIMIT :limit

-- name: pending_count
-- How much is waiting: objects and memberships.
SELECT (SELECT COUNT(*) FROM pending WHERE job_id = :job_id)
     + (SELECT COUNT(*) FROM pending_member WHERE job_id = :job_id)

-- name: unfinished_count
-- Objects that the running cycle still has to look at.
SELECT COUNT(*) FROM pending WHERE job_id = :job_id AND stage = 'object' AND due_at <= :now

-- name: unmatched_count
-- Objects that may have to be looked up, or read, in the target.
SELECT COUNT(*) FROM pending p
WHERE p.job_id = :job_id AND p.stage = 'object' AND p.object_type = :object_type
  AND (NOT EXISTS (SELECT 1 FROM link l WHERE l.job_id = p.job_id AND l.source_id = p.source_id)
       OR EXISTS (SELECT 1 FROM recheck r WHERE r.job_id = p.job_id AND r.source_id = p.source_id))

-- name: links
-- The links of these objects.
SELECT source_id, object_type, target_id, state, acknowledged, display_name, successor_id FROM link
WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: sources_of_targets
-- Who holds these target objects.
SELECT target_id, source_id FROM link
WHERE job_id = :job_id AND object_type = :object_type AND target_id IN (:ids...)

-- name: link_counts
-- Linked objects by type (synchronizedEntryCountByType).
SELECT object_type, COUNT(*) FROM link WHERE job_id = :job_id GROUP BY object_type

-- name: some_link
-- Any linked object of a kind.
SELECT source_id, object_type, target_id, state, acknowledged, display_name, successor_id FROM link
WHERE job_id = :job_id AND object_type = :object_type AND state = 'linked' LIMIT 1

-- name: acknowledged_members
-- The target's ids of those who are in a group through us.
SELECT l.target_id FROM link_member a JOIN link l ON l.job_id = a.job_id AND l.source_id = a.member_id
WHERE a.job_id = :job_id AND a.group_id = :group_id

-- name: present
-- Those of these objects that the directory has; an empty id for the tenant itself.
SELECT id FROM directory_user WHERE tenant_id = :tenant_id AND id IN (:ids...)
UNION ALL SELECT id FROM directory_group WHERE tenant_id = :tenant_id AND id IN (:ids...)
UNION ALL SELECT '' FROM tenant WHERE id = :tenant_id

-- name: has_slot
-- Is the object in the queue?
SELECT 1 FROM pending WHERE job_id = :job_id AND source_id = :source_id AND stage = 'object'

-- name: save_successor
-- The group that is to replace a linked one is there.
UPDATE link SET successor_id = :target_id WHERE job_id = :job_id AND source_id = :source_id

-- name: close_lanes
-- A crash has left a cycle of the leavers' lane: its objects are in the queue again.
UPDATE cycle SET state = 'Failed', ended_at = :now WHERE job_id = :job_id AND lane = 'leavers' AND state = 'Running'

-- name: intents
-- Creates that were about to be sent and whose answer was never recorded.
SELECT source_id, sent_at, keys FROM intent WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: journal
-- Written before a create leaves.
INSERT INTO intent (job_id, source_id, object_type, cycle_id, keys, sent_at)
VALUES (:job_id, :source_id, :object_type, :cycle_id, :keys, :now)
ON CONFLICT (job_id, source_id) DO UPDATE
SET cycle_id = excluded.cycle_id, keys = excluded.keys, sent_at = excluded.sent_at

-- name: forget_intents
-- Their answers are recorded.
DELETE FROM intent WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: save_link
-- The target has confirmed this state.
INSERT INTO link (job_id, source_id, object_type, target_id, state, acknowledged, display_name, name_key, updated_at,
    successor_id)
VALUES (:job_id, :source_id, :object_type, :target_id, :state, :acknowledged, :display_name, :name_key, :now,
    :successor_id)
ON CONFLICT (job_id, source_id) DO UPDATE
SET successor_id = excluded.successor_id, target_id = excluded.target_id, state = excluded.state, acknowledged = excluded.acknowledged,
    display_name = excluded.display_name, name_key = excluded.name_key, updated_at = excluded.updated_at

-- name: predecessors
-- Links of people who are gone from the directory, deleted or purged, under one of these names.
SELECT l.name_key, l.source_id FROM link l
LEFT JOIN directory_user u ON u.tenant_id = :tenant_id AND u.id = l.source_id
WHERE l.job_id = :job_id AND l.object_type = 'User' AND l.name_key IN (:ids...)
  AND (u.id IS NULL OR u.deleted_at IS NOT NULL)

-- name: hand_over_link
-- A person who was created anew takes over the account of the one who had the name before.
UPDATE link SET source_id = :new_id, state = 'released' WHERE job_id = :job_id AND source_id = :old_id

-- name: hand_over_memberships
-- What the target has confirmed of the account goes along, so that a removal is not forgotten.
UPDATE link_member SET member_id = :new_id WHERE job_id = :job_id AND member_id = :old_id

-- name: mark_handed_over_pairs
-- Each of these memberships is to be looked at under the new person.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
SELECT a.job_id, a.group_id, a.member_id, :now, 0 FROM link_member a WHERE a.job_id = :job_id AND a.member_id = :new_id
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: drop_links
-- These objects are no longer in the target, or no longer ours.
DELETE FROM link WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: drop_group_memberships
-- A group has left the target.
DELETE FROM link_member WHERE job_id = :job_id AND group_id IN (:ids...)

-- name: drop_memberships_of
-- A member has left the target: it took its memberships along.
DELETE FROM link_member WHERE job_id = :job_id AND member_id IN (:ids...)

-- name: all_links_gone
-- Restart with ConnectorDataStore: every object is matched anew.
DELETE FROM link WHERE job_id = :job_id

-- name: all_memberships_gone
-- The same for memberships.
DELETE FROM link_member WHERE job_id = :job_id

-- name: mark_reports
-- These people are linked now: whoever reports to them can have a manager.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
SELECT l.job_id, l.source_id, 'User', 'reference', 1, :now, 0
FROM directory_user u JOIN link l ON l.job_id = :job_id AND l.source_id = u.id AND l.state = 'linked'
WHERE u.tenant_id = :tenant_id AND u.manager_id IN (:ids...)
ON CONFLICT (job_id, source_id) DO UPDATE SET seq = pending.seq + 1, due_at = excluded.due_at
WHERE pending.stage = 'reference'

-- name: mark_pairs_of_members
-- These members are linked now: the linked groups that they are in can have them.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
SELECT l.job_id, m.group_id, m.member_id, :now, 0
FROM group_member m JOIN link l ON l.job_id = :job_id AND l.source_id = m.group_id AND l.object_type = 'Group'
WHERE m.tenant_id = :tenant_id AND m.member_id IN (:ids...)
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: mark_pairs_of_groups
-- These groups are linked now: all of their members.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
SELECT :job_id, m.group_id, m.member_id, :now, 0
FROM group_member m WHERE m.tenant_id = :tenant_id AND m.group_id IN (:ids...)
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: clear
-- Looked at. A slot that was raised meanwhile stays.
DELETE FROM pending WHERE job_id = :job_id AND source_id = :source_id AND seq = :seq

-- name: to_reference
-- Looked at, but for its manager.
UPDATE pending SET stage = 'reference', due_at = :now, attempts = 0, failed_first_at = NULL
WHERE job_id = :job_id AND source_id = :source_id AND seq = :seq

-- name: postpone
-- Failed or waiting: when it is tried again, and why.
UPDATE pending SET due_at = :due_at, attempts = :attempts, failed_first_at = :failed_first_at,
    error_code = :error_code, error = :error
WHERE job_id = :job_id AND source_id = :source_id AND seq = :seq

-- name: save_outcome
-- What became of an object in this cycle.
INSERT INTO outcome (cycle_id, source_id, object_type, action, reason)
VALUES (:cycle_id, :source_id, :object_type, :action, :reason)
ON CONFLICT (cycle_id, source_id) DO UPDATE SET action = excluded.action, reason = excluded.reason

-- name: outcomes_of
-- The outcomes that these objects have already.
SELECT source_id, action FROM outcome WHERE cycle_id = :cycle_id AND source_id IN (:ids...)

-- name: balance
-- The counts of a cycle.
SELECT action, reason, COUNT(*) FROM outcome WHERE cycle_id = :cycle_id GROUP BY action, reason

-- name: pairs_due
-- How many memberships are due, as far as it matters.
SELECT COUNT(*) FROM (SELECT 1 FROM pending_member WHERE job_id = :job_id AND due_at <= :now LIMIT :limit) due

-- name: claim_pairs
-- The next memberships whose time has come, with both sides of each: is it wanted, does the target have it, are the
-- objects there. One statement, so that a group of 100,000 costs what its changes cost. Few are found by their time, and
-- sorted; of many (:many) the first are met on a walk by group, since to sort 50,000 for each 2,000 took longer than all
-- the rest.
SELECT p.group_id, p.member_id, p.attempts, p.failed_first_at,
    CASE WHEN w.member_id IS NULL THEN 0 ELSE 1 END, CASE WHEN a.member_id IS NULL THEN 0 ELSE 1 END,
    g.target_id, g.display_name, m.target_id, m.state, m.display_name, CASE WHEN a.doubtful THEN 1 ELSE 0 END
FROM (
    SELECT * FROM (SELECT * FROM pending_member WHERE NOT :many AND job_id = :job_id AND due_at <= :now
                     AND (group_id, member_id) > (:after_group, :after_member)
                   ORDER BY group_id, member_id LIMIT :limit) few
    UNION ALL
    SELECT * FROM (SELECT * FROM pending_member WHERE :many AND job_id = :job_id AND +due_at <= :now
                     AND (group_id, member_id) > (:after_group, :after_member)
                   ORDER BY group_id, member_id LIMIT :limit) first_of_many
) p
LEFT JOIN group_member w ON w.tenant_id = :tenant_id AND w.group_id = p.group_id AND w.member_id = p.member_id
LEFT JOIN link_member a ON a.job_id = p.job_id AND a.group_id = p.group_id AND a.member_id = p.member_id
LEFT JOIN link g ON g.job_id = p.job_id AND g.source_id = p.group_id
LEFT JOIN link m ON m.job_id = p.job_id AND m.source_id = p.member_id
ORDER BY p.group_id, p.member_id

-- name: clear_pairs
-- Looked at.
DELETE FROM pending_member WHERE job_id = :job_id AND group_id = :group_id AND member_id IN (:ids...)

-- name: postpone_pair
-- Failed: when it is tried again.
UPDATE pending_member SET due_at = :due_at, attempts = :attempts, failed_first_at = :failed_first_at
WHERE job_id = :job_id AND group_id = :group_id AND member_id = :member_id

-- name: save_memberships
-- The target has these members of a group.
INSERT INTO link_member (job_id, group_id, member_id, doubtful)
SELECT :job_id, :group_id, value, FALSE FROM json_each(:ids) WHERE TRUE
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET doubtful = FALSE

-- name: save_memberships (postgresql)
INSERT INTO link_member (job_id, group_id, member_id, doubtful)
SELECT :job_id, :group_id, value, FALSE FROM json_array_elements_text(CAST(:ids AS json)) AS value
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET doubtful = FALSE

-- name: doubt_membership
-- A change of it was sent, and nobody knows whether it arrived: what is wanted is sent again, either way.
INSERT INTO link_member (job_id, group_id, member_id, doubtful) VALUES (:job_id, :group_id, :member_id, TRUE)
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET doubtful = TRUE

-- name: doubt_groups
-- A batch of memberships was cut off: all that was due of these groups may have been sent.
INSERT INTO link_member (job_id, group_id, member_id, doubtful)
SELECT p.job_id, p.group_id, p.member_id, TRUE FROM pending_member p WHERE p.job_id = :job_id AND p.group_id IN (:ids...)
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET doubtful = TRUE

-- name: forget_strays
-- A membership is nothing when one of its ends has left the target meanwhile.
DELETE FROM link_member
WHERE job_id = :job_id AND member_id IN (:ids...)
  AND NOT EXISTS (SELECT 1 FROM link l WHERE l.job_id = link_member.job_id AND l.source_id = link_member.member_id)

-- name: save_flight
-- What a batch is about to change.
INSERT INTO flight (job_id, lane, content) VALUES (:job_id, :lane, :content)
ON CONFLICT (job_id, lane) DO UPDATE SET content = excluded.content

-- name: flight
-- What a batch that was cut off had been about to change.
SELECT content FROM flight WHERE job_id = :job_id AND lane = :lane

-- name: landed
-- It is acknowledged.
DELETE FROM flight WHERE job_id = :job_id AND lane = :lane

-- name: doubt_link
-- What the target has at some paths is not known any more.
UPDATE link SET acknowledged = :acknowledged WHERE job_id = :job_id AND source_id = :source_id

-- name: drop_memberships
-- The target no longer has these members of a group.
DELETE FROM link_member WHERE job_id = :job_id AND group_id = :group_id AND member_id IN (:ids...)

-- name: count_slice
-- What became of a batch's objects, by slices of time.
INSERT INTO job_window (job_id, slice, considered, succeeded, failed, vanished)
VALUES (:job_id, :slice, :considered, :succeeded, :failed, :vanished)
ON CONFLICT (job_id, slice) DO UPDATE
SET considered = job_window.considered + excluded.considered, succeeded = job_window.succeeded + excluded.succeeded,
    failed = job_window.failed + excluded.failed, vanished = job_window.vanished + excluded.vanished

-- name: forget_slices
-- Slices that no window reaches any more.
DELETE FROM job_window WHERE job_id = :job_id AND slice < :slice

-- name: window
-- What a job's window holds since a moment.
SELECT COALESCE(SUM(considered), 0), COALESCE(SUM(succeeded), 0), COALESCE(SUM(failed), 0), COALESCE(SUM(vanished), 0)
FROM job_window WHERE job_id = :job_id AND slice >= :slice

-- name: escrowed
-- Objects that fail, and references that do; what only waits is not among them.
SELECT (SELECT COUNT(*) FROM pending WHERE job_id = :job_id AND attempts > 0 AND stage <> 'reference'
          AND COALESCE(error_code, '') <> 'Waiting'),
       (SELECT COUNT(*) FROM pending WHERE job_id = :job_id AND attempts > 0 AND stage = 'reference')
     + (SELECT COUNT(*) FROM pending_member WHERE job_id = :job_id AND attempts > 0)

-- name: escrow_by_code
-- Why they fail, the commonest first.
SELECT error_code, MAX(error) FROM pending
WHERE job_id = :job_id AND attempts > 0 AND COALESCE(error_code, '') <> 'Waiting'
GROUP BY error_code ORDER BY COUNT(*) DESC LIMIT 1

-- name: escrows
-- Objects that wait for their next attempt, the next first.
SELECT source_id, object_type, stage, attempts, failed_first_at, due_at, error_code, error FROM pending
WHERE job_id = :job_id AND attempts > 0 ORDER BY due_at, source_id LIMIT :limit

-- name: forget_outcomes
-- An application was removed: nothing of its job stays. What its cycles had come to.
DELETE FROM outcome WHERE cycle_id IN (SELECT id FROM cycle WHERE job_id = :job_id)

-- name: forget_cycles
-- Its cycles.
DELETE FROM cycle WHERE job_id = :job_id

-- name: forget_intents_of_job
-- Creates whose answers nobody waits for.
DELETE FROM intent WHERE job_id = :job_id

-- name: forget_pending
-- Its queue of objects.
DELETE FROM pending WHERE job_id = :job_id

-- name: forget_pending_members
-- Its queue of memberships.
DELETE FROM pending_member WHERE job_id = :job_id

-- name: forget_flights
-- What its batches were about to change.
DELETE FROM flight WHERE job_id = :job_id

-- name: forget_decisions
-- What a person was to decide.
DELETE FROM decision WHERE job_id = :job_id

-- name: forget_window
-- What its thresholds looked at.
DELETE FROM job_window WHERE job_id = :job_id

-- name: forget_lease
-- Its lease: whoever works on it notices.
DELETE FROM lease WHERE job_id = :job_id

-- name: forget_state
-- Where it stood.
DELETE FROM job_state WHERE job_id = :job_id

-- name: forget_rechecks
-- What a restart has asked for.
DELETE FROM recheck WHERE job_id = :job_id

-- name: forget_plan_entries
-- Its plans: what they would have done,
DELETE FROM plan_entry WHERE plan_id IN (SELECT id FROM plan WHERE job_id = :job_id)

-- name: forget_plan_pairs
-- whose memberships,
DELETE FROM plan_pair WHERE plan_id IN (SELECT id FROM plan WHERE job_id = :job_id)

-- name: forget_plan_targets
-- on what the target listed,
DELETE FROM plan_target WHERE plan_id IN (SELECT id FROM plan WHERE job_id = :job_id)

-- name: forget_plans
-- and the plans themselves.
DELETE FROM plan WHERE job_id = :job_id
