-- The provisioning log, in blocks, newest first. A page looks at so many blocks of the index that fits best, never at the
-- whole log: "bound" finds where the look ends, "page" the blocks in which something may be that is asked for.
--
-- One condition drives the index. Those on a block's own columns stand inside COALESCE, which no index answers, so that
-- the planner cannot prefer one of them and sort; those on what the heads say only spare the reading of heads.

-- name: bound
-- The first block that one page does not look at any more; none when fewer are left. It is found in the index alone.
SELECT o.at, o.no FROM

-- name: bound_key
provisioning_log_key o WHERE o.key = :key AND (o.at, o.no) <= (:before_at, :before_no)
ORDER BY o.at DESC, o.no DESC LIMIT 1 OFFSET :scan

-- name: bound_job
provisioning_log_block o WHERE o.job_id = :job_id AND (o.at, o.no) <= (:before_at, :before_no)
ORDER BY o.at DESC, o.no DESC LIMIT 1 OFFSET :scan

-- name: bound_tenant
provisioning_log_block o WHERE o.tenant_id = :tenant_id AND (o.at, o.no) <= (:before_at, :before_no)
ORDER BY o.at DESC, o.no DESC LIMIT 1 OFFSET :scan

-- name: page
SELECT b.at, b.no, b.id, b.heads FROM

-- name: count
SELECT SUM(b.entries) FROM

-- name: no
provisioning_log_block b WHERE b.no = :no AND COALESCE(b.tenant_id, '') = :tenant_id
AND (b.at, b.no) <= (:before_at, :before_no) AND (b.at, b.no) > (:bound_at, :bound_no)

-- name: key
provisioning_log_key o JOIN provisioning_log_block b ON b.no = o.no
WHERE o.key = :key AND (o.at, o.no) <= (:before_at, :before_no) AND (o.at, o.no) > (:bound_at, :bound_no)
AND COALESCE(b.tenant_id, '') = :tenant_id

-- name: key (postgresql)
-- Of two comparisons of rows it does not see that few rows are between them, and would read the whole log; of two of
-- moments it does.
provisioning_log_key o JOIN provisioning_log_block b ON b.no = o.no
WHERE o.key = :key AND (o.at, o.no) <= (:before_at, :before_no) AND (o.at, o.no) > (:bound_at, :bound_no)
AND o.at <= :before_at AND o.at >= :bound_at AND COALESCE(b.tenant_id, '') = :tenant_id

-- name: job
provisioning_log_block b WHERE b.job_id = :job_id
AND (b.at, b.no) <= (:before_at, :before_no) AND (b.at, b.no) > (:bound_at, :bound_no)
AND COALESCE(b.tenant_id, '') = :tenant_id

-- name: job (postgresql)
provisioning_log_block b WHERE b.job_id = :job_id
AND (b.at, b.no) <= (:before_at, :before_no) AND (b.at, b.no) > (:bound_at, :bound_no)
AND b.at <= :before_at AND b.at >= :bound_at AND COALESCE(b.tenant_id, '') = :tenant_id

-- name: tenant
provisioning_log_block b WHERE b.tenant_id = :tenant_id
AND (b.at, b.no) <= (:before_at, :before_no) AND (b.at, b.no) > (:bound_at, :bound_no)

-- name: tenant (postgresql)
provisioning_log_block b WHERE b.tenant_id = :tenant_id
AND (b.at, b.no) <= (:before_at, :before_no) AND (b.at, b.no) > (:bound_at, :bound_no)
AND b.at <= :before_at AND b.at >= :bound_at

-- name: and_job_id
AND COALESCE(b.job_id, '') = :job_id

-- name: and_cycle_id
AND COALESCE(b.cycle_id, '') = :cycle_id

-- name: and_source_id
AND instr(b.heads, :source_id) > 0

-- name: and_source_id (postgresql)
AND strpos(b.heads, :source_id) > 0

-- name: and_target_id
AND instr(b.heads, :target_id) > 0

-- name: and_target_id (postgresql)
AND strpos(b.heads, :target_id) > 0

-- name: and_error_code
AND instr(b.heads, :error_code) > 0

-- name: and_error_code (postgresql)
AND strpos(b.heads, :error_code) > 0

-- name: and_action
AND instr(b.heads, :action) > 0

-- name: and_action (postgresql)
AND strpos(b.heads, :action) > 0

-- name: and_status
AND instr(b.heads, :status) > 0

-- name: and_status (postgresql)
AND strpos(b.heads, :status) > 0

-- name: and_object_type
AND instr(b.heads, :object_type) > 0

-- name: and_object_type (postgresql)
AND strpos(b.heads, :object_type) > 0

-- name: and_name
AND instr(b.heads, :name) > 0

-- name: and_name (postgresql)
AND strpos(b.heads, :name) > 0

-- name: end_no
LIMIT :limit

-- name: end_key
ORDER BY o.at DESC, o.no DESC LIMIT :limit

-- name: end_job
ORDER BY b.at DESC, b.no DESC LIMIT :limit

-- name: end_tenant
ORDER BY b.at DESC, b.no DESC LIMIT :limit

-- name: body
-- Part of a block's bodies.
SELECT common, substr(body, :start, :length) FROM provisioning_log_block WHERE no = :no

-- name: of_objects
-- The blocks of a cycle that say something about these objects, oldest first.
SELECT b.at, b.no, b.id, b.heads FROM provisioning_log_block b
WHERE b.no IN (SELECT o.no FROM provisioning_log_key o WHERE o.key IN (SELECT CAST(value AS INTEGER) FROM json_each(:keys)))
AND b.job_id = :job_id AND COALESCE(b.cycle_id, '') = :cycle_id
ORDER BY b.at, b.no

-- name: of_objects (postgresql)
SELECT b.at, b.no, b.id, b.heads FROM provisioning_log_block b
WHERE b.no IN (SELECT o.no FROM provisioning_log_key o
    WHERE o.key IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:keys AS json)) AS value))
AND b.job_id = :job_id AND COALESCE(b.cycle_id, '') = :cycle_id
ORDER BY b.at, b.no

-- name: tenant_of
-- Whose job has written here.
SELECT tenant_id FROM provisioning_log_block WHERE job_id = :job_id LIMIT 1

-- name: tenants
-- Whose entries there are.
SELECT id FROM tenant ORDER BY id

-- name: tally
-- The blocks of a tenant lately: entries by status.
SELECT tally FROM provisioning_log_block WHERE tenant_id = :tenant_id AND at >= :since

-- name: save_block
INSERT INTO provisioning_log_block
(no, id, tenant_id, job_id, cycle_id, at, entries, tally, common, heads, body)
VALUES (:no, :id, :tenant_id, :job_id, :cycle_id, :at, :entries, :tally, :common, :heads, :body)

-- name: save_keys
INSERT INTO provisioning_log_key (key, at, no) SELECT value, :at, :no FROM json_each(:keys)

-- name: save_keys (postgresql)
INSERT INTO provisioning_log_key (key, at, no)
SELECT CAST(value AS bigint), :at, :no FROM json_array_elements_text(CAST(:keys AS json)) AS value

-- name: oldest
-- The oldest blocks of a tenant, a few at a time, so that others write in between.
SELECT no, at, tenant_id, cycle_id, heads, entries FROM provisioning_log_block
WHERE tenant_id = :tenant_id AND at < :before ORDER BY at, no LIMIT :limit

-- name: of_job
SELECT no, at, tenant_id, cycle_id, heads, entries FROM provisioning_log_block WHERE job_id = :job_id LIMIT :limit

-- name: drop_key
DELETE FROM provisioning_log_key WHERE key = :key AND at = :at AND no = :no

-- name: drop_block
DELETE FROM provisioning_log_block WHERE no = :no
