\set sku random(1, :skus)
SELECT id, name, scopes, channels, locations FROM api_client WHERE key_hash = :key_hash AND revoked_at IS NULL;
\startpipeline
SELECT s.sku, s.location_id, s.on_hand, s.reserved, coalesce(p.due, 0) FROM stock_level s LEFT JOIN (SELECT location_id, sku, sum(open_quantity) AS due FROM claim_line WHERE sku = 'S' || :sku AND open_quantity > 0 AND expires_at IS NOT NULL AND expires_at <= clock_timestamp() GROUP BY location_id, sku) p ON p.location_id = s.location_id AND p.sku = s.sku WHERE s.sku = 'S' || :sku;
SELECT location_id, sku, share, safety, buffer FROM stock_policy WHERE channel = 'ec' AND (sku = '' OR sku = 'S' || :sku);
SELECT coalesce(sum(version), 0) FROM location;
SELECT clock_timestamp();
\endpipeline
