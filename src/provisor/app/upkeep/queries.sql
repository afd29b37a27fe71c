-- Retention, and the sealing key.

-- name: feed_end
-- The last entry of a tenant's feed that is old enough to go.
SELECT MAX(seq) FROM feed WHERE tenant_id = :tenant_id AND at < :before

-- name: raise_floor
-- Entries up to here are gone; whoever is behind is told so.
INSERT INTO feed_floor (tenant_id, seq) VALUES (:tenant_id, :seq)
ON CONFLICT (tenant_id) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > feed_floor.seq

-- name: restart_behind
-- A job that has not read what goes makes a full cycle.
UPDATE job_state SET watermark = NULL WHERE watermark < :seq
AND job_id IN (SELECT id FROM synchronization_job WHERE tenant_id = :tenant_id)

-- name: expire_feed
DELETE FROM feed WHERE tenant_id = :tenant_id AND seq IN
    (SELECT seq FROM feed WHERE tenant_id = :tenant_id AND seq <= :seq ORDER BY seq LIMIT :limit)

-- name: old_outboxes
-- Companies whose oldest change is old enough to go.
SELECT h.company_id FROM outbox_head h
WHERE (SELECT o.at FROM outbox o WHERE o.company_id = h.company_id ORDER BY o.seq LIMIT 1) < :before
ORDER BY h.company_id

-- name: expire_outbox
-- The oldest changes of a company, each gone only with all before it. A webhook keeps what it has not taken, until it has
-- failed for as long as changes are kept: it is paused or its last attempt failed, and it took nothing since.
DELETE FROM outbox WHERE company_id = :company_id AND seq IN (
    SELECT aged.seq FROM (
        SELECT oldest.seq, MAX(oldest.at) OVER (ORDER BY oldest.seq) AS latest FROM (
            SELECT o.seq, o.at FROM outbox o WHERE o.company_id = :company_id ORDER BY o.seq LIMIT :limit
        ) oldest
    ) aged
    WHERE aged.latest < :before AND NOT EXISTS (
        SELECT 1 FROM webhook w WHERE w.company_id = :company_id AND w.position < aged.seq
        AND (w.paused IS NULL AND w.failures = 0 OR COALESCE(w.delivered_at, w.created_at) >= :before)
    )
)

-- name: old_cycles
-- Cycles that ended long ago, but for the last one of each job.
SELECT c.id FROM cycle c LEFT JOIN job_state s ON s.last_cycle_id = c.id
WHERE c.ended_at < :before AND s.job_id IS NULL ORDER BY c.ended_at LIMIT :limit

-- name: expire_outcomes
DELETE FROM outcome WHERE cycle_id IN (:ids...)

-- name: expire_cycles
DELETE FROM cycle WHERE id IN (:ids...)

-- name: cycles_with_outcomes
-- Cycles whose outcomes are old: their balance is kept with the cycle itself.
SELECT c.id FROM cycle c WHERE c.ended_at < :before AND c.state <> 'Running'
AND EXISTS (SELECT 1 FROM outcome o WHERE o.cycle_id = c.id) ORDER BY c.ended_at LIMIT :limit

-- name: tenants
SELECT id FROM tenant ORDER BY id

-- name: job_secrets
-- Sealed values with what each is bound to.
SELECT s.job_id, s.key, s.sealed, j.tenant_id || '/' || s.job_id || '/' || s.key
FROM job_secret s JOIN synchronization_job j ON j.id = s.job_id
UNION ALL
-- Credentials that wait for a job, under the id that it would have.
SELECT s.job_id, s.key, s.sealed, p.tenant_id || '/' || s.job_id || '/' || s.key
FROM service_principal p
JOIN job_secret s ON s.job_id = COALESCE(NULLIF(p.template_id, ''), 'scim') || '.' || REPLACE(p.tenant_id, '-', '') || '.' || p.app_id
WHERE NOT EXISTS (SELECT 1 FROM synchronization_job j WHERE j.id = s.job_id)

-- name: seal_job_secret
UPDATE job_secret SET sealed = :sealed WHERE job_id = :first AND key = :second

-- name: webhooks
SELECT company_id, id, secret, 'webhook/' || company_id || '/' || id FROM webhook

-- name: seal_webhook
UPDATE webhook SET secret = :sealed WHERE company_id = :first AND id = :second

-- name: signing_keys
SELECT tenant_id, id, sealed, tenant_id || '/signing_key/' || id FROM signing_key

-- name: seal_signing_key
UPDATE signing_key SET sealed = :sealed WHERE tenant_id = :first AND id = :second

-- name: totps
SELECT kind || '/' || realm_id, subject_id, totp_sealed, kind || '/' || realm_id || '/' || subject_id || '/totp'
FROM account WHERE totp_sealed IS NOT NULL

-- name: seal_totp
UPDATE account SET totp_sealed = :sealed WHERE kind || '/' || realm_id = :first AND subject_id = :second

-- name: after_restore_states
-- What was running when the copy was made runs no more, and every job looks at everything anew: the target has moved on.
UPDATE job_state SET watermark = NULL, running_cycle_id = NULL, enqueued_until = NULL, not_before = NULL

-- name: after_restore_cycles
UPDATE cycle SET state = 'Failed', ended_at = :now, error = :error WHERE state = 'Running'

-- name: after_restore_leases
UPDATE lease SET expires_at = 0

-- name: after_restore_pending
-- Failures are tried again at once.
UPDATE pending SET due_at = :now WHERE due_at > :now AND attempts > 0

-- name: realms
-- Whose audit logs tell of the restoration.
SELECT id FROM tenant ORDER BY id

-- name: meter_jobs
-- Every job: where it stands, how far it is behind the feed, what waits and what fails.
SELECT j.id, sp.display_name, COALESCE(s.code, 'NotConfigured'),
       CASE WHEN s.quarantine IS NULL THEN NULL ELSE s.quarantine END,
       COALESCE(h.seq, 0) - COALESCE(s.watermark, COALESCE(h.seq, 0)),
       (SELECT COUNT(*) FROM pending p WHERE p.job_id = j.id),
       (SELECT COUNT(*) FROM pending_member p WHERE p.job_id = j.id),
       (SELECT COUNT(*) FROM pending p WHERE p.job_id = j.id AND p.attempts > 0),
       (SELECT MIN(p.due_at) FROM pending p WHERE p.job_id = j.id),
       (SELECT COUNT(*) FROM link l WHERE l.job_id = j.id)
FROM synchronization_job j
JOIN service_principal sp ON sp.tenant_id = j.tenant_id AND sp.id = j.service_principal_id
LEFT JOIN job_state s ON s.job_id = j.id
LEFT JOIN feed_head h ON h.tenant_id = j.tenant_id

-- name: meter_cycles
-- Cycles that ended lately, with their balance.
SELECT kind, state, counts, ended_at - began_at FROM cycle WHERE ended_at >= :since

-- name: meter_running
SELECT COUNT(*) FROM cycle c JOIN job_state s ON s.running_cycle_id = c.id WHERE c.state = 'Running'

-- name: meter_leases
SELECT holder, COUNT(*) FROM lease WHERE expires_at > :now GROUP BY holder

-- name: meter_mail
SELECT state, COUNT(*) FROM mail GROUP BY state
