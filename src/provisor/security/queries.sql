-- Statements of security/store.py.

-- name: insert_key_check
-- The first start's key wins: whoever comes later compares.
INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING

-- name: key_check
-- The check value of the master key.
SELECT value FROM setting WHERE name = :name
