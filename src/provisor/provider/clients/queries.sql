-- name: insert_client
INSERT INTO oauth_client (id, company_id, name, dialect, created_at)
VALUES (:id, :company_id, :name, :dialect, :created_at)

-- name: insert_secret
INSERT INTO oauth_secret (id, client_id, mac, created_at, expires_at)
VALUES (:id, :client_id, :mac, :created_at, :expires_at)

-- name: clients
-- A company's clients, oldest first.
SELECT id, company_id, name, dialect, created_at, revoked_at, last_used_at
FROM oauth_client WHERE company_id = :company_id ORDER BY created_at, id

-- name: secrets
-- All secrets of a company's clients, oldest first.
SELECT s.client_id, s.id, s.created_at, s.expires_at, s.revoked_at
FROM oauth_client c JOIN oauth_secret s ON s.client_id = c.id
WHERE c.company_id = :company_id ORDER BY s.created_at, s.id

-- name: client_to_check
-- Everything that decides whether a secret, or a token that was given for it, may be used now.
SELECT c.id, c.company_id, c.name, c.dialect, c.created_at, c.revoked_at, c.last_used_at,
       s.id, s.created_at, s.expires_at, s.revoked_at, s.mac, o.credential_rate, o.company_rate
FROM oauth_secret s
JOIN oauth_client c ON c.id = s.client_id
JOIN company o ON o.id = c.company_id
WHERE s.id = :secret_id AND c.id = :client_id

-- name: revoke_client
-- A client stays revoked from the first time on.
UPDATE oauth_client SET revoked_at = COALESCE(revoked_at, :at) WHERE company_id = :company_id AND id = :id

-- name: revoke_secret
UPDATE oauth_secret SET revoked_at = COALESCE(revoked_at, :at) WHERE client_id = :client_id AND id = :id

-- name: touch_client
UPDATE oauth_client SET last_used_at = :at WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at)
