-- The audit log. The row of a realm in audit_head is locked from the taking of the numbers until the commit, so that a
-- chain never forks: whoever comes second waits, and sees the first one's hash.

-- name: take_numbers
-- The last of :count new numbers of a realm, and the hash of the entry before them.
INSERT INTO audit_head (realm, seq, hash) VALUES (:realm, :count, '')
ON CONFLICT (realm) DO UPDATE SET seq = audit_head.seq + excluded.seq
RETURNING seq, hash

-- name: set_head
-- The chain ends with this hash now.
UPDATE audit_head SET hash = :hash WHERE realm = :realm

-- name: append
INSERT INTO audit_entry
(realm, seq, id, at, activity, category, actor, result, correlation_id, entry, hash)
VALUES (:realm, :seq, :id, :at, :activity, :category, :actor, :result, :correlation_id, :entry, :hash)

-- name: append_target
INSERT INTO audit_target (realm, target_id, at, seq) VALUES (:realm, :target_id, :at, :seq) ON CONFLICT DO NOTHING

-- name: list
-- A realm's entries, newest first. What else is asked for is added from the blocks below.
SELECT realm, seq, id, at, activity, category, actor, result, correlation_id, entry, hash
FROM audit_entry e
WHERE realm = :realm AND (at, seq) < (:before_at, :before_seq)

-- name: list_of_target
-- The same, by the index of the targets.
SELECT e.realm, e.seq, e.id, e.at, e.activity, e.category, e.actor, e.result, e.correlation_id, e.entry, e.hash
FROM audit_target t JOIN audit_entry e ON e.realm = t.realm AND e.seq = t.seq
WHERE t.realm = :realm AND t.target_id = :target_id AND (t.at, t.seq) < (:before_at, :before_seq)

-- name: where_activity
AND e.activity = :activity

-- name: where_category
AND e.category = :category

-- name: where_actor
AND e.actor = :actor

-- name: where_result
AND e.result = :result

-- name: where_correlation_id
AND e.correlation_id = :correlation_id

-- name: where_since
AND e.at >= :since

-- name: where_until
AND e.at < :until

-- name: newest
ORDER BY at DESC, seq DESC LIMIT :limit

-- name: newest_of_target
ORDER BY t.at DESC, t.seq DESC LIMIT :limit

-- name: entry
SELECT realm, seq, id, at, activity, category, actor, result, correlation_id, entry, hash
FROM audit_entry WHERE realm = :realm AND id = :id

-- name: chain
-- A page of a chain in its order.
SELECT realm, seq, id, at, activity, category, actor, result, correlation_id, entry, hash
FROM audit_entry WHERE realm = :realm AND seq > :after ORDER BY seq LIMIT :limit

-- name: targets
-- What the index of the targets has of a page.
SELECT seq, target_id, at FROM audit_target WHERE realm = :realm AND seq > :after AND seq <= :until

-- name: heads
-- Every realm that has a chain, or the remains of one.
SELECT r.realm, h.seq, h.hash FROM
(SELECT realm FROM audit_head UNION SELECT realm FROM audit_entry GROUP BY realm) r
LEFT JOIN audit_head h ON h.realm = r.realm
ORDER BY r.realm

-- name: head
SELECT seq, hash FROM audit_head WHERE realm = :realm

-- name: last
SELECT seq, hash FROM audit_entry WHERE realm = :realm ORDER BY seq DESC LIMIT 1

-- name: drop_targets
-- A tenant or a company was deleted: its chain goes with it, and the system's tells how it ended.
DELETE FROM audit_target WHERE realm = :realm

-- name: drop_entries
DELETE FROM audit_entry WHERE realm = :realm

-- name: drop_head
DELETE FROM audit_head WHERE realm = :realm
