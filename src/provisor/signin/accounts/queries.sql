-- name: tenant_candidates
-- Whom a user principal name can mean: those of the tenant that has the domain first, then who signed in last.
SELECT u.tenant_id, u.id, a.password_hash
FROM tenant AS t
JOIN directory_user AS u ON u.tenant_id = t.id AND u.upn_key = :login
LEFT JOIN account AS a ON a.kind = 'tenant' AND a.realm_id = u.tenant_id AND a.subject_id = u.id
WHERE u.deleted_at IS NULL AND (:realm_id = '' OR t.id = :realm_id)
ORDER BY CASE WHEN t.domain = :domain THEN 0 ELSE 1 END, COALESCE(a.signed_in_at, 0) DESC, t.id
LIMIT :most

-- name: company_candidates
-- Whom an e-mail address can mean: one person of each company, who signed in last first.
SELECT p.company_id, p.id, a.password_hash
FROM administrator AS p
LEFT JOIN account AS a ON a.kind = 'company' AND a.realm_id = p.company_id AND a.subject_id = p.id
WHERE p.email = :login AND (:realm_id = '' OR p.company_id = :realm_id) AND a.password_hash IS NOT NULL
ORDER BY COALESCE(a.signed_in_at, 0) DESC, p.company_id
LIMIT :most

-- name: account
SELECT password_hash, totp_sealed, totp_confirmed_at, totp_step, signed_in_at FROM account
WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id

-- name: open_account
INSERT INTO account (kind, realm_id, subject_id, not_before) VALUES (:kind, :realm_id, :subject_id, 0)
ON CONFLICT (kind, realm_id, subject_id) DO NOTHING

-- name: set_password
UPDATE account SET password_hash = :password_hash, not_before = :at
WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id

-- name: rehash
UPDATE account SET password_hash = :password_hash
WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id

-- name: set_not_before
UPDATE account SET not_before = :at WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id

-- name: note_sign_in
UPDATE account SET signed_in_at = :at WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id

-- name: set_totp
UPDATE account SET totp_sealed = :sealed, totp_confirmed_at = NULL, totp_step = NULL
WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id

-- name: confirm_totp
UPDATE account SET totp_confirmed_at = :at
WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id

-- name: use_step
-- Of two who send one code at once, one changes a row.
UPDATE account SET totp_step = :step
WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id AND (totp_step IS NULL OR totp_step < :step)

-- name: insert_recovery_code
INSERT INTO recovery_code (kind, realm_id, subject_id, hash) VALUES (:kind, :realm_id, :subject_id, :hash)

-- name: use_recovery_code
DELETE FROM recovery_code
WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id AND hash = :hash

-- name: delete_recovery_codes
DELETE FROM recovery_code WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id

-- name: count_recovery_codes
SELECT count(*) FROM recovery_code WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id

-- name: attempts
SELECT failures, began_at, locked_until FROM attempt WHERE key = :key

-- name: attempts (postgresql)
SELECT failures, began_at, locked_until FROM attempt WHERE key = :key FOR UPDATE

-- name: open_attempts
INSERT INTO attempt (key, failures, began_at, locked_until) VALUES (:key, 0, 0, 0) ON CONFLICT (key) DO NOTHING

-- name: set_attempts
UPDATE attempt SET failures = :failures, began_at = :began_at, locked_until = :locked_until WHERE key = :key

-- name: forgive
-- The attempt was right after all.
UPDATE attempt SET failures = CASE WHEN failures > 0 THEN failures - 1 ELSE 0 END WHERE key = :key

-- name: forget_attempts
DELETE FROM attempt WHERE key = :key

-- name: purge_attempts
DELETE FROM attempt WHERE began_at < :before AND locked_until < :before
