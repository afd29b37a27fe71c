-- name: key
-- One key, whoever's: a token names it.
SELECT id, tenant_id, public, sealed, created_at, retired_at FROM signing_key WHERE id = :id

-- name: keys
-- A tenant's keys that sign, or that tokens may still be signed with; the newest first.
SELECT id, tenant_id, public, sealed, created_at, retired_at FROM signing_key
WHERE tenant_id = :tenant_id AND (retired_at IS NULL OR retired_at > :retired_after)
ORDER BY created_at DESC, id DESC

-- name: lock_tenant
-- Makes two makers of a tenant's key wait for each other. SQLite has one writer anyway.
SELECT id FROM tenant WHERE id = :tenant_id

-- name: lock_tenant (postgresql)
SELECT id FROM tenant WHERE id = :tenant_id FOR UPDATE

-- name: retire
UPDATE signing_key SET retired_at = :at WHERE tenant_id = :tenant_id AND retired_at IS NULL

-- name: insert
INSERT INTO signing_key (id, tenant_id, public, sealed, created_at)
VALUES (:id, :tenant_id, :public, :sealed, :created_at)

-- name: forget
-- Keys whose last token has expired.
DELETE FROM signing_key WHERE tenant_id = :tenant_id AND retired_at <= :retired_before
