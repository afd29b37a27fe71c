-- Given passwords. The account is the person's, as everywhere in signing in.

-- name: give_password
-- Sessions and tokens from before :at do not count any more.
INSERT INTO account (kind, realm_id, subject_id, password_hash, not_before)
VALUES ('tenant', :tenant_id, :user_id, :password_hash, :at)
ON CONFLICT (kind, realm_id, subject_id) DO UPDATE SET password_hash = :password_hash, not_before = :at
