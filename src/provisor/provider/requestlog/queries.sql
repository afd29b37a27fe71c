-- name: insert_request
INSERT INTO scim_request (company_id, id, at, credential, method, path, status, duration_us, request, answer, ignored,
                          resource_id)
VALUES (:company_id, :id, :at, :credential, :method, :path, :status, :duration_us, :request, :answer, :ignored,
        :resource_id)

-- name: requests
-- The newest requests of a company that fit, newest first.
SELECT r.id, r.at, r.credential, COALESCE(k.name, c.name), r.method, r.path, r.status, r.duration_us, r.request,
       r.answer, r.ignored
FROM scim_request r
LEFT JOIN api_key k ON k.id = r.credential
LEFT JOIN oauth_client c ON c.id = r.credential
WHERE r.company_id = :company_id
  AND (CAST(:before AS TEXT) IS NULL OR r.id < :before)
  AND (CAST(:status AS BIGINT) IS NULL OR r.status = :status)
  AND r.status >= :least_status
  AND (CAST(:method AS TEXT) IS NULL OR r.method = :method)
  AND (CAST(:credential AS TEXT) IS NULL OR r.credential = :credential)
  AND (CAST(:path AS TEXT) IS NULL OR lower(r.path) LIKE :path ESCAPE '\')
  AND (CAST(:since AS BIGINT) IS NULL OR r.at >= :since)
  AND (CAST(:until AS BIGINT) IS NULL OR r.at < :until)
ORDER BY r.id DESC
LIMIT :limit

-- name: window_end
-- The oldest entry that a page looks at: conditions that no index answers cost as much however long the log is.
SELECT id FROM scim_request
WHERE company_id = :company_id AND id < :before
ORDER BY id DESC LIMIT 1 OFFSET :window

-- name: request_lines
-- The newest requests of a window that fit, newest first, without their bodies.
SELECT r.id, r.at, r.credential, COALESCE(k.name, c.name), r.method, r.path, r.status, r.duration_us, NULL, NULL,
       r.ignored, r.resource_id
FROM scim_request r
LEFT JOIN api_key k ON k.id = r.credential
LEFT JOIN oauth_client c ON c.id = r.credential
WHERE r.company_id = :company_id AND r.id < :before AND r.id >= :oldest
  AND (CAST(:status AS BIGINT) IS NULL OR r.status = :status)
  AND r.status >= :least_status
  AND (CAST(:method AS TEXT) IS NULL OR r.method = :method)
  AND (CAST(:credential AS TEXT) IS NULL OR r.credential = :credential)
  AND (CAST(:path AS TEXT) IS NULL OR lower(r.path) LIKE :path ESCAPE '\')
  AND (CAST(:since AS BIGINT) IS NULL OR r.at >= :since)
  AND (CAST(:until AS BIGINT) IS NULL OR r.at < :until)
  AND (:with_ignored = 0 OR r.ignored IS NOT NULL)
ORDER BY r.id DESC
LIMIT :limit

-- name: requests_about
-- The newest requests about one resource, newest first, without their bodies.
SELECT r.id, r.at, r.credential, COALESCE(k.name, c.name), r.method, r.path, r.status, r.duration_us, NULL, NULL,
       r.ignored, r.resource_id
FROM scim_request r
LEFT JOIN api_key k ON k.id = r.credential
LEFT JOIN oauth_client c ON c.id = r.credential
WHERE r.company_id = :company_id AND r.resource_id = :resource_id
ORDER BY r.id DESC
LIMIT :limit

-- name: activity
-- How many requests there were, and how many were refused or failed, in each stretch of :width ms after :since. Ids are
-- time-ordered, so :oldest keeps an idle company's log from being walked through; of a busy one some are counted.
SELECT bucket, COUNT(*), SUM(failed) FROM (
  SELECT (at - :since) / :width AS bucket, CASE WHEN status >= 400 THEN 1 ELSE 0 END AS failed FROM scim_request
  WHERE company_id = :company_id AND id >= :oldest AND at >= :since
  ORDER BY id DESC LIMIT :window
) AS newest
GROUP BY bucket

-- name: request
SELECT r.id, r.at, r.credential, COALESCE(k.name, c.name), r.method, r.path, r.status, r.duration_us, r.request,
       r.answer, r.ignored, r.resource_id
FROM scim_request r
LEFT JOIN api_key k ON k.id = r.credential
LEFT JOIN oauth_client c ON c.id = r.credential
WHERE r.company_id = :company_id AND r.id = :id

-- name: forget_requests
-- Some of those that are too old, so that nobody waits for long.
DELETE FROM scim_request WHERE (company_id, id) IN
  (SELECT company_id, id FROM scim_request WHERE at < :before ORDER BY at LIMIT :most)
