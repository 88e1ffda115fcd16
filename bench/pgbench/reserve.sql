\set location random(1, :locations)
\set sku random(1, :skus)
SELECT id, name, scopes, channels, locations FROM api_client WHERE key_hash = :key_hash AND revoked_at IS NULL;
\startpipeline
BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('bench/' || :client_id || :sku || :location, 0)), clock_timestamp();
SELECT fingerprint, status, reply FROM idempotency_reply WHERE client_id = :client AND key = 'x';
\endpipeline
\startpipeline
SAVEPOINT body;
SELECT safety_stock FROM location WHERE code = 'L' || :location;
SELECT location_id, sku, share, safety, buffer FROM stock_policy WHERE channel = 'ec' AND (sku = '' OR sku IN (SELECT wanted.sku FROM jsonb_to_recordset(CAST('[{"sku":"S' || :sku || '"}]' AS jsonb)) AS wanted(sku text)));
\endpipeline
UPDATE stock_level SET reserved = reserved + 1, changed_at = clock_timestamp() WHERE location_id = 'L' || :location AND sku = 'S' || :sku AND (on_hand - reserved) * CAST(100 AS bigint) / 100 - 0 >= 1;
\startpipeline
WITH new AS (SELECT CAST(lpad(to_hex(CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)), 12, '0') || '7' || substr(md5(random()::text), 1, 19) AS uuid) AS id),
w0 AS (INSERT INTO claim (id, location_id, kind, channel, state, expires_at, external_ref, owner_type, owner_id, version, created_at, updated_at) SELECT id, 'L' || :location, 'cart', 'ec', 'reserved', clock_timestamp() + interval '900 s', NULL, NULL, NULL, 1, clock_timestamp(), clock_timestamp() FROM new),
w1 AS (INSERT INTO claim_line (id, location_id, claim_id, sku, quantity, open_quantity, posted_quantity, expires_at) SELECT gen_random_uuid(), 'L' || :location, id, 'S' || :sku, 1, 1, 0, clock_timestamp() + interval '900 s' FROM new),
w2 AS (INSERT INTO outbox_event (id, location_id, topic, aggregate_type, aggregate_id, sequence, payload, occurred_at, state, due_at, attempts) SELECT id, 'L' || :location, 'reservation.created', 'claim', CAST(id AS text), 1, jsonb_build_object('id', id, 'kind', 'cart', 'lines', jsonb_build_array(jsonb_build_object('sku', 'S' || :sku, 'quantity', 1))), clock_timestamp(), 'done', clock_timestamp(), 0 FROM new),
w3 AS (INSERT INTO idempotency_reply (client_id, key, fingerprint, status, reply, created_at) SELECT :client, CAST(id AS text), repeat('a', 64), 201, decode(repeat('ab', 240), 'hex'), clock_timestamp() FROM new)
INSERT INTO audit_entry (id, location_id, at, actor, action, object_type, object_id, outcome, facts, request_id) SELECT id, '-', clock_timestamp(), 'client bench', 'bopis_api.create_reservation', NULL, NULL, 'done', '{}', CAST(id AS text) FROM new;
COMMIT;
\endpipeline
