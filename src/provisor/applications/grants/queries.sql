-- Statements of applications/grants/store.py.

-- name: insert
-- Somebody consented. Whoever consents again adds to what there is.
INSERT INTO permission_grant (tenant_id, id, client_id, resource_id, principal_id, scope, created_at)
VALUES (:tenant_id, :id, :client_id, :resource_id, :principal_id, :scope, :created_at)

-- name: all
-- Every consent in a tenant.
SELECT id, client_id, resource_id, principal_id, scope, created_at
FROM permission_grant WHERE tenant_id = :tenant_id ORDER BY id

-- name: of_client
-- The consents that an application was given, by somebody and for everybody.
SELECT id, client_id, resource_id, principal_id, scope, created_at
FROM permission_grant
WHERE tenant_id = :tenant_id AND client_id = :client_id AND resource_id = :resource_id
  AND (principal_id = '' OR principal_id = :principal_id)

-- name: one
-- One consent.
SELECT id, client_id, resource_id, principal_id, scope, created_at
FROM permission_grant WHERE tenant_id = :tenant_id AND id = :id

-- name: lock
-- The consent of a client, a resource and a principal, held against other writers until the commit.
SELECT id, client_id, resource_id, principal_id, scope, created_at
FROM permission_grant
WHERE tenant_id = :tenant_id AND client_id = :client_id AND resource_id = :resource_id AND principal_id = :principal_id

-- name: lock (postgresql)
SELECT id, client_id, resource_id, principal_id, scope, created_at
FROM permission_grant
WHERE tenant_id = :tenant_id AND client_id = :client_id AND resource_id = :resource_id AND principal_id = :principal_id
FOR UPDATE

-- name: update
-- Other scopes.
UPDATE permission_grant SET scope = :scope WHERE tenant_id = :tenant_id AND id = :id

-- name: delete
-- A consent that is taken back.
DELETE FROM permission_grant WHERE tenant_id = :tenant_id AND id = :id

-- name: instance
-- Is there such a service principal?
SELECT id FROM service_principal WHERE tenant_id = :tenant_id AND id = :id

-- name: user
-- Is there such a person?
SELECT id FROM directory_user WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL
