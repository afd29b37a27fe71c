-- name: insert_webhook
INSERT INTO webhook (company_id, id, url, secret, created_at, position, failures, next_at, claimed_until)
VALUES (:company_id, :id, :url, :secret, :created_at, :position, 0, :created_at, 0)

-- name: webhooks
-- A company's webhooks, oldest first.
SELECT id, company_id, url, created_at, position, paused, failures, next_at, last_answer, delivered_at
FROM webhook WHERE company_id = :company_id ORDER BY id

-- name: delete_webhook
DELETE FROM webhook WHERE company_id = :company_id AND id = :id

-- name: move_webhook
-- Begin anew from a position. Whoever delivers at this moment must not move it back, so its claim ends.
UPDATE webhook
SET position = :position, paused = NULL, failures = 0, next_at = :at, claimed_until = 0
WHERE company_id = :company_id AND id = :id

-- name: due_webhooks
-- Those with something to send that nobody sends at the moment, of all companies.
SELECT w.id, w.company_id, w.url, w.created_at, w.position, w.paused, w.failures, w.next_at, w.last_answer,
       w.delivered_at, w.secret
FROM webhook w
JOIN outbox_head h ON h.company_id = w.company_id AND h.seq > w.position
WHERE w.paused IS NULL AND w.next_at <= :now AND w.claimed_until <= :now
ORDER BY w.next_at, w.id
LIMIT :limit

-- name: claim_webhook
-- One sender at a time. A claim that is not given back, since its process died, ends by itself.
UPDATE webhook SET claimed_until = :until
WHERE company_id = :company_id AND id = :id AND claimed_until <= :now AND paused IS NULL AND position = :position

-- name: settle_webhook
-- The outcome of a delivery, unless the webhook was moved or claimed by another meanwhile.
UPDATE webhook
SET position = :position, paused = :paused, failures = :failures, next_at = :next_at, last_answer = :last_answer,
    delivered_at = :delivered_at, claimed_until = 0
WHERE company_id = :company_id AND id = :id AND claimed_until = :claimed
