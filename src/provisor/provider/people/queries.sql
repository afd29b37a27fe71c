-- name: people
-- A company's people, with the users that they are known to be.
SELECT id, email, is_admin, disabled_at, user_id FROM administrator WHERE company_id = :company_id ORDER BY id

-- name: lock_company
-- Makes two changes of one company's administrators wait for each other. SQLite has one writer anyway.
SELECT id FROM company WHERE id = :company_id

-- name: lock_company (postgresql)
SELECT id FROM company WHERE id = :company_id FOR UPDATE

-- name: set_person
UPDATE administrator SET user_id = :user_id, disabled_at = :disabled_at WHERE company_id = :company_id AND id = :id

-- name: live_keys
-- How many of a person's keys worked until now.
SELECT count(*) FROM api_key
WHERE company_id = :company_id AND administrator_id = :id AND revoked_at IS NULL AND expires_at > :at
