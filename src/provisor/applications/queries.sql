-- Statements of applications/store.py.

-- name: lock_tenant
-- Is there such a tenant? Held against others who add an app to it.
SELECT id FROM tenant WHERE id = :tenant_id

-- name: lock_tenant (postgresql)
SELECT id FROM tenant WHERE id = :tenant_id FOR NO KEY UPDATE

-- name: named
-- Is there an enterprise application of this name?
SELECT id FROM service_principal WHERE tenant_id = :tenant_id AND display_name = :display_name

-- name: insert_job
-- A new job.
INSERT INTO synchronization_job
    (id, tenant_id, service_principal_id, template_id, created_at, schema, schema_version, settings)
VALUES (:id, :tenant_id, :service_principal_id, :template_id, :created_at, :schema, 1, :settings)

-- name: job_of
-- The job of an application.
SELECT id FROM synchronization_job WHERE service_principal_id = :service_principal_id

-- name: job_ids
-- Which enterprise applications of a tenant have a job.
SELECT service_principal_id, id FROM synchronization_job WHERE tenant_id = :tenant_id

-- name: jobs
-- The jobs of a tenant, or of all tenants when :tenant_id is null; the schema's text is read apart, when it is needed.
SELECT j.id, j.tenant_id, j.service_principal_id, j.template_id, sp.display_name, j.created_at, j.schema_version,
    j.scope_version, j.settings
FROM synchronization_job j JOIN service_principal sp ON sp.tenant_id = j.tenant_id AND sp.id = j.service_principal_id
WHERE CAST(:tenant_id AS text) IS NULL OR j.tenant_id = :tenant_id
ORDER BY j.created_at, j.id

-- name: job
-- One job.
SELECT j.id, j.tenant_id, j.service_principal_id, j.template_id, sp.display_name, j.created_at, j.schema_version,
    j.scope_version, j.settings
FROM synchronization_job j JOIN service_principal sp ON sp.tenant_id = j.tenant_id AND sp.id = j.service_principal_id
WHERE j.id = :job_id

-- name: schema
-- A job's synchronization schema and its version.
SELECT schema, schema_version FROM synchronization_job WHERE id = :job_id

-- name: update_schema
-- Another schema: the version asks for a new initial cycle. :expected: only in the place of that version, null of any.
UPDATE synchronization_job SET schema = :schema, schema_version = schema_version + 1
 WHERE id = :job_id AND (CAST(:expected AS bigint) IS NULL OR schema_version = :expected)

-- name: keep_schema
-- Keep the job's schema, as it has just become, as a version of its own.
INSERT INTO schema_version (job_id, version, schema, actor, created_at)
SELECT id, schema_version, schema, :actor, :at FROM synchronization_job WHERE id = :job_id

-- name: schema_versions
-- What a job's versions are, the newest first, without the documents.
SELECT version, actor, created_at FROM schema_version WHERE job_id = :job_id ORDER BY version DESC

-- name: schema_version
-- One version's document.
SELECT schema FROM schema_version WHERE job_id = :job_id AND version = :version

-- name: delete_schema_versions
-- The versions of a job that is removed.
DELETE FROM schema_version WHERE job_id = :job_id

-- name: lock_job
-- A job's settings, held against other writers until the commit.
SELECT settings FROM synchronization_job WHERE id = :job_id

-- name: lock_job (postgresql)
SELECT settings FROM synchronization_job WHERE id = :job_id FOR UPDATE

-- name: update_settings
-- Other settings; :scope is 1 where they change who is in scope.
UPDATE synchronization_job SET settings = :settings, scope_version = scope_version + :scope WHERE id = :job_id

-- name: secrets
-- All sealed credentials of a job.
SELECT key, sealed FROM job_secret WHERE job_id = :job_id

-- name: put_secret
-- Store a sealed credential, in the place of the one that was there.
INSERT INTO job_secret (job_id, key, sealed, updated_at) VALUES (:job_id, :key, :sealed, :updated_at)
ON CONFLICT (job_id, key) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at

-- name: delete_secret
-- Forget one credential.
DELETE FROM job_secret WHERE job_id = :job_id AND key = :key

-- name: delete_secrets
-- Forget all credentials of a job that is removed.
DELETE FROM job_secret WHERE job_id = :job_id

-- name: delete_job
-- A job that is removed.
DELETE FROM synchronization_job WHERE id = :job_id

-- name: assignable_user
-- A user who can be assigned: one who is not in the recycle bin.
SELECT display_name FROM directory_user WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL

-- name: assignable_group
-- A group that is not in the recycle bin, and whether it is a security group.
SELECT display_name, security_enabled FROM directory_group
WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL

-- name: app_role
-- One role of an application: its name and whether it can be used.
SELECT display_name, enabled FROM app_role WHERE service_principal_id = :service_principal_id AND id = :id

-- name: service_principal
-- One enterprise application.
SELECT display_name FROM service_principal WHERE tenant_id = :tenant_id AND id = :id

-- name: insert_assignment
-- A new assignment.
INSERT INTO assignment
    (tenant_id, id, service_principal_id, principal_id, principal_type, app_role_id, created_at)
VALUES (:tenant_id, :id, :service_principal_id, :principal_id, :principal_type, :app_role_id, :created_at)

-- name: delete_assignment
-- One principal's assignments: of one role, or all of them when :app_role_id is null.
DELETE FROM assignment
WHERE service_principal_id = :service_principal_id AND principal_id = :principal_id
  AND (CAST(:app_role_id AS text) IS NULL OR app_role_id = :app_role_id)

-- name: assignments_of
-- What delete_assignment is about to remove, for the audit log; the name is empty of who is gone.
SELECT a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       COALESCE(u.display_name, g.display_name, ''), a.app_role_id, a.created_at
FROM assignment a
LEFT JOIN directory_user u ON u.tenant_id = a.tenant_id AND u.id = a.principal_id
LEFT JOIN directory_group g ON g.tenant_id = a.tenant_id AND g.id = a.principal_id
WHERE a.service_principal_id = :service_principal_id AND a.principal_id = :principal_id
  AND (CAST(:app_role_id AS text) IS NULL OR a.app_role_id = :app_role_id)

-- name: assignments
-- An application's assignments. Those of deleted users and groups are kept for their restoration and not shown.
SELECT a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       COALESCE(u.display_name, g.display_name), a.app_role_id, a.created_at
FROM assignment a
LEFT JOIN directory_user u ON u.tenant_id = a.tenant_id AND u.id = a.principal_id AND u.deleted_at IS NULL
LEFT JOIN directory_group g ON g.tenant_id = a.tenant_id AND g.id = a.principal_id AND g.deleted_at IS NULL
WHERE a.service_principal_id = :service_principal_id AND COALESCE(u.id, g.id) IS NOT NULL
ORDER BY a.created_at, a.id

-- name: entitled
-- Hot: what entitles each of a batch of users, directly or as direct member of an assigned group. The application alone
-- picks the assignments (its id is unique), so that (application, principal) is the only fitting index.
SELECT a.principal_id, a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       u.display_name, a.app_role_id, a.created_at
FROM assignment a
JOIN directory_user u ON u.tenant_id = :tenant_id AND u.id = a.principal_id
WHERE a.service_principal_id = :service_principal_id AND a.principal_type = 'User' AND a.principal_id IN (:user_ids...)
UNION ALL
SELECT m.member_id, a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       g.display_name, a.app_role_id, a.created_at
FROM group_member m
JOIN assignment a ON a.service_principal_id = :service_principal_id AND a.principal_id = m.group_id
JOIN directory_group g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
WHERE m.tenant_id = :tenant_id AND m.member_id IN (:user_ids...) AND m.member_type = 'User'
  AND a.principal_type = 'Group' AND g.deleted_at IS NULL AND g.security_enabled

-- name: entitled_nested
-- The same where groups inside assigned groups count as well: up from each user through all live groups that hold it.
-- UNION, not UNION ALL, so that groups which contain each other end.
WITH RECURSIVE above (user_id, group_id) AS (
    SELECT m.member_id, m.group_id
    FROM group_member m JOIN directory_group g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
    WHERE m.tenant_id = :tenant_id AND m.member_id IN (:user_ids...) AND m.member_type = 'User' AND g.deleted_at IS NULL
    UNION
    SELECT i.user_id, m.group_id
    FROM above i
    JOIN group_member m ON m.tenant_id = :tenant_id AND m.member_id = i.group_id AND m.member_type = 'Group'
    JOIN directory_group g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL
)
SELECT a.principal_id, a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       u.display_name, a.app_role_id, a.created_at
FROM assignment a
JOIN directory_user u ON u.tenant_id = :tenant_id AND u.id = a.principal_id
WHERE a.service_principal_id = :service_principal_id AND a.principal_type = 'User' AND a.principal_id IN (:user_ids...)
UNION ALL
SELECT i.user_id, a.id, a.tenant_id, a.service_principal_id, a.principal_id, a.principal_type,
       g.display_name, a.app_role_id, a.created_at
FROM above i
JOIN assignment a ON a.service_principal_id = :service_principal_id AND a.principal_id = i.group_id
JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = i.group_id AND g.security_enabled
WHERE a.principal_type = 'Group'

-- name: assigned_groups
-- Hot: which of a batch of groups are assigned themselves. A group inside an assigned group is not.
SELECT DISTINCT a.principal_id
FROM assignment a
JOIN directory_group g ON g.tenant_id = :tenant_id AND g.id = a.principal_id
WHERE a.service_principal_id = :service_principal_id AND a.principal_type = 'Group'
  AND a.principal_id IN (:group_ids...) AND g.deleted_at IS NULL AND g.security_enabled

-- name: members_of_assigned
-- A page of the users whom a change of a group's assignment concerns: its direct members, whether it is assigned or not.
SELECT member_id FROM group_member
WHERE tenant_id = :tenant_id AND group_id = :group_id AND member_id > :after_id AND member_type = 'User'
ORDER BY member_id LIMIT :limit
