-- Statements of applications/passwords/store.py.

-- name: insert
-- A new client secret.
INSERT INTO password_credential
    (key_id, tenant_id, object_id, app_id, display_name, hint, mac, start_at, end_at)
VALUES (:key_id, :tenant_id, :object_id, :app_id, :display_name, :hint, :mac, :start_at, :end_at)

-- name: count
-- How many an object has.
SELECT COUNT(*) FROM password_credential WHERE object_id = :object_id

-- name: of_objects
-- The secrets of some objects, the oldest first.
SELECT object_id, key_id, display_name, hint, start_at, end_at
FROM password_credential WHERE object_id IN (:object_ids...) ORDER BY start_at, key_id

-- name: delete
-- Forget one secret.
DELETE FROM password_credential WHERE tenant_id = :tenant_id AND object_id = :object_id AND key_id = :key_id

-- name: of_app
-- Hot: the secrets of an application that count now in a tenant: its own, and those of its service principal there.
SELECT c.key_id, c.mac FROM password_credential c
WHERE c.app_id = :app_id AND c.start_at <= :now AND c.end_at > :now
  AND (c.tenant_id = :tenant_id OR EXISTS (SELECT 1 FROM application a WHERE a.app_id = c.app_id AND a.id = c.object_id))

-- name: still_counts
-- Does this secret still count?
SELECT 1 FROM password_credential WHERE key_id = :key_id AND start_at <= :now AND end_at > :now
