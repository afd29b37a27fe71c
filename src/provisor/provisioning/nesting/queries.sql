-- Where groups inside groups count: everything that asks who is in a group looks through all groups inside it. UNION, and
-- never UNION ALL, so that groups which contain each other end. Only live groups count. What these statements mark is what
-- their namesakes in provisioning/queries.sql mark where only direct members count.

-- name: assigned_members
-- Initial cycle, scope assigned: everybody in assigned groups.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
WITH RECURSIVE inside (group_id) AS (
    SELECT a.principal_id FROM assignment a
    JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = a.principal_id AND g.deleted_at IS NULL
    WHERE a.service_principal_id = :service_principal_id AND a.principal_type = 'Group'
    UNION
    SELECT m.member_id FROM inside i
    JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = i.group_id AND m.member_type = 'Group'
    JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = m.member_id AND g.deleted_at IS NULL
)
SELECT DISTINCT :job_id, m.member_id, 'User', 'object', 1, :now, 0
FROM inside i JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = i.group_id AND m.member_type = 'User'
WHERE TRUE
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at

-- name: members_of
-- A group's assignment changed: everybody in it is to be looked at.
INSERT INTO pending (job_id, source_id, object_type, stage, seq, due_at, attempts)
WITH RECURSIVE inside (group_id) AS (
    SELECT id FROM directory_group WHERE tenant_id = :tenant_id AND id = :group_id
    UNION
    SELECT m.member_id FROM inside i
    JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = i.group_id AND m.member_type = 'Group'
)
SELECT DISTINCT :job_id, m.member_id, 'User', 'object', 1, :now, 0
FROM inside i JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = i.group_id AND m.member_type = 'User'
WHERE TRUE
ON CONFLICT (job_id, source_id) DO UPDATE SET stage = 'object', seq = pending.seq + 1, due_at = excluded.due_at

-- name: pairs_of_linked
-- Initial cycle: every membership of the linked groups.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
WITH RECURSIVE inside (outer_id, group_id) AS (
    SELECT l.source_id, l.source_id FROM link l WHERE l.job_id = :job_id AND l.object_type = 'Group'
    UNION
    SELECT i.outer_id, m.member_id FROM inside i
    JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = i.group_id AND m.member_type = 'Group'
    JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = m.member_id AND g.deleted_at IS NULL
)
SELECT DISTINCT :job_id, i.outer_id, m.member_id, :now, 0
FROM inside i JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = i.group_id AND m.member_type = 'User'
WHERE TRUE
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: pairs_of_groups
-- These groups are linked now: everybody in them.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
WITH RECURSIVE inside (outer_id, group_id) AS (
    SELECT g.id, g.id FROM directory_group g WHERE g.tenant_id = :tenant_id AND g.id IN (:ids...)
    UNION
    SELECT i.outer_id, m.member_id FROM inside i
    JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = i.group_id AND m.member_type = 'Group'
    JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = m.member_id AND g.deleted_at IS NULL
)
SELECT DISTINCT :job_id, i.outer_id, m.member_id, :now, 0
FROM inside i JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = i.group_id AND m.member_type = 'User'
WHERE TRUE
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: pairs_of_members
-- These people are linked now: every linked group around them.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
WITH RECURSIVE around (member_id, group_id) AS (
    SELECT m.member_id, m.group_id FROM group_member m WHERE m.tenant_id = :tenant_id AND m.member_id IN (:ids...)
    UNION
    SELECT a.member_id, m.group_id FROM around a
    JOIN group_member m ON m.tenant_id = :tenant_id AND m.member_id = a.group_id AND m.member_type = 'Group'
)
SELECT DISTINCT l.job_id, l.source_id, a.member_id, :now, 0
FROM around a JOIN link l ON l.job_id = :job_id AND l.source_id = a.group_id AND l.object_type = 'Group'
WHERE TRUE
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: pairs_around
-- Somebody joined or left this group: so they did the linked groups around it.
INSERT INTO pending_member (job_id, group_id, member_id, due_at, attempts)
WITH RECURSIVE around (group_id) AS (
    SELECT id FROM directory_group WHERE tenant_id = :tenant_id AND id = :group_id
    UNION
    SELECT m.group_id FROM around a
    JOIN group_member m ON m.tenant_id = :tenant_id AND m.member_id = a.group_id AND m.member_type = 'Group'
)
SELECT DISTINCT l.job_id, l.source_id, CAST(:member_id AS TEXT), :now, 0
FROM around a JOIN link l ON l.job_id = :job_id AND l.source_id = a.group_id AND l.object_type = 'Group'
WHERE TRUE
ON CONFLICT (job_id, group_id, member_id) DO UPDATE SET due_at = excluded.due_at

-- name: people
-- Those of these ids that are people.
SELECT id FROM directory_user WHERE tenant_id = :tenant_id AND id IN (:ids...)

-- name: claim_pairs
-- The next memberships whose time has come, as its namesake reads them. Only people are members.
WITH RECURSIVE page AS (
    SELECT * FROM (SELECT * FROM pending_member WHERE NOT :many AND job_id = :job_id AND due_at <= :now
                     AND (group_id, member_id) > (:after_group, :after_member)
                   ORDER BY group_id, member_id LIMIT :limit) few
    UNION ALL
    SELECT * FROM (SELECT * FROM pending_member WHERE :many AND job_id = :job_id AND +due_at <= :now
                     AND (group_id, member_id) > (:after_group, :after_member)
                   ORDER BY group_id, member_id LIMIT :limit) first_of_many
), inside (outer_id, group_id) AS (
    SELECT DISTINCT p.group_id, p.group_id FROM page p
    UNION
    SELECT i.outer_id, m.member_id FROM inside i
    JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = i.group_id AND m.member_type = 'Group'
    JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = m.member_id AND g.deleted_at IS NULL
)
SELECT p.group_id, p.member_id, p.attempts, p.failed_first_at,
    CASE WHEN EXISTS (SELECT 1 FROM inside i JOIN group_member w ON w.tenant_id = :tenant_id AND w.group_id = i.group_id
                          AND w.member_id = p.member_id AND w.member_type = 'User'
                      WHERE i.outer_id = p.group_id) THEN 1 ELSE 0 END,
    CASE WHEN a.member_id IS NULL THEN 0 ELSE 1 END,
    g.target_id, g.display_name, m.target_id, m.state, m.display_name, CASE WHEN a.doubtful THEN 1 ELSE 0 END
FROM page p
LEFT JOIN link_member a ON a.job_id = p.job_id AND a.group_id = p.group_id AND a.member_id = p.member_id
LEFT JOIN link g ON g.job_id = p.job_id AND g.source_id = p.group_id
LEFT JOIN link m ON m.job_id = p.job_id AND m.source_id = p.member_id
ORDER BY p.group_id, p.member_id
