-- The provisioning log, newest first. A page looks at so many rows of the index that fits best, never at the whole log:
-- "bound" finds where the look ends, "page" what of it is asked for.
--
-- One condition drives the index; the others stand inside COALESCE, which no index answers, so that the planner cannot
-- prefer one of them and sort. Of a page, conditions on time are its two ends.

-- name: bound
-- The last row that one page may look at; none when fewer are left. It is found in the index alone, by its driver alone: a
-- condition of which PostgreSQL believes that few rows fulfil it would have it sort the whole log.
SELECT b.at, b.id FROM provisioning_log b WHERE b.tenant_id = :tenant_id AND b.id = (
SELECT l.id FROM provisioning_log l WHERE (l.at, l.id) < (:before_at, :before_id)

-- name: bound_end
ORDER BY l.at DESC, l.id DESC LIMIT 1 OFFSET :scan)

-- name: page
SELECT l.at, l.id, l.entry FROM provisioning_log l
WHERE (l.at, l.id) < (:before_at, :before_id) AND (l.at, l.id) >= (:bound_at, :bound_id)

-- name: page (postgresql)
-- Of two comparisons of rows it does not see that few rows are between them, and would read the whole log; of two of
-- moments it does.
SELECT l.at, l.id, l.entry FROM provisioning_log l
WHERE (l.at, l.id) < (:before_at, :before_id) AND (l.at, l.id) >= (:bound_at, :bound_id)
AND l.at <= :before_at AND l.at >= :bound_at

-- name: page_end
ORDER BY l.at DESC, l.id DESC LIMIT :limit

-- name: named
-- Names are searched in the index alone; only what is found is fetched.
SELECT l.at, l.id, l.entry FROM (
    SELECT n.at, n.id FROM provisioning_log n WHERE n.tenant_id = :tenant_id
    AND (n.at, n.id) < (:before_at, :before_id) AND (n.at, n.id) >= (:bound_at, :bound_id)
    AND instr(n.source_name, :source_name) > 0
    ORDER BY n.at DESC, n.id DESC LIMIT :limit
) f JOIN provisioning_log l ON l.id = f.id
ORDER BY l.at DESC, l.id DESC

-- name: named (postgresql)
SELECT l.at, l.id, l.entry FROM (
    SELECT n.at, n.id FROM provisioning_log n WHERE n.tenant_id = :tenant_id
    AND (n.at, n.id) < (:before_at, :before_id) AND (n.at, n.id) >= (:bound_at, :bound_id)
    AND strpos(n.source_name, :source_name) > 0
    ORDER BY n.at DESC, n.id DESC LIMIT :limit
) f JOIN provisioning_log l ON l.id = f.id
ORDER BY l.at DESC, l.id DESC

-- name: count
SELECT COUNT(*) FROM provisioning_log l WHERE l.tenant_id = :tenant_id

-- name: entry
SELECT l.entry FROM provisioning_log l WHERE l.tenant_id = :tenant_id AND l.id = :id

-- name: where_since
AND l.at >= :since

-- name: where_until
AND l.at < :until

-- name: by_tenant_id
AND l.tenant_id = :tenant_id

-- name: and_tenant_id
AND COALESCE(l.tenant_id, '') = :tenant_id

-- name: by_job_id
AND l.job_id = :job_id

-- name: and_job_id
AND COALESCE(l.job_id, '') = :job_id

-- name: by_cycle_id
AND l.cycle_id = :cycle_id

-- name: and_cycle_id
AND COALESCE(l.cycle_id, '') = :cycle_id

-- name: by_change_id
AND l.change_id = :change_id

-- name: and_change_id
AND COALESCE(l.change_id, '') = :change_id

-- name: by_status
AND l.status = :status

-- name: and_status
AND COALESCE(l.status, '') = :status

-- name: by_action
AND l.action = :action

-- name: and_action
AND COALESCE(l.action, '') = :action

-- name: by_error_code
AND l.error_code = :error_code

-- name: and_error_code
AND COALESCE(l.error_code, '') = :error_code

-- name: by_object_type
AND l.object_type = :object_type

-- name: and_object_type
AND COALESCE(l.object_type, '') = :object_type

-- name: by_source_id
AND l.source_id = :source_id

-- name: and_source_id
AND COALESCE(l.source_id, '') = :source_id

-- name: by_target_id
AND l.target_id = :target_id

-- name: and_target_id
AND COALESCE(l.target_id, '') = :target_id

-- name: and_source_name
AND instr(l.source_name, :source_name) > 0

-- name: and_source_name (postgresql)
AND strpos(l.source_name, :source_name) > 0

-- name: tenants
-- Whose entries there are.
SELECT id FROM tenant ORDER BY id

-- name: expire
-- The oldest entries of a tenant, a few at a time, so that others write in between.
DELETE FROM provisioning_log WHERE id IN
    (SELECT id FROM provisioning_log WHERE tenant_id = :tenant_id AND at < :before ORDER BY at, id LIMIT :limit)
