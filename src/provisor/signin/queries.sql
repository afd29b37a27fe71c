-- name: tenant_person
-- A live person of a tenant.
SELECT t.name, u.document, u.account_enabled, a.not_before
FROM directory_user AS u
JOIN tenant AS t ON t.id = u.tenant_id
LEFT JOIN account AS a ON a.kind = 'tenant' AND a.realm_id = u.tenant_id AND a.subject_id = u.id
WHERE u.tenant_id = :realm_id AND u.id = :subject_id AND u.deleted_at IS NULL

-- name: roles_of
SELECT role FROM directory_role WHERE tenant_id = :realm_id AND user_id = :subject_id ORDER BY role

-- name: company_person
SELECT c.name, p.email, p.is_admin, p.disabled_at, a.not_before
FROM administrator AS p
JOIN company AS c ON c.id = p.company_id
LEFT JOIN account AS a ON a.kind = 'company' AND a.realm_id = p.company_id AND a.subject_id = p.id
WHERE p.company_id = :realm_id AND p.id = :subject_id

-- name: tenant
SELECT id, name, domain FROM tenant WHERE id = :id

-- name: insert_session
INSERT INTO session (hash, kind, realm_id, subject_id, created_at, seen_at, address, user_agent)
VALUES (:hash, :kind, :realm_id, :subject_id, :created_at, :created_at, :address, :user_agent)

-- name: session
SELECT hash, kind, realm_id, subject_id, created_at, seen_at, address, user_agent FROM session WHERE hash = :hash

-- name: sessions_of
-- A person's sessions, the latest first.
SELECT hash, kind, realm_id, subject_id, created_at, seen_at, address, user_agent FROM session
WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id ORDER BY seen_at DESC, hash

-- name: touch_session
UPDATE session SET seen_at = :at WHERE hash = :hash

-- name: delete_session
DELETE FROM session WHERE hash = :hash

-- name: delete_sessions_of
DELETE FROM session WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id

-- name: delete_old_sessions
DELETE FROM session WHERE seen_at < :seen_before OR created_at < :created_before

-- name: insert_app_token
INSERT INTO app_token (id, tenant_id, created_by, created_at, expires_at)
VALUES (:id, :tenant_id, :created_by, :created_at, :expires_at)

-- name: app_token
SELECT id, tenant_id, created_by, created_at, expires_at, revoked_at FROM app_token WHERE id = :id

-- name: app_tokens
-- A tenant's tokens that have not expired, the oldest first.
SELECT id, tenant_id, created_by, created_at, expires_at, revoked_at FROM app_token
WHERE tenant_id = :tenant_id AND expires_at > :now ORDER BY created_at, id

-- name: revoke_app_token
UPDATE app_token SET revoked_at = :at WHERE tenant_id = :tenant_id AND id = :id AND revoked_at IS NULL

-- name: grant_state
-- Whether what a token was issued for still holds.
SELECT revoked_at FROM token_grant WHERE id = :id
