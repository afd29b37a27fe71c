-- name: tenant
-- By id or domain.
SELECT id, name FROM tenant WHERE id = :ref OR domain = :ref

-- name: insert_grant
INSERT INTO token_grant (id, tenant_id, client_id, user_id, scope, created_at, expires_at, public)
VALUES (:id, :tenant_id, :client_id, :user_id, :scope, :created_at, :expires_at, :public)

-- name: insert_code
INSERT INTO authorization_code (hash, grant_id, redirect_uri, nonce, challenge, created_at)
VALUES (:hash, :grant_id, :redirect_uri, :nonce, :challenge, :created_at)

-- name: code
SELECT g.id, g.tenant_id, g.client_id, g.user_id, g.scope, g.created_at, g.expires_at, g.public, g.revoked_at,
       c.redirect_uri, c.nonce, c.challenge, c.created_at, c.used_at
FROM authorization_code AS c JOIN token_grant AS g ON g.id = c.grant_id WHERE c.hash = :hash

-- name: use_code
-- Of two who redeem a code at once, one changes a row.
UPDATE authorization_code SET used_at = :at WHERE hash = :hash AND used_at IS NULL

-- name: insert_refresh
INSERT INTO refresh_token (hash, grant_id, created_at) VALUES (:hash, :grant_id, :created_at)

-- name: refresh
SELECT g.id, g.tenant_id, g.client_id, g.user_id, g.scope, g.created_at, g.expires_at, g.public, g.revoked_at, r.used_at
FROM refresh_token AS r JOIN token_grant AS g ON g.id = r.grant_id WHERE r.hash = :hash

-- name: use_refresh
UPDATE refresh_token SET used_at = :at WHERE hash = :hash AND used_at IS NULL

-- name: revoke_grant
UPDATE token_grant SET revoked_at = :at WHERE id = :id AND revoked_at IS NULL

-- name: purge_codes
DELETE FROM authorization_code WHERE grant_id IN (SELECT id FROM token_grant WHERE expires_at < :before)

-- name: purge_refresh
DELETE FROM refresh_token WHERE grant_id IN (SELECT id FROM token_grant WHERE expires_at < :before)

-- name: purge_grants
DELETE FROM token_grant WHERE expires_at < :before

-- name: approvers
-- Who can consent for everybody.
SELECT DISTINCT u.name_key, u.display_name FROM directory_role AS r
JOIN directory_user AS u ON u.tenant_id = r.tenant_id AND u.id = r.user_id
WHERE r.tenant_id = :tenant_id AND r.role IN (:roles...) AND u.deleted_at IS NULL AND u.account_enabled
ORDER BY u.name_key LIMIT 10

-- name: all_keys
-- The public keys of every tenant, for clients that serve many.
SELECT public FROM signing_key WHERE retired_at IS NULL OR retired_at > :retired_after ORDER BY tenant_id, created_at
