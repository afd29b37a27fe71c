-- name: insert_request
INSERT INTO scim_request (company_id, id, at, credential, method, path, status, duration_us, request, answer, ignored)
VALUES (:company_id, :id, :at, :credential, :method, :path, :status, :duration_us, :request, :answer, :ignored)

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

-- name: forget_requests
-- Some of those that are too old, so that nobody waits for long.
DELETE FROM scim_request WHERE (company_id, id) IN
  (SELECT company_id, id FROM scim_request WHERE at < :before ORDER BY at LIMIT :most)
