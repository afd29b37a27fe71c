-- name: first_lines
-- The list by name: the index is the order.
SELECT r.id, r.unique_key, r.display, r.document, r.created_at, r.modified_at, r.source, COALESCE(k.name, c.name)
FROM resource r
LEFT JOIN api_key k ON k.id = r.source
LEFT JOIN oauth_client c ON c.id = r.source
WHERE r.company_id = :company_id AND r.type = :type AND r.unique_key > :after
ORDER BY r.unique_key LIMIT :limit

-- name: search_name
-- Ids of what has a text in its unique name. Only the index is looked through.
SELECT id FROM resource
WHERE company_id = :company_id AND type = :type AND instr(unique_key, :text) > 0 LIMIT :limit

-- name: search_name (postgresql)
SELECT id FROM resource
WHERE company_id = :company_id AND type = :type AND strpos(unique_key, :text) > 0 LIMIT :limit

-- name: search_values
-- Ids of what has a text in one of its other names.
SELECT resource_id FROM resource_attr
WHERE company_id = :company_id AND type = :type AND path = :path AND instr(value, :text) > 0 LIMIT :limit

-- name: search_values (postgresql)
SELECT resource_id FROM resource_attr
WHERE company_id = :company_id AND type = :type AND path = :path AND strpos(value, :text) > 0 LIMIT :limit

-- name: lines_of
-- The same list for these ids.
SELECT r.id, COALESCE(r.unique_key, ''), r.display, r.document, r.created_at, r.modified_at, r.source,
       COALESCE(k.name, c.name)
FROM resource r
LEFT JOIN api_key k ON k.id = r.source
LEFT JOIN oauth_client c ON c.id = r.source
WHERE r.company_id = :company_id AND r.type = :type AND r.id IN (:ids...)

-- name: keys_of
-- Where each of these ids stands in the list.
SELECT COALESCE(unique_key, ''), id FROM resource
WHERE company_id = :company_id AND type = :type AND id IN (:ids...)

-- name: total
SELECT count(*) FROM resource WHERE company_id = :company_id AND type = :type

-- name: groups_of
-- The groups that somebody is directly in, by name. The cross join keeps SQLite from walking through all groups first.
SELECT g.id, g.display FROM resource_member m CROSS JOIN resource g
WHERE m.company_id = :company_id AND m.member_id = :id
  AND g.company_id = m.company_id AND g.type = 'Group' AND g.id = m.group_id
ORDER BY g.display, g.id LIMIT :limit

-- name: members
-- A page of a group's members, with their names.
SELECT m.member_type, m.member_id, COALESCE(r.display, r.unique_key) FROM resource_member m
LEFT JOIN resource r ON r.company_id = m.company_id AND r.type = m.member_type AND r.id = m.member_id
WHERE m.company_id = :company_id AND m.group_id = :id AND m.member_id > :after
ORDER BY m.member_id LIMIT :limit

-- name: member_total
SELECT count(*) FROM resource_member WHERE company_id = :company_id AND group_id = :id

-- name: member_totals
-- How many members each group of a page has.
SELECT group_id, count(*) FROM resource_member
WHERE company_id = :company_id AND group_id IN (:ids...) GROUP BY group_id

-- name: names_of
-- What these ids are called, whatever they are.
SELECT id, COALESCE(display, unique_key) FROM resource
WHERE company_id = :company_id AND type IN ('User', 'Group') AND id IN (:ids...)
