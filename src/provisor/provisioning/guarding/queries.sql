-- What the guards keep back, and what the sliding window counts.

-- name: held_of
-- The rows of these objects.
SELECT source_id, object_type, action, state, wave_id, schema_version, name, target_id, changes, at, decided_by, decided_at
FROM held WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: held_page
-- A page of a job's rows in a state, for people.
SELECT source_id, object_type, action, state, wave_id, schema_version, name, target_id, changes, at, decided_by, decided_at
FROM held WHERE job_id = :job_id AND state = :state AND source_id > :after
  AND (CAST(:action AS TEXT) IS NULL OR action = :action) AND (CAST(:wave_id AS TEXT) IS NULL OR wave_id = :wave_id)
ORDER BY source_id LIMIT :limit

-- name: held_counts
-- How many rows there are of each kind.
SELECT state, action, COUNT(*) FROM held WHERE job_id = :job_id GROUP BY state, action

-- name: held_named
-- The rows that somebody means: by the object's id, or its name in any case.
SELECT source_id FROM held
WHERE job_id = :job_id AND state IN ('held', 'rejected') AND (source_id = :ref OR LOWER(name) = :folded) LIMIT 2

-- name: held_ids
-- Everything that can be decided, or all deletions of it.
SELECT source_id, object_type FROM held
WHERE job_id = :job_id AND state IN (:states...) AND (NOT :deletions OR action IN ('disable', 'delete'))
ORDER BY source_id

-- name: held_ids_of
-- Of these objects, those that can be decided.
SELECT source_id, object_type FROM held
WHERE job_id = :job_id AND state IN (:states...) AND source_id IN (:ids...)
ORDER BY source_id

-- name: save_held
-- An object is kept back. What was decided about something else that was wanted of it is forgotten.
INSERT INTO held (job_id, source_id, object_type, action, state, wave_id, schema_version, name, target_id, changes, at)
VALUES (:job_id, :source_id, :object_type, :action, :state, NULL, :schema_version, :name, :target_id, :changes, :now)
ON CONFLICT (job_id, source_id) DO UPDATE
SET action = excluded.action, state = excluded.state, wave_id = NULL, schema_version = excluded.schema_version,
    name = excluded.name, target_id = excluded.target_id, changes = excluded.changes, at = excluded.at,
    decided_by = NULL, decided_at = NULL

-- name: set_held_state
-- A wave's verdict has come to these objects.
UPDATE held SET state = :state WHERE job_id = :job_id AND state = 'deferred' AND source_id IN (:ids...)

-- name: decide_held
-- Somebody has decided.
UPDATE held SET state = :state, decided_by = :actor, decided_at = :now
WHERE job_id = :job_id AND state IN ('held', 'rejected') AND source_id IN (:ids...)

-- name: drop_held
-- Nothing of that kind is wanted of these objects any more, or it was done.
DELETE FROM held WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: defer_slot
-- It is looked at again once its wave is counted.
UPDATE pending SET stage = 'guarded' WHERE job_id = :job_id AND source_id = :source_id AND seq = :seq

-- name: hold_slots
-- These wait for a person. A slot that was raised meanwhile is due as it is.
UPDATE pending SET stage = 'object', due_at = :far, attempts = 0, failed_first_at = NULL, error_code = 'Held', error = :error
WHERE job_id = :job_id AND stage = 'guarded' AND source_id IN (:ids...)

-- name: hold_slot
-- The same for one that was looked at again.
UPDATE pending SET stage = 'object', due_at = :far, error_code = 'Held', error = :error
WHERE job_id = :job_id AND source_id = :source_id AND seq = :seq

-- name: release_slots
-- The running cycle goes on with these.
UPDATE pending SET stage = 'object', due_at = :now WHERE job_id = :job_id AND stage = 'guarded' AND source_id IN (:ids...)

-- name: wake_slots
-- Approved: due now. A rejected object has no slot any more.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
VALUES (:job_id, :source_id, :object_type, 'object', 1, :now, 0)
ON CONFLICT (job_id, source_id) DO UPDATE
SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at, error_code = NULL, error = NULL

-- name: drop_slots
-- Rejected: nothing is looked at until something changes.
DELETE FROM pending WHERE job_id = :job_id AND due_at = :far AND source_id IN (:ids...)

-- name: hold_pair
-- A membership stays while its member's removal is held.
UPDATE pending_member SET due_at = :far WHERE job_id = :job_id AND group_id = :group_id AND member_id = :member_id

-- name: wake_pairs
-- The member's removal is no longer held: the memberships are looked at again.
UPDATE pending_member SET due_at = :now WHERE job_id = :job_id AND due_at = :far AND member_id IN (:ids...)

-- name: save_deprovision
-- A delete or disable was carried out.
INSERT INTO deprovision (job_id, at, source_id) VALUES (:job_id, :now, :source_id) ON CONFLICT DO NOTHING

-- name: forget_deprovisions_before
-- Out of the window.
DELETE FROM deprovision WHERE job_id = :job_id AND at < :since

-- name: deprovisions_since
-- What the window counts.
SELECT COUNT(*) FROM deprovision WHERE job_id = :job_id AND at >= :since

-- name: gone_since
-- Objects that the window's deletions took out of use, and that are not linked again.
SELECT COUNT(DISTINCT d.source_id) FROM deprovision d
WHERE d.job_id = :job_id AND d.at >= :since
  AND NOT EXISTS (SELECT 1 FROM link l WHERE l.job_id = d.job_id AND l.source_id = d.source_id AND l.state = 'linked')

-- name: linked
-- Objects that are in the target through us, and not taken out of use.
SELECT COUNT(*) FROM link WHERE job_id = :job_id AND state = 'linked'

-- name: linked_slots
-- Linked objects that the running cycle has still to look at: what it can change, at most.
SELECT COUNT(*) FROM pending p
WHERE p.job_id = :job_id AND p.stage = 'object' AND p.due_at <= :now
  AND EXISTS (SELECT 1 FROM link l WHERE l.job_id = p.job_id AND l.source_id = p.source_id)

-- name: urgent_slots
-- Linked objects that may have to lose access, and that the leavers' lane has still to look at.
SELECT COUNT(*) FROM pending p
WHERE p.job_id = :job_id AND p.urgent AND p.stage = 'object' AND p.due_at <= :now
  AND EXISTS (SELECT 1 FROM link l WHERE l.job_id = p.job_id AND l.source_id = p.source_id)

-- name: changed_in_cycle
-- What the cycle has changed already.
SELECT COALESCE(SUM(CASE WHEN action = 'updated' THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN action IN ('disabled', 'deleted') THEN 1 ELSE 0 END), 0)
FROM outcome WHERE cycle_id = :cycle_id AND object_type IN ('User', 'Group') AND action IN ('updated', 'disabled', 'deleted')

-- name: deferred_counts
-- What is to be counted in a wave.
SELECT CASE WHEN action = 'update' THEN 'changes' ELSE 'deletions' END AS kind, COUNT(*)
FROM held WHERE job_id = :job_id AND state = 'deferred' AND wave_id IS NULL
GROUP BY CASE WHEN action = 'update' THEN 'changes' ELSE 'deletions' END

-- name: any_deferred
-- Did a cycle that was cut off leave something to count?
SELECT 1 FROM held WHERE job_id = :job_id AND state = 'deferred' LIMIT 1

-- name: insert_wave
-- A wave, counted and judged.
INSERT INTO guard_wave (id, job_id, cycle_id, kind, rule, wanted, done, linked, most, at)
VALUES (:id, :job_id, :cycle_id, :kind, :rule, :wanted, :done, :linked, :most, :at)

-- name: count_in_wave
-- What belongs to it.
UPDATE held SET wave_id = :id
WHERE job_id = :job_id AND state = 'deferred' AND wave_id IS NULL
  AND CASE WHEN action = 'update' THEN 'changes' ELSE 'deletions' END = :kind

-- name: judged
-- The next objects whose wave was judged.
SELECT h.source_id, h.object_type, h.action, h.state, h.wave_id, h.schema_version, h.name, h.target_id, h.changes, h.at,
    h.decided_by, h.decided_at, w.rule
FROM held h JOIN guard_wave w ON w.id = h.wave_id
WHERE h.job_id = :job_id AND h.state = 'deferred'
ORDER BY h.source_id LIMIT :limit

-- name: released_due
-- Is there something that was let go and that the cycle has not looked at again?
SELECT 1 FROM held h JOIN pending p ON p.job_id = h.job_id AND p.source_id = h.source_id
WHERE h.job_id = :job_id AND h.state = 'released' AND p.stage = 'object' AND p.due_at <= :now LIMIT 1

-- name: waves
-- A job's waves by id.
SELECT id, job_id, cycle_id, kind, rule, wanted, done, linked, most, at FROM guard_wave
WHERE job_id = :job_id AND id IN (:ids...)

-- name: waves_open
-- The waves of which something is held.
SELECT id, job_id, cycle_id, kind, rule, wanted, done, linked, most, at FROM guard_wave
WHERE job_id = :job_id AND id IN (SELECT wave_id FROM held WHERE job_id = :job_id AND state = 'held')
ORDER BY id

-- name: forget_held
-- An application was removed.
DELETE FROM held WHERE job_id = :job_id

-- name: forget_waves
-- The same.
DELETE FROM guard_wave WHERE job_id = :job_id

-- name: forget_deprovisions
-- The same.
DELETE FROM deprovision WHERE job_id = :job_id
