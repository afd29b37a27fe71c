-- name: put_pace
-- What a worker knows of a target now.
INSERT INTO target_pace (target, worker, rate, refused_at, raised_at, used_at, throttled, paused_until,
    at_once, resized_at)
VALUES (:target, :worker, :rate, :refused_at, :raised_at, :used_at, :throttled, :paused_until, :at_once, :resized_at)
ON CONFLICT (target, worker) DO UPDATE SET rate = excluded.rate, refused_at = excluded.refused_at,
    raised_at = excluded.raised_at, used_at = excluded.used_at, throttled = excluded.throttled,
    paused_until = excluded.paused_until, at_once = excluded.at_once, resized_at = excluded.resized_at

-- name: paces
-- What all workers know of a target.
SELECT target, worker, rate, refused_at, raised_at, used_at, throttled, paused_until, at_once, resized_at
FROM target_pace
WHERE target = :target ORDER BY worker

-- name: forget_paces
-- What was learnt long ago says nothing any more.
DELETE FROM target_pace WHERE used_at < :before
