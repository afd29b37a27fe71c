-- What became of each object in a cycle, beside what the log says about it.

-- name: outcomes_after
-- The next objects of a cycle with this outcome (:action null: any), by source id.
SELECT o.source_id, o.object_type, o.action, o.reason FROM outcome o
  JOIN cycle c ON c.id = o.cycle_id AND c.job_id = :job_id
 WHERE o.cycle_id = :cycle_id AND o.source_id > :after
   AND (CAST(:action AS TEXT) IS NULL OR o.action = :action) AND (CAST(:reason AS TEXT) IS NULL OR o.reason = :reason)
   AND (CAST(:object_type AS TEXT) IS NULL OR o.object_type = :object_type)
 ORDER BY o.source_id LIMIT :limit
