-- name: insert_company
-- A new company; its name is unique.
INSERT INTO company (id, name, created_at) VALUES (:id, :name, :created_at)

-- name: companies
-- All companies, oldest first.
SELECT id, name, created_at FROM company ORDER BY id

-- name: find_company
-- A company by its id or its name.
SELECT id, name, created_at FROM company WHERE id = :ref OR name = :ref

-- name: lock_company
-- Makes two changes of one company's administrators wait for each other. SQLite has one writer anyway.
SELECT id FROM company WHERE id = :id

-- name: lock_company (postgresql)
SELECT id FROM company WHERE id = :id FOR UPDATE

-- name: delete_company
DELETE FROM company WHERE id = :id

-- name: delete_company_administrators
DELETE FROM administrator WHERE company_id = :id

-- name: delete_company_keys
DELETE FROM api_key WHERE company_id = :id

-- name: delete_company_resources
DELETE FROM resource WHERE company_id = :id

-- name: delete_company_attributes
DELETE FROM resource_attr WHERE company_id = :id

-- name: delete_company_members
DELETE FROM resource_member WHERE company_id = :id

-- name: delete_company_outbox
DELETE FROM outbox WHERE company_id = :id

-- name: delete_company_outbox_head
DELETE FROM outbox_head WHERE company_id = :id

-- name: insert_administrator
INSERT INTO administrator (company_id, id, email, is_admin, created_at)
VALUES (:company_id, :id, :email, :is_admin, :created_at)

-- name: administrators
-- A company's people, oldest first: the first administrator is the owner of keys that name nobody.
SELECT id, company_id, email, is_admin, created_at FROM administrator WHERE company_id = :company_id ORDER BY id

-- name: set_admin
UPDATE administrator SET is_admin = :is_admin WHERE company_id = :company_id AND id = :id

-- name: delete_administrator
DELETE FROM administrator WHERE company_id = :company_id AND id = :id

-- name: insert_key
INSERT INTO api_key (id, company_id, administrator_id, name, mac, start, dialect, created_at, expires_at)
VALUES (:id, :company_id, :administrator_id, :name, :mac, :start, :dialect, :created_at, :expires_at)

-- name: keys
-- A company's keys, oldest first.
SELECT id, company_id, administrator_id, name, start, dialect, created_at, expires_at, revoked_at, last_used_at
FROM api_key WHERE company_id = :company_id ORDER BY created_at, id

-- name: key_to_check
-- Everything that decides whether a key may be used now, in one look-up.
SELECT k.id, k.company_id, k.administrator_id, k.name, k.start, k.dialect, k.created_at, k.expires_at, k.revoked_at,
       k.last_used_at, k.mac, a.email, a.is_admin
FROM api_key k
LEFT JOIN administrator a ON a.company_id = k.company_id AND a.id = k.administrator_id
WHERE k.id = :id

-- name: revoke_key
-- A key stays revoked from the first time on.
UPDATE api_key SET revoked_at = COALESCE(revoked_at, :at) WHERE company_id = :company_id AND id = :id

-- name: touch_key
UPDATE api_key SET last_used_at = :at WHERE id = :id
