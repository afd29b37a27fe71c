-- Every statement of the directory. Links (manager, member) are stored while either end is deleted, and are seen only
-- while their ends live: so a restored person is at once where it was before.

-- name: insert_tenant
INSERT INTO tenant (id, name, domain, created_at) VALUES (:id, :name, :domain, :created_at)

-- name: tenants
-- All tenants, the oldest first.
SELECT id, name, domain, created_at FROM tenant ORDER BY created_at, id

-- name: tenant
SELECT id, name, domain, created_at FROM tenant WHERE id = :tenant_id

-- name: insert_user
INSERT INTO directory_user (tenant_id, id, upn_key, display_name, name_key, account_enabled, manager_id, document,
                            version, created_at, updated_at, deleted_at, mail_key, nickname_key, employee_id_key,
                            department_key)
VALUES (:tenant_id, :id, :upn_key, :display_name, :name_key, :account_enabled, NULL, :document, 1, :at, :at, NULL,
        :mail_key, :nickname_key, :employee_id_key, :department_key)

-- name: save_user
-- Everything of a user that its document says, and whether it is deleted.
UPDATE directory_user
   SET upn_key = :upn_key, display_name = :display_name, name_key = :name_key, account_enabled = :account_enabled,
       document = :document, version = :version, updated_at = :at, deleted_at = :deleted_at, mail_key = :mail_key,
       nickname_key = :nickname_key, employee_id_key = :employee_id_key, department_key = :department_key
 WHERE tenant_id = :tenant_id AND id = :id

-- name: lock_users
-- Hold these users until the end of the unit, so that what was read of them stays true. SQLite has one writer anyway.
SELECT id FROM directory_user WHERE tenant_id = :tenant_id AND id IN (:ids...) ORDER BY id

-- name: lock_users (postgresql)
SELECT id FROM directory_user WHERE tenant_id = :tenant_id AND id IN (:ids...) ORDER BY id FOR UPDATE

-- name: users_by_id
-- Users with these ids, deleted ones included; the manager is hidden while it is deleted.
SELECT u.id, m.id, u.document, u.version, u.created_at, u.deleted_at
  FROM directory_user u
  LEFT JOIN directory_user m ON m.tenant_id = u.tenant_id AND m.id = u.manager_id AND m.deleted_at IS NULL
 WHERE u.tenant_id = :tenant_id AND u.id IN (:ids...)
 ORDER BY u.id

-- name: users_by_upn
-- Users whose name, lower-cased, is one of these; a deleted one is found by its prefixed name only.
SELECT u.id, m.id, u.document, u.version, u.created_at, u.deleted_at
  FROM directory_user u
  LEFT JOIN directory_user m ON m.tenant_id = u.tenant_id AND m.id = u.manager_id AND m.deleted_at IS NULL
 WHERE u.tenant_id = :tenant_id AND u.upn_key IN (:keys...)

-- name: users_by_name
-- Live users with this display name, whatever its case. Unordered: an ORDER BY id makes SQLite walk the whole tenant.
SELECT u.id, m.id, u.document, u.version, u.created_at, u.deleted_at
  FROM directory_user u
  LEFT JOIN directory_user m ON m.tenant_id = u.tenant_id AND m.id = u.manager_id AND m.deleted_at IS NULL
 WHERE u.tenant_id = :tenant_id AND u.name_key = :name_key AND u.deleted_at IS NULL
 LIMIT :limit

-- name: users_after
-- One page of all users by id, live and deleted.
SELECT u.id, m.id, u.document, u.version, u.created_at, u.deleted_at
  FROM directory_user u
  LEFT JOIN directory_user m ON m.tenant_id = u.tenant_id AND m.id = u.manager_id AND m.deleted_at IS NULL
 WHERE u.tenant_id = :tenant_id AND u.id > :after
 ORDER BY u.id LIMIT :limit

-- name: upn_holders
-- Who has one of these names (lower-cased).
SELECT upn_key, id FROM directory_user WHERE tenant_id = :tenant_id AND upn_key IN (:keys...)

-- name: set_manager
UPDATE directory_user SET manager_id = :manager_id, version = version + 1, updated_at = :at
 WHERE tenant_id = :tenant_id AND id = :id

-- name: touch_reports
-- The reports of a manager who disappears or comes back, deleted ones too: they look different now.
UPDATE directory_user SET version = version + 1, updated_at = :at
 WHERE tenant_id = :tenant_id AND manager_id = :manager_id

-- name: all_reports_of
-- The same reports.
SELECT id FROM directory_user WHERE tenant_id = :tenant_id AND manager_id = :manager_id ORDER BY id

-- name: forget_manager
-- The manager is purged: nobody's manager any more, the deleted reports' neither.
UPDATE directory_user SET manager_id = NULL WHERE tenant_id = :tenant_id AND manager_id = :manager_id

-- name: reports_of
-- The live reports of these managers.
SELECT manager_id, id FROM directory_user
 WHERE tenant_id = :tenant_id AND manager_id IN (:ids...) AND deleted_at IS NULL
 ORDER BY manager_id, id

-- name: delete_user_row
DELETE FROM directory_user WHERE tenant_id = :tenant_id AND id = :id

-- name: expired_users
-- Deleted users whose time to be restored is over.
SELECT id FROM directory_user
 WHERE tenant_id = :tenant_id AND deleted_at <= :before ORDER BY deleted_at LIMIT :limit

-- name: insert_group
INSERT INTO directory_group (tenant_id, id, display_name, name_key, security_enabled, document, version, created_at,
                             updated_at, deleted_at)
VALUES (:tenant_id, :id, :display_name, :name_key, :security_enabled, :document, 1, :at, :at, NULL)

-- name: save_group
UPDATE directory_group
   SET display_name = :display_name, name_key = :name_key, security_enabled = :security_enabled, document = :document,
       version = :version, updated_at = :at, deleted_at = :deleted_at
 WHERE tenant_id = :tenant_id AND id = :id

-- name: lock_groups
-- Hold these groups until the end of the unit: one unit at a time changes a group or its members.
SELECT id FROM directory_group WHERE tenant_id = :tenant_id AND id IN (:ids...) ORDER BY id

-- name: lock_groups (postgresql)
SELECT id FROM directory_group WHERE tenant_id = :tenant_id AND id IN (:ids...) ORDER BY id FOR UPDATE

-- name: groups_by_id
-- Groups with these ids, deleted ones included.
SELECT id, document, version, created_at, deleted_at FROM directory_group
 WHERE tenant_id = :tenant_id AND id IN (:ids...) ORDER BY id

-- name: groups_by_name
-- Live groups with this display name, whatever its case. Unordered, as users_by_name.
SELECT id, document, version, created_at, deleted_at FROM directory_group
 WHERE tenant_id = :tenant_id AND name_key = :name_key AND deleted_at IS NULL LIMIT :limit

-- name: groups_after
-- One page of all groups by id, live and deleted.
SELECT id, document, version, created_at, deleted_at FROM directory_group
 WHERE tenant_id = :tenant_id AND id > :after ORDER BY id LIMIT :limit

-- name: delete_group_row
DELETE FROM directory_group WHERE tenant_id = :tenant_id AND id = :id

-- name: expired_groups
SELECT id FROM directory_group
 WHERE tenant_id = :tenant_id AND deleted_at <= :before ORDER BY deleted_at LIMIT :limit

-- name: kinds_of
-- Which of these ids are live users, and which live groups.
SELECT id, 'User' FROM directory_user WHERE tenant_id = :tenant_id AND id IN (:ids...) AND deleted_at IS NULL
UNION ALL
SELECT id, 'Group' FROM directory_group WHERE tenant_id = :tenant_id AND id IN (:ids...) AND deleted_at IS NULL

-- name: insert_member
INSERT INTO group_member (tenant_id, group_id, member_id, member_type)
VALUES (:tenant_id, :group_id, :member_id, :member_type)

-- name: delete_member
DELETE FROM group_member WHERE tenant_id = :tenant_id AND group_id = :group_id AND member_id = :member_id

-- name: stored_members
-- Which of these are members of the group, hidden ones included.
SELECT member_id FROM group_member
 WHERE tenant_id = :tenant_id AND group_id = :group_id AND member_id IN (:ids...) ORDER BY member_id

-- name: members_after
-- One page of a group's members by id, without deleted ones.
SELECT gm.member_id, gm.member_type
  FROM group_member gm
  LEFT JOIN directory_user u ON u.tenant_id = gm.tenant_id AND u.id = gm.member_id AND u.deleted_at IS NULL
  LEFT JOIN directory_group g ON g.tenant_id = gm.tenant_id AND g.id = gm.member_id AND g.deleted_at IS NULL
 WHERE gm.tenant_id = :tenant_id AND gm.group_id = :group_id AND gm.member_id > :after
   AND (u.id IS NOT NULL OR g.id IS NOT NULL)
 ORDER BY gm.member_id LIMIT :limit

-- name: groups_of
-- The live groups that these live objects are direct members of.
SELECT gm.member_id, gm.group_id
  FROM group_member gm
  JOIN directory_group h ON h.tenant_id = gm.tenant_id AND h.id = gm.group_id AND h.deleted_at IS NULL
  LEFT JOIN directory_user u ON u.tenant_id = gm.tenant_id AND u.id = gm.member_id AND u.deleted_at IS NULL
  LEFT JOIN directory_group g ON g.tenant_id = gm.tenant_id AND g.id = gm.member_id AND g.deleted_at IS NULL
 WHERE gm.tenant_id = :tenant_id AND gm.member_id IN (:ids...) AND (u.id IS NOT NULL OR g.id IS NOT NULL)
 ORDER BY gm.member_id, gm.group_id

-- name: groups_holding
-- The live groups in which this object is stored as a member, whether it lives or not.
SELECT gm.group_id
  FROM group_member gm
  JOIN directory_group h ON h.tenant_id = gm.tenant_id AND h.id = gm.group_id AND h.deleted_at IS NULL
 WHERE gm.tenant_id = :tenant_id AND gm.member_id = :member_id
 ORDER BY gm.group_id

-- name: forget_member
-- The member is purged: out of every group, the deleted ones too.
DELETE FROM group_member WHERE tenant_id = :tenant_id AND member_id = :member_id

-- name: forget_group
-- The group is purged: its memberships go with it.
DELETE FROM group_member WHERE tenant_id = :tenant_id AND group_id = :group_id

-- name: forget_owner
-- The owner is purged: of every group.
DELETE FROM group_owner WHERE tenant_id = :tenant_id AND owner_id = :owner_id

-- name: forget_owned
-- The group is purged: nobody owns it any more.
DELETE FROM group_owner WHERE tenant_id = :tenant_id AND group_id = :group_id

-- name: count_users
SELECT count(*) FROM directory_user WHERE tenant_id = :tenant_id AND deleted_at IS NULL

-- name: count_groups
SELECT count(*) FROM directory_group WHERE tenant_id = :tenant_id AND deleted_at IS NULL

-- name: count_memberships
-- Memberships both of whose ends live.
SELECT count(*)
  FROM group_member gm
  JOIN directory_group h ON h.tenant_id = gm.tenant_id AND h.id = gm.group_id AND h.deleted_at IS NULL
  LEFT JOIN directory_user u ON u.tenant_id = gm.tenant_id AND u.id = gm.member_id AND u.deleted_at IS NULL
  LEFT JOIN directory_group g ON g.tenant_id = gm.tenant_id AND g.id = gm.member_id AND g.deleted_at IS NULL
 WHERE gm.tenant_id = :tenant_id AND (u.id IS NOT NULL OR g.id IS NOT NULL)
