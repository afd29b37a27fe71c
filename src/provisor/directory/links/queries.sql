-- Owners of groups, and memberships through other groups. A link is seen while both of its ends live, as everywhere.

-- name: owners_of
-- The live owners of a group. Owners are users.
SELECT u.id
  FROM group_owner o
  JOIN directory_user u ON u.tenant_id = o.tenant_id AND u.id = o.owner_id AND u.deleted_at IS NULL
 WHERE o.tenant_id = :tenant_id AND o.group_id = :group_id
 ORDER BY u.id

-- name: owned_by
-- The live groups that somebody owns.
SELECT g.id
  FROM group_owner o
  JOIN directory_group g ON g.tenant_id = o.tenant_id AND g.id = o.group_id AND g.deleted_at IS NULL
 WHERE o.tenant_id = :tenant_id AND o.owner_id = :owner_id
 ORDER BY g.id

-- name: stored_owners
-- Which of these are owners of the group, deleted ones included.
SELECT owner_id FROM group_owner WHERE tenant_id = :tenant_id AND group_id = :group_id AND owner_id IN (:ids...)

-- name: insert_owner
INSERT INTO group_owner (tenant_id, group_id, owner_id) VALUES (:tenant_id, :group_id, :owner_id)

-- name: delete_owner
DELETE FROM group_owner WHERE tenant_id = :tenant_id AND group_id = :group_id AND owner_id = :owner_id

-- name: groups_above
-- The live groups that an object is in, directly or through live groups; circles end by themselves.
WITH RECURSIVE above (id) AS (
  SELECT gm.group_id
    FROM group_member gm
    JOIN directory_group g ON g.tenant_id = gm.tenant_id AND g.id = gm.group_id AND g.deleted_at IS NULL
   WHERE gm.tenant_id = :tenant_id AND gm.member_id = :member_id
  UNION
  SELECT gm.group_id
    FROM above
    JOIN group_member gm ON gm.tenant_id = :tenant_id AND gm.member_id = above.id
    JOIN directory_group g ON g.tenant_id = gm.tenant_id AND g.id = gm.group_id AND g.deleted_at IS NULL
)
SELECT id FROM above ORDER BY id

-- name: groups_below
-- The live groups inside a group at any depth, and the group itself.
WITH RECURSIVE below (id) AS (
  SELECT g.id FROM directory_group g WHERE g.tenant_id = :tenant_id AND g.id = :group_id AND g.deleted_at IS NULL
  UNION
  SELECT gm.member_id
    FROM below
    JOIN group_member gm ON gm.tenant_id = :tenant_id AND gm.group_id = below.id AND gm.member_type = 'Group'
    JOIN directory_group g ON g.tenant_id = gm.tenant_id AND g.id = gm.member_id AND g.deleted_at IS NULL
)
SELECT id FROM below

-- name: members_of_any
-- One page of the live members of these groups, each once.
SELECT DISTINCT gm.member_id, gm.member_type
  FROM group_member gm
  LEFT JOIN directory_user u ON u.tenant_id = gm.tenant_id AND u.id = gm.member_id AND u.deleted_at IS NULL
  LEFT JOIN directory_group g ON g.tenant_id = gm.tenant_id AND g.id = gm.member_id AND g.deleted_at IS NULL
 WHERE gm.tenant_id = :tenant_id AND gm.group_id IN (:ids...) AND gm.member_id > :after
   AND (u.id IS NOT NULL OR g.id IS NOT NULL)
 ORDER BY gm.member_id LIMIT :limit

-- name: security_groups
-- Which of these groups are security groups.
SELECT id FROM directory_group WHERE tenant_id = :tenant_id AND id IN (:ids...) AND security_enabled ORDER BY id
