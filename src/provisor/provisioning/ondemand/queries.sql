-- One object that a person names, and a group as a whole.

-- name: link_called
-- A linked object by its source's id, or by the name that it had.
SELECT source_id, object_type, target_id, state, acknowledged, display_name FROM link
WHERE job_id = :job_id AND (source_id = :ref OR name_key = :folded) ORDER BY source_id LIMIT 1

-- name: slot
-- The slot of an object, if it has one.
SELECT source_id, object_type, seq, attempts, failed_first_at, gone FROM pending
WHERE job_id = :job_id AND source_id = :source_id

-- name: slot_story
-- The same, with what it waits for.
SELECT stage, due_at, attempts, failed_first_at, error_code, error FROM pending
WHERE job_id = :job_id AND source_id = :source_id

-- name: group_pairs
-- A page of a group's memberships, on either side: is it wanted, is it confirmed, is the member in the target.
SELECT x.member_id, CASE WHEN w.member_id IS NULL THEN 0 ELSE 1 END, CASE WHEN a.member_id IS NULL THEN 0 ELSE 1 END,
    l.target_id, l.state, l.display_name
FROM (SELECT member_id FROM group_member WHERE tenant_id = :tenant_id AND group_id = :group_id
      UNION SELECT member_id FROM link_member WHERE job_id = :job_id AND group_id = :group_id) x
LEFT JOIN group_member w ON w.tenant_id = :tenant_id AND w.group_id = :group_id AND w.member_id = x.member_id
LEFT JOIN link_member a ON a.job_id = :job_id AND a.group_id = :group_id AND a.member_id = x.member_id
LEFT JOIN link l ON l.job_id = :job_id AND l.source_id = x.member_id
WHERE x.member_id > :after ORDER BY x.member_id LIMIT :limit

-- name: linked_targets
-- Of these target objects, those that are linked: (target id, source id, name).
SELECT target_id, source_id, display_name FROM link
WHERE job_id = :job_id AND target_id IN (:ids...)

-- name: pairs_waiting
-- Memberships of a group, or of a member, that wait.
SELECT group_id, member_id, due_at FROM pending_member
WHERE job_id = :job_id AND (group_id = :id OR member_id = :id) ORDER BY group_id, member_id LIMIT :limit
