-- Linked objects that a restart has asked to be read in the target.

-- name: ask
-- A restart: all that is in the target through us.
INSERT INTO recheck (job_id, source_id) SELECT job_id, source_id FROM link WHERE job_id = :job_id AND state = 'linked'
ON CONFLICT DO NOTHING

-- name: asked_of
-- Of these objects, those that are to be read.
SELECT source_id FROM recheck WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: done
-- They were.
DELETE FROM recheck WHERE job_id = :job_id AND source_id IN (:ids...)

-- name: mark_lost
-- Confirmed members that the target does not show any more are looked at again.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
SELECT a.job_id, a.group_id, a.member_id, :now, 0 FROM link_member a
JOIN link l ON l.job_id = a.job_id AND l.source_id = a.member_id
WHERE a.job_id = :job_id AND a.group_id = :group_id AND l.target_id NOT IN (:ids...)
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: drop_lost
-- The target does not have them.
DELETE FROM link_member WHERE job_id = :job_id AND group_id = :group_id AND member_id IN (
    SELECT l.source_id FROM link l JOIN link_member a ON a.job_id = l.job_id AND a.member_id = l.source_id
    WHERE l.job_id = :job_id AND a.group_id = :group_id AND l.target_id NOT IN (:ids...))

-- name: mark_found
-- Linked members that the target shows and that we know nothing of are looked at, too.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
SELECT l.job_id, :group_id, l.source_id, :now, 0 FROM link l
WHERE l.job_id = :job_id AND l.object_type IN ('User', 'Group') AND l.target_id IN (:ids...)
  AND NOT EXISTS (SELECT 1 FROM link_member a
                  WHERE a.job_id = l.job_id AND a.group_id = :group_id AND a.member_id = l.source_id)
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: add_found
-- The target has them.
INSERT INTO link_member (job_id, group_id, member_id)
SELECT l.job_id, :group_id, l.source_id FROM link l
WHERE l.job_id = :job_id AND l.object_type IN ('User', 'Group') AND l.target_id IN (:ids...)
ON CONFLICT DO NOTHING
