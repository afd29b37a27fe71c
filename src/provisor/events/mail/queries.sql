-- Messages to people and their webhooks: an outbox that is kept, so that the portals can show it.

-- name: enqueue
-- Written with its cause. The same message about the same thing is written once.
INSERT INTO mail (id, realm, channel, key, kind, recipient, subject, text, facts, created_at, state, attempts, next_at,
    claimed_until)
VALUES (:id, :realm, :channel, :key, :kind, :recipient, :subject, :text, :facts, :at, 'waiting', 0, :at, 0)
ON CONFLICT DO NOTHING

-- name: due
-- Those whose time has come, who waited longest first.
SELECT id, realm, channel, kind, recipient, subject, text, facts, created_at, state, attempts, next_at, answer, sent_at
FROM mail WHERE state = 'waiting' AND next_at <= :now AND claimed_until <= :now ORDER BY next_at, id LIMIT :limit

-- name: claim
-- One sender at a time; a claim that is not given back ends by itself.
UPDATE mail SET claimed_until = :until WHERE id = :id AND state = 'waiting' AND claimed_until <= :now

-- name: settle
UPDATE mail SET state = :state, attempts = :attempts, next_at = :next_at, answer = :answer, sent_at = :sent_at,
    claimed_until = 0
WHERE id = :id AND claimed_until = :claimed

-- name: messages
-- A realm's messages, newest first.
SELECT id, realm, channel, kind, recipient, subject, text, facts, created_at, state, attempts, next_at, answer, sent_at
FROM mail WHERE realm = :realm AND (created_at, id) < (:before_at, :before_id)
ORDER BY created_at DESC, id DESC LIMIT :limit

-- name: counts
-- How many there are of each state, of all realms.
SELECT state, COUNT(*) FROM mail GROUP BY state

-- name: expire
DELETE FROM mail WHERE id IN (SELECT id FROM mail WHERE created_at < :before AND state <> 'waiting' LIMIT :limit)

-- name: forget
-- A realm was deleted.
DELETE FROM mail WHERE realm = :realm
