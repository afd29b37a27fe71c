-- Credentials that end soon, with whom to write to.

-- name: keys
-- API keys that still work and end before a moment, with the owner's address where a person owns it.
SELECT k.company_id, c.name, k.id, k.name, k.created_at, k.expires_at,
       CASE WHEN a.is_admin AND a.disabled_at IS NULL THEN a.email ELSE NULL END
FROM api_key k
JOIN company c ON c.id = k.company_id
LEFT JOIN administrator a ON a.company_id = k.company_id AND a.id = k.administrator_id
WHERE k.revoked_at IS NULL AND k.expires_at > :now AND k.expires_at <= :until

-- name: secrets
-- Secrets of OAuth clients, likewise; nobody owns them but the company.
SELECT t.company_id, c.name, s.id, t.name, s.created_at, s.expires_at, NULL
FROM oauth_secret s
JOIN oauth_client t ON t.id = s.client_id
JOIN company c ON c.id = t.company_id
WHERE t.revoked_at IS NULL AND s.revoked_at IS NULL AND s.expires_at > :now AND s.expires_at <= :until

-- name: administrators
-- Those of a company who can act.
SELECT email FROM administrator WHERE company_id = :company_id AND is_admin AND disabled_at IS NULL ORDER BY email
