-- name: people_of
-- Whose account elsewhere this is: people of companies, who signed in last first.
SELECT f.company_id, f.administrator_id
FROM federated_identity AS f
JOIN administrator AS p ON p.company_id = f.company_id AND p.id = f.administrator_id
LEFT JOIN account AS a ON a.kind = 'company' AND a.realm_id = f.company_id AND a.subject_id = f.administrator_id
WHERE f.issuer = :issuer AND f.directory_id = :directory_id AND f.object_id = :object_id
  AND p.disabled_at IS NULL
ORDER BY COALESCE(a.signed_in_at, 0) DESC, f.created_at DESC, f.company_id

-- name: bind
INSERT INTO federated_identity (issuer, directory_id, object_id, company_id, administrator_id, created_at)
VALUES (:issuer, :directory_id, :object_id, :company_id, :administrator_id, :created_at)
ON CONFLICT (issuer, directory_id, object_id, company_id) DO NOTHING

-- name: bound
SELECT administrator_id FROM federated_identity
WHERE issuer = :issuer AND directory_id = :directory_id AND object_id = :object_id AND company_id = :company_id
