-- name: forget_person
-- A new link of a person makes the earlier ones useless.
DELETE FROM sign_in_link
WHERE kind = :kind AND realm_id = :realm_id AND subject_id = :subject_id AND used_at IS NULL

-- name: forget_invitation
DELETE FROM sign_in_link WHERE kind = 'company' AND realm_id = :company_id AND email = :email AND used_at IS NULL

-- name: insert
INSERT INTO sign_in_link (hash, kind, realm_id, subject_id, email, created_by, created_at, expires_at)
VALUES (:hash, :kind, :realm_id, :subject_id, :email, :created_by, :created_at, :expires_at)

-- name: link
SELECT hash, kind, realm_id, subject_id, email, created_by, created_at, expires_at, used_at
FROM sign_in_link WHERE hash = :hash

-- name: invitations
-- A company's open invitations, the latest first.
SELECT hash, kind, realm_id, subject_id, email, created_by, created_at, expires_at, used_at FROM sign_in_link
WHERE kind = 'company' AND realm_id = :company_id AND subject_id IS NULL AND used_at IS NULL AND expires_at > :now
ORDER BY created_at DESC, hash

-- name: withdraw
DELETE FROM sign_in_link
WHERE hash = :hash AND kind = 'company' AND realm_id = :company_id AND subject_id IS NULL AND used_at IS NULL

-- name: use
-- Of two who use a link at once, one changes a row.
UPDATE sign_in_link SET used_at = :now WHERE hash = :hash AND used_at IS NULL AND expires_at > :now

-- name: purge
DELETE FROM sign_in_link WHERE expires_at < :before
