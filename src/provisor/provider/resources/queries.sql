-- name: insert_resource
-- A new user or group. The unique index on unique_key answers for userName and displayName.
INSERT INTO resource (company_id, type, id, unique_key, display, document, version, created_at, modified_at, source)
VALUES (:company_id, :type, :id, :unique_key, :display, :document, 1, :at, :at, :source)

-- name: insert_attributes
-- :rows is a JSON array of pairs [path, value]: one statement, however many there are.
INSERT INTO resource_attr (company_id, type, path, value, resource_id)
SELECT :company_id, :type, json_extract(value, '$[0]'), json_extract(value, '$[1]'), :id FROM json_each(:rows)
WHERE TRUE ON CONFLICT DO NOTHING

-- name: insert_attributes (postgresql)
INSERT INTO resource_attr (company_id, type, path, value, resource_id)
SELECT CAST(:company_id AS text), CAST(:type AS text), pair ->> 0, pair ->> 1, CAST(:id AS text)
FROM json_array_elements(CAST(:rows AS json)) AS pair ON CONFLICT DO NOTHING

-- name: delete_attribute
DELETE FROM resource_attr
WHERE company_id = :company_id AND type = :type AND path = :path AND value = :value AND resource_id = :id

-- name: read_resource
-- One resource by its id: the read that every GET makes.
SELECT type, id, document, version, created_at, modified_at FROM resource
WHERE company_id = :company_id AND type = :type AND id = :id

-- name: lock_resource
-- The same, held against other changes of its document until the commit. SQLite has one writer anyway.
SELECT type, id, document, version, created_at, modified_at FROM resource
WHERE company_id = :company_id AND type = :type AND id = :id

-- name: lock_resource (postgresql)
SELECT type, id, document, version, created_at, modified_at FROM resource
WHERE company_id = :company_id AND type = :type AND id = :id FOR UPDATE

-- name: update_resource
UPDATE resource
SET document = :document, unique_key = :unique_key, display = :display, version = version + 1, modified_at = :at
WHERE company_id = :company_id AND type = :type AND id = :id

-- name: touch_resource
-- A change of members is a change of the group, but not of its document.
UPDATE resource SET version = version + 1, modified_at = :at
WHERE company_id = :company_id AND type = :type AND id = :id
RETURNING type, id, document, version, created_at, modified_at

-- name: insert_unique
-- A value that no other resource of the type may have: the key says so.
INSERT INTO resource_unique (company_id, type, path, value, resource_id) VALUES (:company_id, :type, :path, :value, :id)

-- name: delete_unique_value
DELETE FROM resource_unique WHERE company_id = :company_id AND type = :type AND path = :path AND value = :value

-- name: delete_unique
DELETE FROM resource_unique WHERE company_id = :company_id AND resource_id = :id

-- name: insert_secret
-- The hash of a value that may be written and never read.
INSERT INTO resource_secret (company_id, resource_id, path, hash, changed_at)
VALUES (:company_id, :id, :path, :hash, :at)

-- name: secret
SELECT hash FROM resource_secret WHERE company_id = :company_id AND resource_id = :id AND path = :path

-- name: delete_secret
DELETE FROM resource_secret WHERE company_id = :company_id AND resource_id = :id AND path = :path

-- name: delete_secrets
DELETE FROM resource_secret WHERE company_id = :company_id AND resource_id = :id

-- name: delete_resource
DELETE FROM resource WHERE company_id = :company_id AND type = :type AND id = :id

-- name: delete_attributes
DELETE FROM resource_attr WHERE company_id = :company_id AND resource_id = :id

-- name: members_found
-- Which of these ids exist, and of what type each is.
SELECT id, type FROM resource WHERE company_id = :company_id AND type IN ('User', 'Group') AND id IN (:ids...)

-- name: members_found (postgresql)
-- Held, so that nobody is deleted between this look and the commit of the membership.
SELECT id, type FROM resource WHERE company_id = :company_id AND type IN ('User', 'Group') AND id IN (:ids...)
ORDER BY id FOR KEY SHARE

-- name: insert_member
-- Adding somebody who is in already changes nothing.
INSERT INTO resource_member (company_id, group_id, member_id, member_type)
VALUES (:company_id, :group_id, :member_id, :member_type) ON CONFLICT DO NOTHING

-- name: insert_found_member
-- The same for one member, if it exists: one statement for the commonest request of all.
INSERT INTO resource_member (company_id, group_id, member_id, member_type)
SELECT company_id, :group_id, id, type FROM resource
WHERE company_id = :company_id AND type IN ('User', 'Group') AND id = :member_id
ON CONFLICT DO NOTHING

-- name: insert_found_member (postgresql)
-- The row is held, as in members_found.
INSERT INTO resource_member (company_id, group_id, member_id, member_type)
SELECT company_id, CAST(:group_id AS text), id, type FROM resource
WHERE company_id = :company_id AND type IN ('User', 'Group') AND id = :member_id FOR KEY SHARE
ON CONFLICT DO NOTHING

-- name: join_one
-- PostgreSQL, the commonest request of all in one round trip: one member joins, the group's version rises, and the outbox
-- learns of it. How many joined, and the group as it is then.
WITH found AS (
    SELECT id, type FROM resource
    WHERE company_id = :company_id AND type IN ('User', 'Group') AND id = :member_id FOR KEY SHARE
), held AS (
    -- After the member, as whoever deletes a user goes; before the membership, so that there is none of a group that is gone.
    SELECT id FROM resource WHERE company_id = :company_id AND type = 'Group' AND id = :group_id
    AND EXISTS (SELECT 1 FROM found) FOR NO KEY UPDATE
), joined AS (
    INSERT INTO resource_member (company_id, group_id, member_id, member_type)
    SELECT CAST(:company_id AS text), held.id, found.id, found.type FROM found CROSS JOIN held
    ON CONFLICT DO NOTHING RETURNING member_id
), touched AS (
    UPDATE resource SET version = version + 1, modified_at = :at
    WHERE company_id = :company_id AND type = 'Group' AND id = :group_id AND EXISTS (SELECT 1 FROM joined)
    RETURNING type, id, document, version, created_at, modified_at
), numbered AS (
    INSERT INTO outbox_head (company_id, seq) SELECT CAST(:company_id AS text), 1 FROM touched
    ON CONFLICT (company_id) DO UPDATE SET seq = outbox_head.seq + excluded.seq RETURNING seq
), noted AS (
    INSERT INTO outbox (company_id, seq, resource_type, resource_id, change, at)
    SELECT CAST(:company_id AS text), seq, 'Group', CAST(:group_id AS text), 'updated', CAST(:at AS bigint)
    FROM numbered
)
SELECT (SELECT count(*) FROM joined), t.* FROM (SELECT 1) AS one LEFT JOIN touched AS t ON TRUE

-- name: leave_one
-- The same for one member who leaves.
WITH gone AS (
    DELETE FROM resource_member WHERE company_id = :company_id AND group_id = :group_id AND member_id = :member_id
    RETURNING member_id
), touched AS (
    UPDATE resource SET version = version + 1, modified_at = :at
    WHERE company_id = :company_id AND type = 'Group' AND id = :group_id AND EXISTS (SELECT 1 FROM gone)
    RETURNING type, id, document, version, created_at, modified_at
), numbered AS (
    INSERT INTO outbox_head (company_id, seq) SELECT CAST(:company_id AS text), 1 FROM touched
    ON CONFLICT (company_id) DO UPDATE SET seq = outbox_head.seq + excluded.seq RETURNING seq
), noted AS (
    INSERT INTO outbox (company_id, seq, resource_type, resource_id, change, at)
    SELECT CAST(:company_id AS text), seq, 'Group', CAST(:group_id AS text), 'updated', CAST(:at AS bigint)
    FROM numbered
)
SELECT (SELECT count(*) FROM gone), t.* FROM (SELECT 1) AS one LEFT JOIN touched AS t ON TRUE

-- name: delete_member
DELETE FROM resource_member WHERE company_id = :company_id AND group_id = :group_id AND member_id = :member_id

-- name: delete_all_members
DELETE FROM resource_member WHERE company_id = :company_id AND group_id = :group_id

-- name: members
-- The members of one group.
SELECT member_id, member_type FROM resource_member WHERE company_id = :company_id AND group_id = :group_id
ORDER BY member_id

-- name: few_members
-- The same of a small group, a row for each type, its ids in one text: a row for each member cost more than all the rest
-- of a PATCH. Of a group with more than :most members, a single row of nulls. The inner limit keeps it from walking
-- through all of a large group only to find that condition false at each row.
WITH beyond AS (
    SELECT 1 AS one FROM resource_member WHERE company_id = :company_id AND group_id = :group_id LIMIT 1 OFFSET :most
)
SELECT NULL, NULL FROM beyond
UNION ALL
SELECT member_type, group_concat(member_id, ',') FROM (
    SELECT member_id, member_type FROM resource_member
    WHERE company_id = :company_id AND group_id = :group_id LIMIT :most
) AS few WHERE NOT EXISTS (SELECT one FROM beyond) GROUP BY member_type

-- name: few_members (postgresql)
WITH beyond AS (
    SELECT 1 AS one FROM resource_member WHERE company_id = :company_id AND group_id = :group_id LIMIT 1 OFFSET :most
)
SELECT NULL, NULL FROM beyond
UNION ALL
SELECT member_type, string_agg(member_id, ',') FROM (
    SELECT member_id, member_type FROM resource_member
    WHERE company_id = :company_id AND group_id = :group_id LIMIT :most
) AS few WHERE NOT EXISTS (SELECT one FROM beyond) GROUP BY member_type

-- name: members_of_many
-- The members of a page of groups.
SELECT group_id, member_id, member_type FROM resource_member
WHERE company_id = :company_id AND group_id IN (:ids...) ORDER BY group_id, member_id

-- name: groups_of
-- The groups that somebody is directly in, for the derived attribute "groups".
SELECT m.group_id, g.display FROM resource_member m
JOIN resource g ON g.company_id = m.company_id AND g.type = 'Group' AND g.id = m.group_id
WHERE m.company_id = :company_id AND m.member_id = :id ORDER BY m.group_id

-- name: groups_of_many
-- The same for a page of users.
SELECT m.member_id, m.group_id, g.display FROM resource_member m
JOIN resource g ON g.company_id = m.company_id AND g.type = 'Group' AND g.id = m.group_id
WHERE m.company_id = :company_id AND m.member_id IN (:ids...) ORDER BY m.member_id, m.group_id

-- name: group_ids_of
-- The groups that a leaver leaves.
SELECT group_id FROM resource_member WHERE company_id = :company_id AND member_id = :id ORDER BY group_id

-- name: delete_memberships
DELETE FROM resource_member WHERE company_id = :company_id AND member_id = :id

-- name: holders_of
-- Resources whose indexed attribute has this value: the reports of a manager.
SELECT resource_id FROM resource_attr
WHERE company_id = :company_id AND type = :type AND path = :path AND value = :value ORDER BY resource_id

-- name: page_after
-- A page by key: as cheap deep in the list as at its beginning.
SELECT type, id, document, version, created_at, modified_at FROM resource
WHERE company_id = :company_id AND type = :type AND id > :after ORDER BY id LIMIT :count

-- name: id_at
-- The id before a position in the list, counted off from the last one that is known.
SELECT id FROM resource WHERE company_id = :company_id AND type = :type AND id > :after
ORDER BY id LIMIT 1 OFFSET :skip

-- name: total
SELECT count(*) FROM resource WHERE company_id = :company_id AND type = :type

-- name: counts
-- What a status page says of a company.
SELECT (SELECT count(*) FROM resource WHERE company_id = :company_id AND type = 'User'),
       (SELECT count(*) FROM resource WHERE company_id = :company_id AND type = 'Group'),
       (SELECT count(*) FROM resource_member WHERE company_id = :company_id)

-- name: data_version
-- Every change of a company's resources raises it: while it stays, so do their numbers.
SELECT seq FROM outbox_head WHERE company_id = :company_id
