-- name: definitions
-- A company's own schemas, in the order in which they came.
SELECT definition FROM company_schema WHERE company_id = :company_id ORDER BY created_at, id

-- name: insert_definition
INSERT INTO company_schema (company_id, id, definition, created_at) VALUES (:company_id, :id, :definition, :at)

-- name: delete_definition
DELETE FROM company_schema WHERE company_id = :company_id AND id = :id

-- name: resource_of_type
-- Whether there is a resource of this type.
SELECT id FROM resource WHERE company_id = :company_id AND type = :type LIMIT 1

-- name: resource_with
-- Whether a document mentions an extension. Looks through the type: only who removes a schema waits for it.
SELECT id FROM resource WHERE company_id = :company_id AND type = :type AND instr(document, :text) > 0 LIMIT 1

-- name: resource_with (postgresql)
SELECT id FROM resource WHERE company_id = :company_id AND type = :type AND strpos(document, :text) > 0 LIMIT 1

-- name: unique_group_names
-- Whether the company refuses a second group of the same name.
SELECT unique_group_names FROM company WHERE id = :company_id

-- name: set_unique_group_names
UPDATE company SET unique_group_names = :wanted WHERE id = :company_id

-- name: group_names_after
-- The next groups by id: their names are looked through when they are to be unique from now on.
SELECT id, display FROM resource WHERE company_id = :company_id AND type = 'Group' AND id > :after ORDER BY id LIMIT :count

-- name: set_unique_key
UPDATE resource SET unique_key = :unique_key WHERE company_id = :company_id AND type = 'Group' AND id = :id

-- name: forget_unique_keys
UPDATE resource SET unique_key = NULL WHERE company_id = :company_id AND type = 'Group'
