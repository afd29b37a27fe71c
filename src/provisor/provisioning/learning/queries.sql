-- What was learnt of the target of a job.

-- name: save
INSERT INTO target_learnt (job_id, capability, value, detail, first_at, last_at, times)
VALUES (:job_id, :capability, :value, :detail, :at, :at, 1)
ON CONFLICT (job_id, capability, value) DO UPDATE
SET detail = excluded.detail, last_at = excluded.last_at, times = target_learnt.times + 1

-- name: learnt
SELECT capability, value, detail, first_at, last_at, times FROM target_learnt WHERE job_id = :job_id
ORDER BY capability, value

-- name: forget
DELETE FROM target_learnt WHERE job_id = :job_id
