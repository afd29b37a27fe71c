-- Statements of applications/assignments/store.py. The names of deleted people and groups are not there: such assignments
-- are kept for their restoration, and not shown.

-- name: of_resource
-- A page of who is assigned to an application, by the assignment's id, which is in the order of time. The application
-- picks them, then they are sorted: an index in their order would tempt SQLite away from better ones elsewhere.
SELECT a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       COALESCE(u.display_name, g.display_name, p.display_name), a.app_role_id, a.created_at, r.display_name
FROM assignment a
LEFT JOIN directory_user u ON u.tenant_id = a.tenant_id AND u.id = a.principal_id AND u.deleted_at IS NULL
LEFT JOIN directory_group g ON g.tenant_id = a.tenant_id AND g.id = a.principal_id AND g.deleted_at IS NULL
LEFT JOIN service_principal p ON p.tenant_id = a.tenant_id AND p.id = a.principal_id
LEFT JOIN service_principal r ON r.tenant_id = a.tenant_id AND r.id = a.service_principal_id
WHERE a.service_principal_id = :id AND a.tenant_id || '' = :tenant_id AND a.id || '' > :after
  AND COALESCE(u.id, g.id, p.id) IS NOT NULL
ORDER BY a.id || '' LIMIT :limit

-- name: people
-- A page of the people and groups who are assigned to an application, in the order of the one index that has them: by who
-- they are, and then by role. :kind is User, Group or null. Another tenant's have no name here, and are not shown. What the
-- joins say of :principal follows from the rest, and lets PostgreSQL begin there on their side too.
SELECT a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       COALESCE(u.display_name, g.display_name), a.app_role_id, a.created_at
FROM assignment a
LEFT JOIN directory_user u ON u.tenant_id = :tenant_id AND u.id = a.principal_id AND u.id >= :principal
     AND u.deleted_at IS NULL
LEFT JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = a.principal_id AND g.id >= :principal
     AND g.deleted_at IS NULL
WHERE a.service_principal_id = :id AND (a.principal_id, a.app_role_id) > (:principal, :role)
  AND (CAST(:kind AS text) IS NULL OR a.principal_type = :kind)
  AND COALESCE(u.id, g.id) IS NOT NULL
ORDER BY a.principal_id, a.app_role_id LIMIT :limit

-- name: people_named
-- The same of those whose name is like :pattern. A query of its own: that everybody passes '%' PostgreSQL does not see.
SELECT a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       COALESCE(u.display_name, g.display_name), a.app_role_id, a.created_at
FROM assignment a
LEFT JOIN directory_user u ON u.tenant_id = :tenant_id AND u.id = a.principal_id AND u.id >= :principal
     AND u.deleted_at IS NULL
LEFT JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = a.principal_id AND g.id >= :principal
     AND g.deleted_at IS NULL
WHERE a.service_principal_id = :id AND (a.principal_id, a.app_role_id) > (:principal, :role)
  AND (CAST(:kind AS text) IS NULL OR a.principal_type = :kind)
  AND COALESCE(u.name_key, g.name_key) LIKE :pattern ESCAPE '!'
ORDER BY a.principal_id, a.app_role_id LIMIT :limit

-- name: how_many_people
-- How many they are; who has counted to :most does not count on.
SELECT count(*) FROM (
    SELECT 1 FROM assignment a
    LEFT JOIN directory_user u ON u.tenant_id = :tenant_id AND u.id = a.principal_id AND u.deleted_at IS NULL
    LEFT JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = a.principal_id AND g.deleted_at IS NULL
    WHERE a.service_principal_id = :id AND COALESCE(u.id, g.id) IS NOT NULL
    LIMIT :most
) AS found

-- name: of_principal
-- A page of what somebody is assigned to, which is little: found by the principal, then sorted. SQLite would rather walk
-- all of a tenant's assignments in the order of their ids.
SELECT a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       COALESCE(u.display_name, g.display_name, p.display_name), a.app_role_id, a.created_at, r.display_name
FROM assignment a
LEFT JOIN directory_user u ON u.tenant_id = a.tenant_id AND u.id = a.principal_id AND u.deleted_at IS NULL
LEFT JOIN directory_group g ON g.tenant_id = a.tenant_id AND g.id = a.principal_id AND g.deleted_at IS NULL
LEFT JOIN service_principal p ON p.tenant_id = a.tenant_id AND p.id = a.principal_id
LEFT JOIN service_principal r ON r.tenant_id = a.tenant_id AND r.id = a.service_principal_id
WHERE a.tenant_id = :tenant_id AND a.principal_id = :id AND a.id || '' > :after
  AND COALESCE(u.id, g.id, p.id) IS NOT NULL
ORDER BY a.id || '' LIMIT :limit

-- name: one
-- One assignment.
SELECT a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       COALESCE(u.display_name, g.display_name, p.display_name), a.app_role_id, a.created_at, r.display_name
FROM assignment a
LEFT JOIN directory_user u ON u.tenant_id = a.tenant_id AND u.id = a.principal_id AND u.deleted_at IS NULL
LEFT JOIN directory_group g ON g.tenant_id = a.tenant_id AND g.id = a.principal_id AND g.deleted_at IS NULL
LEFT JOIN service_principal p ON p.tenant_id = a.tenant_id AND p.id = a.principal_id
LEFT JOIN service_principal r ON r.tenant_id = a.tenant_id AND r.id = a.service_principal_id
WHERE a.tenant_id = :tenant_id AND a.id = :id AND COALESCE(u.id, g.id, p.id) IS NOT NULL

-- name: principal
-- What sort of thing has this id, and its name.
SELECT 'User', display_name FROM directory_user WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL
UNION ALL
SELECT 'Group', display_name FROM directory_group WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL
UNION ALL
SELECT 'ServicePrincipal', display_name FROM service_principal WHERE tenant_id = :tenant_id AND id = :id

-- name: insert
-- An application is assigned to another one: nobody is provisioned for that, so the feed has no entry.
INSERT INTO assignment
    (tenant_id, id, service_principal_id, principal_id, principal_type, app_role_id, created_at)
VALUES (:tenant_id, :id, :service_principal_id, :principal_id, :principal_type, :app_role_id, :created_at)

-- name: delete
-- It is not any more.
DELETE FROM assignment WHERE tenant_id = :tenant_id AND id = :id

-- name: roles_of
-- Hot: what an application was given of another one.
SELECT app_role_id FROM assignment
WHERE service_principal_id = :service_principal_id AND principal_id = :principal_id
