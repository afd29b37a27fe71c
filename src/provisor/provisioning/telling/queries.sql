-- What the audit log and the mails say of a job.

-- name: job
-- Whose job it is, and what it is called.
SELECT j.tenant_id, j.service_principal_id, sp.display_name, j.settings
FROM synchronization_job j
JOIN service_principal sp ON sp.tenant_id = j.tenant_id AND sp.id = j.service_principal_id
WHERE j.id = :job_id

-- name: state
-- Where it stands.
SELECT code, quarantine FROM job_state WHERE job_id = :job_id

-- name: digests
-- Jobs for which something fails.
SELECT DISTINCT j.id, j.tenant_id, sp.display_name, j.settings
FROM synchronization_job j
JOIN service_principal sp ON sp.tenant_id = j.tenant_id AND sp.id = j.service_principal_id
WHERE EXISTS (SELECT 1 FROM pending p WHERE p.job_id = j.id AND p.attempts > 0 AND p.error_code IS NOT NULL)

-- name: failing_by_code
SELECT error_code, COUNT(*) FROM pending
WHERE job_id = :job_id AND attempts > 0 AND error_code IS NOT NULL GROUP BY error_code

-- name: failing
-- Objects that fail, those that have failed longest first, with what people call them.
SELECT COALESCE(u.display_name, g.display_name, l.display_name, p.source_id), p.object_type, p.error_code,
       COALESCE(p.error, ''), p.due_at
FROM pending p
LEFT JOIN directory_user u ON u.tenant_id = :tenant_id AND u.id = p.source_id
LEFT JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = p.source_id
LEFT JOIN link l ON l.job_id = p.job_id AND l.source_id = p.source_id
WHERE p.job_id = :job_id AND p.attempts > 0 AND p.error_code IS NOT NULL
ORDER BY p.failed_first_at, p.source_id LIMIT :limit
