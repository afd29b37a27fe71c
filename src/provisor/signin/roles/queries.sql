-- name: grant
INSERT INTO directory_role (tenant_id, user_id, role, granted_by, granted_at)
VALUES (:tenant_id, :user_id, :role, :granted_by, :granted_at)
ON CONFLICT (tenant_id, user_id, role) DO NOTHING

-- name: revoke
DELETE FROM directory_role WHERE tenant_id = :tenant_id AND user_id = :user_id AND role = :role

-- name: lock_tenant
-- Makes two changes of a tenant's roles wait for each other. SQLite has one writer anyway.
SELECT id FROM tenant WHERE id = :tenant_id

-- name: lock_tenant (postgresql)
SELECT id FROM tenant WHERE id = :tenant_id FOR UPDATE

-- name: others
-- Who else has a role and can sign in.
SELECT count(*) FROM directory_role AS r
JOIN directory_user AS u ON u.tenant_id = r.tenant_id AND u.id = r.user_id
WHERE r.tenant_id = :tenant_id AND r.role = :role AND r.user_id <> :user_id
  AND u.deleted_at IS NULL AND u.account_enabled

-- name: grants
-- Who has which role, the deleted left out, by name.
SELECT r.user_id, u.document, r.role, r.granted_by, r.granted_at FROM directory_role AS r
JOIN directory_user AS u ON u.tenant_id = r.tenant_id AND u.id = r.user_id
WHERE r.tenant_id = :tenant_id AND u.deleted_at IS NULL
ORDER BY u.name_key, r.user_id, r.role

-- name: holders
-- Which of these people have a role.
SELECT DISTINCT user_id FROM directory_role WHERE tenant_id = :tenant_id AND user_id IN (:ids...)

-- name: roles_of
SELECT role FROM directory_role WHERE tenant_id = :tenant_id AND user_id = :user_id ORDER BY role
