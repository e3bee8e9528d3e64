-- 100,000 rows in WAL mode: inserts, indices, joins, updates, deletes, a rollback, a checkpoint, integrity.
PRAGMA journal_mode = WAL;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, kind INTEGER);
CREATE TABLE kind (id INTEGER PRIMARY KEY, title TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
INSERT INTO item SELECT i, 'item-' || (i * 7919 % 100003), (i * 31 % 1000) / 10.0, i % 17 FROM n;
INSERT INTO kind SELECT DISTINCT kind, 'kind ' || kind FROM item;
CREATE INDEX item_name ON item (name);
CREATE INDEX item_kind ON item (kind, price);
SELECT count(*), sum(id), round(sum(price), 1) FROM item;
SELECT k.title, count(*), round(avg(price), 3) FROM item i JOIN kind k ON k.id = i.kind GROUP BY k.id ORDER BY k.id;
UPDATE item SET price = price + 1 WHERE kind = 3;
DELETE FROM item WHERE id % 10 = 0;
BEGIN;
DELETE FROM item;
SELECT count(*) FROM item;
ROLLBACK;
SELECT count(*), round(sum(price), 1) FROM item;
SELECT name FROM item WHERE name BETWEEN 'item-500' AND 'item-501' ORDER BY name LIMIT 5;
PRAGMA wal_checkpoint(TRUNCATE);
VACUUM;
SELECT count(*), max(length(name)) FROM item;
PRAGMA integrity_check;
