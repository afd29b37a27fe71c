-- Statements of provisioning/connections/store.py.

-- name: connection
-- The stored pair of one source object.
SELECT source_id, object_type, target_id, display_name FROM link WHERE job_id = :job_id AND source_id = :source_id

-- name: state
-- Is the job at rest?
SELECT code, running_cycle_id FROM job_state WHERE job_id = :job_id

-- name: drop_link
-- The pair is forgotten.
DELETE FROM link WHERE job_id = :job_id AND source_id = :source_id

-- name: drop_memberships
-- And with it what the target confirmed of the object's memberships, on either side.
DELETE FROM link_member WHERE job_id = :job_id AND (group_id = :source_id OR member_id = :source_id)

-- name: mark
-- The next cycle looks at it, and matches it anew.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
VALUES (:job_id, :source_id, :object_type, 'object', 1, :now, 0)
ON CONFLICT (job_id, source_id) DO UPDATE
   SET seq = pending.seq + 1, stage = 'object', due_at = excluded.due_at, attempts = 0, failed_first_at = NULL
