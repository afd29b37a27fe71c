-- Lists for people to read, in the order of names. Marks are (name_key, id), or (deleted_at, id): the last row seen.

-- name: users_by_name_after
-- The next live users; :pattern is compared with both names, '%' lets everybody pass. :state: 1 enabled, 0 disabled,
-- null either.
SELECT u.id, u.name_key, m.id, u.document, u.version, u.created_at
  FROM directory_user u
  LEFT JOIN directory_user m ON m.tenant_id = u.tenant_id AND m.id = u.manager_id AND m.deleted_at IS NULL
 WHERE u.tenant_id = :tenant_id AND u.deleted_at IS NULL AND u.name_key >= :name
   AND (u.name_key > :name OR u.id > :after)
   AND (u.name_key LIKE :pattern ESCAPE '!' OR u.upn_key LIKE :pattern ESCAPE '!')
   AND (CAST(:state AS bigint) IS NULL OR u.account_enabled = (:state = 1))
 ORDER BY u.name_key, u.id LIMIT :limit

-- name: groups_by_name_after
-- The next live groups.
SELECT id, name_key, document, version, created_at FROM directory_group
 WHERE tenant_id = :tenant_id AND deleted_at IS NULL AND name_key >= :name AND (name_key > :name OR id > :after)
   AND name_key LIKE :pattern ESCAPE '!'
 ORDER BY name_key, id LIMIT :limit

-- name: deleted_users_before
-- The next deleted users, the latest first.
SELECT id, document, version, created_at, deleted_at FROM directory_user
 WHERE tenant_id = :tenant_id AND deleted_at IS NOT NULL AND deleted_at <= :at AND (deleted_at < :at OR id > :after)
 ORDER BY deleted_at DESC, id LIMIT :limit

-- name: deleted_groups_before
-- The next deleted groups, the latest first.
SELECT id, document, version, created_at, deleted_at FROM directory_group
 WHERE tenant_id = :tenant_id AND deleted_at IS NOT NULL AND deleted_at <= :at AND (deleted_at < :at OR id > :after)
 ORDER BY deleted_at DESC, id LIMIT :limit

-- name: how_many
-- Live and deleted users and groups. Memberships are left out: counting them reads them all.
SELECT (SELECT count(*) FROM directory_user WHERE tenant_id = :tenant_id AND deleted_at IS NULL),
       (SELECT count(*) FROM directory_group WHERE tenant_id = :tenant_id AND deleted_at IS NULL),
       (SELECT count(*) FROM directory_user WHERE tenant_id = :tenant_id AND deleted_at IS NOT NULL),
       (SELECT count(*) FROM directory_group WHERE tenant_id = :tenant_id AND deleted_at IS NOT NULL)
