-- The directory's change feed and the companies' outbox.
--
-- A sequence number that is taken before its commit lets a reader pass it by. Here the row of `*_head` is locked from the
-- taking of the numbers until the commit, so that numbers become visible in their order and without gaps.

-- name: take_feed_numbers
-- The last of :count new numbers of a tenant; waits for whoever holds the tenant's row.
INSERT INTO feed_head (tenant_id, seq) VALUES (:tenant_id, :count)
ON CONFLICT (tenant_id) DO UPDATE SET seq = feed_head.seq + excluded.seq
RETURNING seq;

-- name: feed_head
-- The last number that a tenant's feed has given out.
SELECT seq FROM feed_head WHERE tenant_id = :tenant_id;

-- name: feed_span
-- From where to where a tenant's feed can be read; none before its first change.
SELECT COALESCE(f.seq, 0), h.seq FROM feed_head h LEFT JOIN feed_floor f ON f.tenant_id = h.tenant_id
WHERE h.tenant_id = :tenant_id

-- name: append_feed
INSERT INTO feed (tenant_id, seq, object_type, object_id, related_id, change, actor, at, correlation_id)
VALUES (:tenant_id, :seq, :object_type, :object_id, :related_id, :change, :actor, :at, :correlation_id);

-- name: read_feed
-- A page of a tenant's feed, oldest first.
SELECT seq, object_type, object_id, related_id, change, actor, at, correlation_id
FROM feed
WHERE tenant_id = :tenant_id AND seq > :after
ORDER BY seq
LIMIT :limit;

-- name: take_outbox_numbers
-- The last of :count new numbers of a company; waits for whoever holds the company's row.
INSERT INTO outbox_head (company_id, seq) VALUES (:company_id, :count)
ON CONFLICT (company_id) DO UPDATE SET seq = outbox_head.seq + excluded.seq
RETURNING seq;

-- name: append_outbox_one
-- One change with its number, in one round trip; SQLite, where there are none to save, takes the two statements.
WITH numbered AS (
    INSERT INTO outbox_head (company_id, seq) VALUES (:company_id, 1)
    ON CONFLICT (company_id) DO UPDATE SET seq = outbox_head.seq + excluded.seq RETURNING seq
), noted AS (
    INSERT INTO outbox (company_id, seq, resource_type, resource_id, change, at)
    SELECT :company_id, seq, CAST(:resource_type AS text), CAST(:resource_id AS text), CAST(:change AS text),
           CAST(:at AS bigint)
    FROM numbered
)
SELECT seq FROM numbered;

-- name: outbox_head
-- The last number that a company's outbox has given out.
SELECT seq FROM outbox_head WHERE company_id = :company_id;

-- name: outbox_span
-- From where to where a company's outbox can be read; none before its first change. Numbers have no gaps.
SELECT COALESCE((SELECT MIN(o.seq) - 1 FROM outbox o WHERE o.company_id = h.company_id), h.seq), h.seq
FROM outbox_head h WHERE h.company_id = :company_id;

-- name: append_outbox
INSERT INTO outbox (company_id, seq, resource_type, resource_id, change, at)
VALUES (:company_id, :seq, :resource_type, :resource_id, :change, :at);

-- name: read_outbox
-- A page of a company's outbox, oldest first.
SELECT seq, resource_type, resource_id, change, at
FROM outbox
WHERE company_id = :company_id AND seq > :after
ORDER BY seq
LIMIT :limit;
