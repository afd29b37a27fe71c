-- Stored plans: made in pages, read in pages, compared set-wise.

-- name: insert_plan
-- A plan that is being made. The one before it is what it will be compared with.
INSERT INTO plan (id, job_id, state, created_at, created_by, basis, previous_id)
VALUES (:id, :job_id, 'Planning', :now, :actor, :basis,
    (SELECT id FROM plan WHERE job_id = :job_id AND state <> 'Planning' AND state <> 'Failed' ORDER BY id DESC LIMIT 1))

-- name: plan
-- One plan.
SELECT id, job_id, state, created_at, created_by, ready_at, basis, previous_id, counts, comparison, approved_at,
    approved_by, cycle_id, applied_at, result, error
FROM plan WHERE id = :id

-- name: plans
-- A job's plans, newest first.
SELECT id, job_id, state, created_at, created_by, ready_at, basis, previous_id, counts, comparison, approved_at,
    approved_by, cycle_id, applied_at, result, error
FROM plan WHERE job_id = :job_id ORDER BY id DESC LIMIT :limit

-- name: plan_ready
-- It is made.
UPDATE plan SET state = 'Ready', ready_at = :now, counts = :counts, comparison = :comparison WHERE id = :id

-- name: plan_failed
-- It could not be made.
UPDATE plan SET state = 'Failed', error = :error WHERE id = :id

-- name: approve_plan
-- Somebody has approved it.
UPDATE plan SET state = 'Approved', approved_at = :now, approved_by = :actor WHERE id = :id AND state = 'Ready'

-- name: plan_applying
-- It is being carried out, under this cycle.
UPDATE plan SET state = 'Applying', cycle_id = :cycle_id WHERE id = :id AND state IN ('Approved', 'Applying')

-- name: plan_applied
-- It was carried out.
UPDATE plan SET state = 'Applied', applied_at = :now, result = :result WHERE id = :id

-- name: plan_refused
-- It was not, and why.
UPDATE plan SET state = 'Refused', error = :error WHERE id = :id

-- name: old_plans
-- What is older than the newest :keep.
SELECT id FROM plan WHERE job_id = :job_id ORDER BY id DESC LIMIT 1000 OFFSET :keep

-- name: forget_plan
-- A plan, its entries and memberships, and what was read of the target for it.
DELETE FROM plan WHERE id IN (:ids...)

-- name: forget_entries
-- The same.
DELETE FROM plan_entry WHERE plan_id IN (:ids...)

-- name: forget_pairs
-- The same.
DELETE FROM plan_pair WHERE plan_id IN (:ids...)

-- name: forget_targets
-- The same.
DELETE FROM plan_target WHERE plan_id IN (:ids...)

-- name: users_of_tenant
-- A page of everybody who may be concerned: the directory, and whoever is in the target through us.
SELECT id FROM (
    SELECT id FROM (SELECT id FROM directory_user WHERE tenant_id = :tenant_id AND id > :after ORDER BY id LIMIT :limit) AS d
    UNION
    SELECT id FROM (SELECT source_id AS id FROM link
                    WHERE job_id = :job_id AND object_type = 'User' AND source_id > :after
                    ORDER BY source_id LIMIT :limit) AS l) AS page
ORDER BY id LIMIT :limit

-- name: users_assigned
-- The same where the scope is what is assigned: directly, through a group, or in the target through us.
SELECT id FROM (
    SELECT principal_id AS id FROM assignment
    WHERE service_principal_id = :service_principal_id AND principal_type = 'User' AND principal_id > :after
    UNION
    SELECT m.member_id FROM assignment a
    JOIN group_member m ON m.tenant_id = a.tenant_id AND m.group_id = a.principal_id AND m.member_type = 'User'
    WHERE a.service_principal_id = :service_principal_id AND a.principal_type = 'Group' AND m.member_id > :after
    UNION
    SELECT source_id FROM link WHERE job_id = :job_id AND object_type = 'User' AND source_id > :after) AS page
ORDER BY id LIMIT :limit

-- name: groups_of_tenant
-- A page of the groups, likewise.
SELECT id FROM (
    SELECT id FROM directory_group WHERE tenant_id = :tenant_id AND id > :after
    UNION
    SELECT source_id FROM link WHERE job_id = :job_id AND object_type = 'Group' AND source_id > :after) AS page
ORDER BY id LIMIT :limit

-- name: groups_assigned
-- The same where the scope is what is assigned.
SELECT id FROM (
    SELECT principal_id AS id FROM assignment
    WHERE service_principal_id = :service_principal_id AND principal_type = 'Group' AND principal_id > :after
    UNION
    SELECT source_id FROM link WHERE job_id = :job_id AND object_type = 'Group' AND source_id > :after) AS page
ORDER BY id LIMIT :limit

-- name: insert_entry
-- What would be done to one object.
INSERT INTO plan_entry (plan_id, source_id, object_type, action, name, target_id, changes, manager_id, joins, leaves,
    reason, source_version, digest, held)
VALUES (:plan_id, :source_id, :object_type, :action, :name, :target_id, :changes, :manager_id, 0, 0,
    :reason, :source_version, :digest, :held)

-- name: insert_target
-- An object that the target lists, by one value that it can be matched by.
INSERT INTO plan_target (plan_id, object_type, attribute, value, target_id, document)
VALUES (:plan_id, :object_type, :attribute, :value, :target_id, :document) ON CONFLICT DO NOTHING

-- name: targets_by
-- Those with one of these values.
SELECT value, document FROM plan_target
WHERE plan_id = :plan_id AND object_type = :object_type AND attribute = :attribute AND value IN (:ids...)
ORDER BY value, target_id

-- name: pairs_joining
-- Memberships to be added: the group is, or will be, in the target, and so is the member.
INSERT INTO plan_pair (plan_id, group_id, member_id, joins)
SELECT :plan_id, m.group_id, m.member_id, :yes
FROM group_member m
LEFT JOIN link g ON g.job_id = :job_id AND g.source_id = m.group_id
LEFT JOIN plan_entry ge ON ge.plan_id = :plan_id AND ge.source_id = m.group_id
LEFT JOIN link l ON l.job_id = :job_id AND l.source_id = m.member_id
LEFT JOIN plan_entry e ON e.plan_id = :plan_id AND e.source_id = m.member_id
LEFT JOIN link_member a ON a.job_id = :job_id AND a.group_id = m.group_id AND a.member_id = m.member_id
WHERE m.tenant_id = :tenant_id AND a.member_id IS NULL
  AND ((g.source_id IS NOT NULL AND COALESCE(ge.action, '') NOT IN ('disable', 'delete'))
       OR COALESCE(ge.action, '') IN ('create', 'link'))
  AND ((l.state = 'linked' AND COALESCE(e.action, '') NOT IN ('disable', 'delete'))
       OR COALESCE(e.action, '') IN ('create', 'link')
       OR (l.state <> 'linked' AND COALESCE(e.action, '') = 'update'))

-- name: pairs_leaving
-- Memberships to be removed: the target has them, the directory has not, and both ends stay.
INSERT INTO plan_pair (plan_id, group_id, member_id, joins)
SELECT :plan_id, a.group_id, a.member_id, :no
FROM link_member a
JOIN link g ON g.job_id = a.job_id AND g.source_id = a.group_id
JOIN link l ON l.job_id = a.job_id AND l.source_id = a.member_id
LEFT JOIN group_member m ON m.tenant_id = :tenant_id AND m.group_id = a.group_id AND m.member_id = a.member_id
LEFT JOIN plan_entry ge ON ge.plan_id = :plan_id AND ge.source_id = a.group_id
LEFT JOIN plan_entry e ON e.plan_id = :plan_id AND e.source_id = a.member_id
WHERE a.job_id = :job_id AND m.member_id IS NULL
  AND COALESCE(ge.action, '') <> 'delete' AND COALESCE(e.action, '') <> 'delete'

-- name: groups_with_pairs
-- Groups of which only members change.
INSERT INTO plan_entry (plan_id, source_id, object_type, action, name, target_id, changes, joins, leaves, digest, held)
SELECT :plan_id, l.source_id, 'Group', 'update', l.display_name, l.target_id, '[]', 0, 0, 'members', :no
FROM link l
WHERE l.job_id = :job_id AND l.object_type = 'Group'
  AND l.source_id IN (SELECT group_id FROM plan_pair WHERE plan_id = :plan_id)
  AND NOT EXISTS (SELECT 1 FROM plan_entry e WHERE e.plan_id = :plan_id AND e.source_id = l.source_id)

-- name: arriving_managers
-- People who are in order but for their manager, who comes with this plan.
INSERT INTO plan_entry (plan_id, source_id, object_type, action, name, target_id, changes, manager_id, joins, leaves,
    source_version, digest, held)
SELECT :plan_id, l.source_id, 'User', 'update', l.display_name, l.target_id, '[]', u.manager_id, 0, 0,
    u.version, 'manager', :no
FROM plan_entry m
JOIN directory_user u ON u.tenant_id = :tenant_id AND u.manager_id = m.source_id AND u.deleted_at IS NULL
JOIN link l ON l.job_id = :job_id AND l.source_id = u.id AND l.state = 'linked'
WHERE m.plan_id = :plan_id AND m.object_type = 'User' AND m.action IN ('create', 'link')
  AND NOT EXISTS (SELECT 1 FROM plan_entry e WHERE e.plan_id = :plan_id AND e.source_id = u.id)

-- name: count_pairs
-- How many members each group gets and loses.
UPDATE plan_entry SET
    joins = (SELECT COUNT(*) FROM plan_pair p WHERE p.plan_id = plan_entry.plan_id AND p.group_id = plan_entry.source_id AND p.joins),
    leaves = (SELECT COUNT(*) FROM plan_pair p WHERE p.plan_id = plan_entry.plan_id AND p.group_id = plan_entry.source_id AND NOT p.joins)
WHERE plan_id = :plan_id AND object_type = 'Group' AND action IN ('create', 'link', 'update')

-- name: pair_totals
-- Of the whole plan.
SELECT COALESCE(SUM(joins), 0), COALESCE(SUM(leaves), 0) FROM plan_entry WHERE plan_id = :plan_id

-- name: comparison
-- Beside the plan before it: what is new, what is gone, what is different.
SELECT
    (SELECT COUNT(*) FROM plan_entry n WHERE n.plan_id = :plan_id AND n.action <> 'skip' AND NOT EXISTS
        (SELECT 1 FROM plan_entry o WHERE o.plan_id = :previous_id AND o.source_id = n.source_id AND o.action <> 'skip')),
    (SELECT COUNT(*) FROM plan_entry o WHERE o.plan_id = :previous_id AND o.action <> 'skip' AND NOT EXISTS
        (SELECT 1 FROM plan_entry n WHERE n.plan_id = :plan_id AND n.source_id = o.source_id AND n.action <> 'skip')),
    (SELECT COUNT(*) FROM plan_entry n JOIN plan_entry o ON o.plan_id = :previous_id AND o.source_id = n.source_id
     WHERE n.plan_id = :plan_id AND n.action <> 'skip' AND o.action <> 'skip'
       AND (n.action <> o.action OR n.changes <> o.changes OR COALESCE(n.manager_id, '-') <> COALESCE(o.manager_id, '-')
            OR n.joins <> o.joins OR n.leaves <> o.leaves))

-- name: comparison_names
-- The first of those that are new (or, the other way round, gone).
SELECT n.source_id, n.name, n.action FROM plan_entry n
WHERE n.plan_id = :plan_id AND n.action <> 'skip' AND NOT EXISTS
    (SELECT 1 FROM plan_entry o WHERE o.plan_id = :previous_id AND o.source_id = n.source_id AND o.action <> 'skip')
ORDER BY n.source_id LIMIT :limit

-- name: entries
-- A page of a plan.
SELECT source_id, object_type, action, name, target_id, changes, manager_id, joins, leaves, reason, source_version, digest,
    held, left_out
FROM plan_entry
WHERE plan_id = :plan_id AND source_id > :after AND (CAST(:action AS TEXT) IS NULL OR action = :action)
  AND (NOT :left_out_only OR left_out IS NOT NULL)
ORDER BY source_id LIMIT :limit

-- name: entry
-- One of them.
SELECT source_id, object_type, action, name, target_id, changes, manager_id, joins, leaves, reason, source_version, digest,
    held, left_out
FROM plan_entry WHERE plan_id = :plan_id AND source_id = :source_id

-- name: entries_to_apply
-- A page of what is to be carried out, in the order of a cycle.
SELECT source_id, object_type, action, name, target_id, changes, manager_id, joins, leaves, reason, source_version, digest,
    held, left_out
FROM plan_entry
WHERE plan_id = :plan_id AND object_type = :object_type AND source_id > :after
  AND action IN ('create', 'link', 'update', 'disable', 'delete')
ORDER BY source_id LIMIT :limit

-- name: entries_with_manager
-- A page of those whose manager is to be written.
SELECT source_id, manager_id FROM plan_entry
WHERE plan_id = :plan_id AND manager_id IS NOT NULL AND left_out IS NULL AND source_id > :after
  AND action IN ('create', 'link', 'update')
ORDER BY source_id LIMIT :limit

-- name: pairs
-- A page of a group's members that change, with names where the directory has them.
SELECT p.member_id, p.joins, COALESCE(u.display_name, g.display_name, l.display_name)
FROM plan_pair p
LEFT JOIN directory_user u ON u.tenant_id = :tenant_id AND u.id = p.member_id
LEFT JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = p.member_id
LEFT JOIN link l ON l.job_id = :job_id AND l.source_id = p.member_id
WHERE p.plan_id = :plan_id AND p.group_id = :group_id AND p.member_id > :after
ORDER BY p.member_id LIMIT :limit

-- name: pairs_to_apply
-- A page of memberships, with both sides as they are now: wanted, confirmed, the ends in the target.
SELECT p.group_id, p.member_id, p.joins,
    CASE WHEN w.member_id IS NULL THEN 0 ELSE 1 END, CASE WHEN a.member_id IS NULL THEN 0 ELSE 1 END,
    g.target_id, g.display_name, m.target_id, m.state, m.display_name
FROM (SELECT * FROM plan_pair WHERE plan_id = :plan_id AND (group_id > :group OR (group_id = :group AND member_id > :member))
      ORDER BY group_id, member_id LIMIT :limit) p
LEFT JOIN group_member w ON w.tenant_id = :tenant_id AND w.group_id = p.group_id AND w.member_id = p.member_id
LEFT JOIN link_member a ON a.job_id = :job_id AND a.group_id = p.group_id AND a.member_id = p.member_id
LEFT JOIN link g ON g.job_id = :job_id AND g.source_id = p.group_id
LEFT JOIN link m ON m.job_id = :job_id AND m.source_id = p.member_id
ORDER BY p.group_id, p.member_id

-- name: leave_out
-- It was not carried out, and why.
UPDATE plan_entry SET left_out = :why WHERE plan_id = :plan_id AND source_id = :source_id

-- name: count_left_out
-- How many, by reason.
SELECT left_out, COUNT(*) FROM plan_entry WHERE plan_id = :plan_id AND left_out IS NOT NULL GROUP BY left_out

-- name: insert_plan_cycle
-- The books of an applied plan: a cycle that the job's own state knows nothing of.
INSERT INTO cycle (id, job_id, kind, state, phase, watermark, schema_version, considered, began_at)
VALUES (:id, :job_id, 'Plan', 'Running', 'plan', 0, :schema_version, 0, :now)
ON CONFLICT DO NOTHING

-- name: end_plan_cycle
-- They are closed.
UPDATE cycle SET state = :state, ended_at = :now, counts = :counts WHERE id = :id

-- name: applied_of
-- Of these objects, those that the plan's cycle has dealt with already: it was cut off, and goes on.
SELECT source_id FROM outcome WHERE cycle_id = :cycle_id AND source_id IN (:ids...)
