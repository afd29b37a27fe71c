-- Directory extensions.

-- name: insert_extension
INSERT INTO extension_property (tenant_id, id, app_id, name, name_key, data_type, is_multi_valued, target_objects,
                                created_at)
VALUES (:tenant_id, :id, :app_id, :name, :name_key, :data_type, :is_multi_valued, :target_objects, :created_at)

-- name: extensions
-- Every extension of a tenant.
SELECT id, tenant_id, app_id, name, data_type, is_multi_valued, target_objects, created_at
  FROM extension_property WHERE tenant_id = :tenant_id ORDER BY created_at, id

-- name: delete_extension
DELETE FROM extension_property WHERE tenant_id = :tenant_id AND id = :id
