-- What a person has to decide: the table decision.

-- name: save
-- Several accounts could be somebody's. What was decided before holds no longer when others are found.
INSERT INTO decision (job_id, source_id, object_type, display_name, reason, attribute, value, candidates, found_at)
VALUES (:job_id, :source_id, :object_type, :display_name, :reason, :attribute, :value, :candidates, :now)
ON CONFLICT (job_id, source_id) DO UPDATE
SET display_name = excluded.display_name, reason = excluded.reason, attribute = excluded.attribute,
    value = excluded.value, candidates = excluded.candidates, choice = NULL, target_id = NULL, decided_by = NULL,
    decided_at = NULL

-- name: drop
-- It is linked now, or gone: there is nothing to decide.
DELETE FROM decision WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: of
-- The decisions about these objects, made or not.
SELECT source_id, object_type, display_name, reason, attribute, value, candidates, found_at, choice, target_id,
    decided_by, decided_at
FROM decision WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: all
-- What waits for a decision, and after it (:all) what was decided and still holds; the oldest first.
SELECT source_id, object_type, display_name, reason, attribute, value, candidates, found_at, choice, target_id,
    decided_by, decided_at
FROM decision WHERE job_id = :job_id AND (:all OR choice IS NULL)
ORDER BY choice IS NOT NULL, found_at, display_name, source_id LIMIT :limit

-- name: count
-- How many wait.
SELECT COUNT(*) FROM decision WHERE job_id = :job_id AND choice IS NULL

-- name: decide
-- A person has decided.
UPDATE decision SET choice = :choice, target_id = :target_id, decided_by = :actor, decided_at = :now
WHERE job_id = :job_id AND source_id = :source_id

-- name: look_again
-- The object is looked at with it.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
VALUES (:job_id, :source_id, :object_type, 'object', 1, :now, 0)
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at
