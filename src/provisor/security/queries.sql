-- Statements of security/store.py.

-- name: insert_key_check
-- The first start's key wins: whoever comes later compares.
INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING

-- name: key_check
-- The check value of the master key.
SELECT value FROM setting WHERE name = :name

-- name: put_setting
-- A rotation puts its own in the place of what was there.
INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value
