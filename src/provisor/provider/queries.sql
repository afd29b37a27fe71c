-- name: insert_company
-- A new company; its name is unique.
INSERT INTO company (id, name, created_at) VALUES (:id, :name, :created_at)

-- name: companies
-- All companies, oldest first.
SELECT id, name, created_at, credential_rate, company_rate FROM company ORDER BY id

-- name: find_company
-- A company by its id or its name.
SELECT id, name, created_at, credential_rate, company_rate FROM company WHERE id = :ref OR name = :ref

-- name: set_limits
UPDATE company SET credential_rate = :credential, company_rate = :company WHERE id = :id

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

-- name: delete_company_service_accounts
DELETE FROM service_account WHERE company_id = :id

-- name: delete_company_oauth_secrets
DELETE FROM oauth_secret WHERE client_id IN (SELECT id FROM oauth_client WHERE company_id = :id)

-- name: delete_company_oauth_clients
DELETE FROM oauth_client WHERE company_id = :id

-- name: delete_company_requests
DELETE FROM scim_request WHERE company_id = :id

-- name: delete_company_webhooks
DELETE FROM webhook WHERE company_id = :id

-- name: delete_company_unique_values
DELETE FROM resource_unique WHERE company_id = :id

-- name: delete_company_secrets
DELETE FROM resource_secret WHERE company_id = :id

-- name: delete_company_custom_schemas
DELETE FROM company_schema WHERE company_id = :id

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
SELECT id, company_id, email, is_admin, created_at, disabled_at FROM administrator
WHERE company_id = :company_id ORDER BY id

-- name: set_admin
-- Whoever is made an administrator can act again, also when SCIM had them disabled.
UPDATE administrator SET is_admin = :is_admin, disabled_at = CASE WHEN :is_admin THEN NULL ELSE disabled_at END
WHERE company_id = :company_id AND id = :id

-- name: delete_administrator
DELETE FROM administrator WHERE company_id = :company_id AND id = :id

-- name: insert_service_account
-- Asking for one that is there already finds that one.
INSERT INTO service_account (company_id, id, name, created_at) VALUES (:company_id, :id, :name, :created_at)
ON CONFLICT (company_id, name) DO NOTHING

-- name: service_accounts
SELECT id, company_id, name, created_at FROM service_account WHERE company_id = :company_id ORDER BY id

-- name: delete_service_account
DELETE FROM service_account WHERE company_id = :company_id AND id = :id

-- name: insert_key
INSERT INTO api_key (id, company_id, administrator_id, service_account_id, name, mac, start, dialect, created_at,
                     expires_at)
VALUES (:id, :company_id, :administrator_id, :service_account_id, :name, :mac, :start, :dialect, :created_at,
        :expires_at)

-- name: keys
-- A company's keys with their owners, oldest first.
SELECT k.id, k.company_id, k.administrator_id, k.service_account_id, k.name, k.start, k.dialect, k.created_at,
       k.expires_at, k.revoked_at, k.last_used_at, a.email, a.is_admin, a.disabled_at, s.name
FROM api_key k
LEFT JOIN administrator a ON a.company_id = k.company_id AND a.id = k.administrator_id
LEFT JOIN service_account s ON s.company_id = k.company_id AND s.id = k.service_account_id
WHERE k.company_id = :company_id ORDER BY k.created_at, k.id

-- name: key_to_check
-- Everything that decides whether a key may be used now, in one look-up.
SELECT k.id, k.company_id, k.administrator_id, k.service_account_id, k.name, k.start, k.dialect, k.created_at,
       k.expires_at, k.revoked_at, k.last_used_at, a.email, a.is_admin, a.disabled_at, s.name,
       k.mac, c.credential_rate, c.company_rate
FROM api_key k
JOIN company c ON c.id = k.company_id
LEFT JOIN administrator a ON a.company_id = k.company_id AND a.id = k.administrator_id
LEFT JOIN service_account s ON s.company_id = k.company_id AND s.id = k.service_account_id
WHERE k.id = :id

-- name: revoke_key
-- A key stays revoked from the first time on.
UPDATE api_key SET revoked_at = COALESCE(revoked_at, :at) WHERE company_id = :company_id AND id = :id

-- name: touch_key
-- Processes note the last use each on its own; the latest stays.
UPDATE api_key SET last_used_at = :at WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at)
