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
