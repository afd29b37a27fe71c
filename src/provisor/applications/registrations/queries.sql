-- Statements of applications/registrations/store.py.

-- name: insert_application
-- A new registration.
INSERT INTO application
    (tenant_id, id, app_id, template_id, display_name, sign_in_audience, properties, created_at)
VALUES (:tenant_id, :id, :app_id, :template_id, :display_name, :sign_in_audience, :properties, :created_at)

-- name: insert_service_principal
-- A new instance.
INSERT INTO service_principal
    (tenant_id, id, app_id, template_id, display_name, created_at, owner_tenant_id, properties)
VALUES (:tenant_id, :id, :app_id, :template_id, :display_name, :created_at, :owner_tenant_id, :properties)

-- name: insert_app_role
-- A role of an instance.
INSERT INTO app_role (service_principal_id, id, value, display_name, enabled, description, member_types)
VALUES (:service_principal_id, :id, :value, :display_name, :enabled, :description, :member_types)

-- name: delete_app_roles
-- All roles of an instance, before others are written.
DELETE FROM app_role WHERE service_principal_id = :service_principal_id

-- name: applications
-- A tenant's registrations, by name.
SELECT id, tenant_id, app_id, template_id, display_name, sign_in_audience, created_at, properties
FROM application WHERE tenant_id = :tenant_id
ORDER BY display_name, id

-- name: applications_by_app_id
-- Registrations of any tenant: those that some instances are made of.
SELECT id, tenant_id, app_id, template_id, display_name, sign_in_audience, created_at, properties
FROM application WHERE app_id IN (:app_ids...)

-- name: application
-- One registration of a tenant, by its id.
SELECT id, tenant_id, app_id, template_id, display_name, sign_in_audience, created_at, properties
FROM application WHERE tenant_id = :tenant_id AND id = :id

-- name: lock_application
-- The same, held against other writers until the commit.
SELECT id, tenant_id, app_id, template_id, display_name, sign_in_audience, created_at, properties
FROM application WHERE tenant_id = :tenant_id AND id = :id

-- name: lock_application (postgresql)
SELECT id, tenant_id, app_id, template_id, display_name, sign_in_audience, created_at, properties
FROM application WHERE tenant_id = :tenant_id AND id = :id FOR UPDATE

-- name: update_application
-- Other properties.
UPDATE application SET display_name = :display_name, sign_in_audience = :sign_in_audience, properties = :properties
 WHERE tenant_id = :tenant_id AND id = :id

-- name: delete_application
-- A registration that is removed.
DELETE FROM application WHERE tenant_id = :tenant_id AND id = :id

-- name: service_principals
-- A tenant's instances, by name.
SELECT id, tenant_id, app_id, template_id, display_name, created_at, owner_tenant_id, properties
FROM service_principal WHERE tenant_id = :tenant_id
ORDER BY display_name, id

-- name: service_principal
-- One instance, by its id or its application's.
SELECT id, tenant_id, app_id, template_id, display_name, created_at, owner_tenant_id, properties
FROM service_principal WHERE tenant_id = :tenant_id AND (id = :ref OR app_id = :ref)

-- name: lock_service_principal
-- The same, held against other writers until the commit.
SELECT id, tenant_id, app_id, template_id, display_name, created_at, owner_tenant_id, properties
FROM service_principal WHERE tenant_id = :tenant_id AND (id = :ref OR app_id = :ref)

-- name: lock_service_principal (postgresql)
SELECT id, tenant_id, app_id, template_id, display_name, created_at, owner_tenant_id, properties
FROM service_principal WHERE tenant_id = :tenant_id AND (id = :ref OR app_id = :ref) FOR UPDATE

-- name: instances
-- Every tenant's instance of an application.
SELECT tenant_id, id FROM service_principal WHERE app_id = :app_id ORDER BY tenant_id

-- name: update_service_principal
-- Other properties.
UPDATE service_principal SET display_name = :display_name, properties = :properties
 WHERE tenant_id = :tenant_id AND id = :id

-- name: app_roles
-- The roles of some instances.
SELECT service_principal_id, id, value, display_name, enabled, description, member_types
FROM app_role WHERE service_principal_id IN (:service_principal_ids...)
ORDER BY display_name, id

-- name: assigned_roles
-- Who has roles that are about to go.
SELECT principal_id, principal_type FROM assignment
WHERE service_principal_id = :service_principal_id AND app_role_id IN (:role_ids...)

-- name: delete_assigned_roles
-- Their assignments.
DELETE FROM assignment WHERE service_principal_id = :service_principal_id AND app_role_id IN (:role_ids...)

-- name: owners
-- Who owns an object. People in the recycle bin are not shown.
SELECT o.owner_id, o.owner_type, COALESCE(u.display_name, s.display_name)
FROM application_owner o
LEFT JOIN directory_user u ON u.tenant_id = o.tenant_id AND u.id = o.owner_id AND u.deleted_at IS NULL
LEFT JOIN service_principal s ON s.tenant_id = o.tenant_id AND s.id = o.owner_id
WHERE o.tenant_id = :tenant_id AND o.object_id = :object_id AND COALESCE(u.id, s.id) IS NOT NULL
ORDER BY o.created_at, o.owner_id

-- name: owned
-- The objects that somebody owns.
SELECT object_id FROM application_owner WHERE tenant_id = :tenant_id AND owner_id = :owner_id

-- name: possible_owner
-- A user, or an instance, by its id.
SELECT 'User', display_name FROM directory_user WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL
UNION ALL
SELECT 'ServicePrincipal', display_name FROM service_principal WHERE tenant_id = :tenant_id AND id = :id

-- name: insert_owner
-- Somebody owns an object from now on.
INSERT INTO application_owner (tenant_id, object_id, owner_id, owner_type, created_at)
VALUES (:tenant_id, :object_id, :owner_id, :owner_type, :at)

-- name: delete_owner
-- Somebody owns an object no more.
DELETE FROM application_owner WHERE tenant_id = :tenant_id AND object_id = :object_id AND owner_id = :owner_id

-- name: forget_owners
-- An object that is removed has no owners, and owns nothing.
DELETE FROM application_owner WHERE tenant_id = :tenant_id AND (object_id = :id OR owner_id = :id)

-- name: forget_passwords
-- The secrets of an object that is removed.
DELETE FROM password_credential WHERE object_id = :id

-- name: forget_grants
-- What an instance that is removed was allowed, and what others were allowed to do with it.
DELETE FROM permission_grant WHERE tenant_id = :tenant_id AND (client_id = :id OR resource_id = :id)

-- name: forget_assignments
-- Whom an instance that is removed was assigned to, and what it was assigned to itself.
DELETE FROM assignment WHERE service_principal_id = :id OR (tenant_id = :tenant_id AND principal_id = :id)

-- name: forget_service_principal
-- An instance that is removed.
DELETE FROM service_principal WHERE tenant_id = :tenant_id AND id = :id

-- name: jobs_of
-- The jobs of an instance.
SELECT id FROM synchronization_job WHERE service_principal_id = :id ORDER BY id

-- name: delete_secrets
-- The credentials of a job that goes with its instance.
DELETE FROM job_secret WHERE job_id = :job_id

-- name: forget_waiting_secrets
-- The credentials that wait for a job of the instance: under the id that it would have.
DELETE FROM job_secret WHERE job_id IN
    (SELECT COALESCE(NULLIF(s.template_id, ''), 'scim') || '.' || REPLACE(s.tenant_id, '-', '') || '.' || s.app_id
       FROM service_principal s WHERE s.tenant_id = :tenant_id AND s.id = :id)

-- name: delete_schema_versions
-- Its schemas.
DELETE FROM schema_version WHERE job_id = :job_id

-- name: delete_job
-- The job itself.
DELETE FROM synchronization_job WHERE id = :job_id
