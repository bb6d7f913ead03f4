-- Shaped to last: what a customer owns refers to what else he owns without the database looking it up, answers are kept apart from operations, the
-- customer says when something of his falls due next, and no trigger looks beyond its row.

-- References ----------------------------------------------------------------------------------------------------------------

-- They are written under the customer's lock by statements that have read, or write, what they name; the auditor compares. Old operations may be moved
-- away one day.
ALTER TABLE operations DROP CONSTRAINT operations_customer_fk;
ALTER TABLE orders DROP CONSTRAINT orders_paid_by_fk;
ALTER TABLE batches DROP CONSTRAINT batches_operation_fk;
ALTER TABLE entries DROP CONSTRAINT entries_batch_fk, DROP CONSTRAINT entries_operation_fk;
ALTER TABLE referrals DROP CONSTRAINT referrals_operation_fk;
ALTER TABLE reservations DROP CONSTRAINT reservations_operation_fk, DROP CONSTRAINT reservations_ended_by_fk;

-- Idempotency records ---------------------------------------------------------------------------------------------------------

-- What an operation answered: under a key of the caller's (`client`), which may age, or under what it is about (`natural`: the order that was paid,
-- the reservation that was ended, the source that was migrated), which never does.
CREATE TABLE idempotency_records (
  customer_id uuid NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  operation_id uuid NOT NULL,
  request_hash bytea NOT NULL,
  request_hash_version smallint NOT NULL,
  status smallint NOT NULL,
  answer text NOT NULL,
  recorded_at timestamptz(3) NOT NULL,
  CONSTRAINT idempotency_records_pk PRIMARY KEY (customer_id, name, kind, key), -- I4: one effect per key
  CONSTRAINT idempotency_records_kind_ck CHECK (kind IN ('client', 'natural')),
  CONSTRAINT idempotency_records_hash_ck CHECK (length(request_hash) = 32)
);
-- Old records are found by their age, in the order in which they lie.
CREATE INDEX idempotency_records_age_ix ON idempotency_records USING brin (recorded_at);

INSERT INTO idempotency_records (customer_id, name, kind, key, operation_id, request_hash, request_hash_version, status, answer, recorded_at)
SELECT customer_id, name, 'client', idempotency_key, id, decode(request_hash, 'hex'), request_hash_version, status, answer, recorded_at
FROM operations WHERE idempotency_key IS NOT NULL
ORDER BY recorded_at;
INSERT INTO idempotency_records (customer_id, name, kind, key, operation_id, request_hash, request_hash_version, status, answer, recorded_at)
SELECT o.customer_id, o.name, 'natural', n.key, o.id, decode(o.request_hash, 'hex'), o.request_hash_version, o.status, o.answer, o.recorded_at
FROM (
  SELECT customer_id, paid_by AS operation_id, id::text AS key FROM orders WHERE paid_by IS NOT NULL
  UNION ALL
  SELECT customer_id, ended_by, id::text FROM reservations WHERE ended_by IS NOT NULL
  UNION ALL
  SELECT customer_id, operation_id, 'failed:' || operation_id FROM payments WHERE status = 'failed'
  UNION ALL
  SELECT customer_id, operation_id, source_id FROM migration_sources
) n
JOIN operations o ON o.customer_id = n.customer_id AND o.id = n.operation_id
WHERE o.answer IS NOT NULL
ORDER BY o.recorded_at;

CREATE TRIGGER idempotency_records_keep BEFORE UPDATE OR TRUNCATE ON idempotency_records FOR EACH STATEMENT
  EXECUTE FUNCTION refuse_change('an answer is given as it was');
CREATE FUNCTION idempotency_records_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.kind = 'natural' THEN
    RAISE EXCEPTION 'the answer of % about % is kept', OLD.name, OLD.key USING ERRCODE = 'check_violation', CONSTRAINT = 'idempotency_records_natural_i4';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER idempotency_records_guard BEFORE DELETE ON idempotency_records FOR EACH ROW EXECUTE FUNCTION idempotency_records_guard();

DROP TABLE migration_sources;
DROP INDEX operations_idempotency_uq;
ALTER TABLE operations DROP CONSTRAINT operations_answer_ck, DROP CONSTRAINT operations_key_ck,
  DROP COLUMN idempotency_key, DROP COLUMN request_hash, DROP COLUMN request_hash_version, DROP COLUMN status, DROP COLUMN answer;

-- Calls about many customers belong to whose key they came with, which stays when an API key is rotated.
ALTER TABLE keyed_calls ADD COLUMN owner text NOT NULL DEFAULT 'bootstrap', ADD COLUMN hash bytea;
ALTER TABLE keyed_calls DISABLE TRIGGER keyed_calls_keep;
UPDATE keyed_calls SET hash = decode(request_hash, 'hex');
DROP TRIGGER keyed_calls_keep ON keyed_calls;
CREATE TRIGGER keyed_calls_keep BEFORE UPDATE OR TRUNCATE ON keyed_calls FOR EACH STATEMENT
  EXECUTE FUNCTION refuse_change('keyed calls are the memory of what was answered');
CREATE INDEX keyed_calls_age_ix ON keyed_calls USING brin (recorded_at);
ALTER TABLE keyed_calls ALTER COLUMN owner DROP DEFAULT, ALTER COLUMN hash SET NOT NULL, DROP COLUMN request_hash;
ALTER TABLE keyed_calls RENAME COLUMN hash TO request_hash;
ALTER TABLE keyed_calls DROP CONSTRAINT keyed_calls_pk, ADD CONSTRAINT keyed_calls_pk PRIMARY KEY (owner, name, idempotency_key);

-- Ids -------------------------------------------------------------------------------------------------------------------------

-- Uniqueness rests on the customer's own keys; by an id alone things are only looked up.
DROP INDEX operations_id_uq;
CREATE INDEX operations_id_ix ON operations (id);
ALTER TABLE orders DROP CONSTRAINT orders_id_uq;
CREATE INDEX orders_id_ix ON orders (id);
ALTER TABLE reservations DROP CONSTRAINT reservations_id_uq;
CREATE INDEX reservations_id_ix ON reservations (id);
ALTER TABLE identities DROP CONSTRAINT identities_id_uq;

-- Whose an identity was before it was taken from him: a repeated request finds its answer there.
CREATE TABLE former_identities (
  provider text NOT NULL,
  external_id text NOT NULL,
  customer_id uuid NOT NULL,
  unlinked_at timestamptz(3) NOT NULL,
  CONSTRAINT former_identities_pk PRIMARY KEY (provider, external_id, customer_id)
);
CREATE INDEX former_identities_customer_ix ON former_identities (customer_id);

-- What falls due ---------------------------------------------------------------------------------------------------------------

-- Nothing of the customer's falls due before this instant: no batch, hold or order of his ends. Null when nothing does.
ALTER TABLE customers ADD COLUMN due_at timestamptz(3);
UPDATE customers c SET due_at = d.due_at
FROM (
  SELECT customer_id, min(expires_at) AS due_at FROM (
    SELECT customer_id, expires_at FROM batches WHERE is_open AND expires_at IS NOT NULL
    UNION ALL
    SELECT customer_id, expires_at FROM reservations WHERE status = 'held'
    UNION ALL
    SELECT customer_id, expires_at FROM orders WHERE status = 'pending'
  ) e GROUP BY customer_id
) d
WHERE c.id = d.customer_id;
CREATE INDEX customers_due_ix ON customers (due_at) WHERE due_at IS NOT NULL;
DROP INDEX batches_sweep_ix;
DROP INDEX reservations_due_ix;
DROP INDEX orders_due_ix;

-- The catalogue's one namespace --------------------------------------------------------------------------------------------------

DROP TRIGGER products_claim_name ON products;
DROP TRIGGER offers_claim_name ON offers;
DROP FUNCTION catalog_claim_name();
ALTER TABLE catalog_names ADD CONSTRAINT catalog_names_kind_uq UNIQUE (name, kind);
ALTER TABLE products ADD COLUMN name_kind text NOT NULL GENERATED ALWAYS AS ('product') STORED,
  ADD CONSTRAINT products_name_fk FOREIGN KEY (product_key, name_kind) REFERENCES catalog_names (name, kind) ON DELETE NO ACTION ON UPDATE NO ACTION;
ALTER TABLE offers ADD COLUMN name_kind text NOT NULL GENERATED ALWAYS AS ('offer') STORED,
  ADD CONSTRAINT offers_name_fk FOREIGN KEY (sku, name_kind) REFERENCES catalog_names (name, kind) ON DELETE NO ACTION ON UPDATE NO ACTION;

-- Plans that do not hang on statistics -------------------------------------------------------------------------------------------

-- Tables that grow with every use are analyzed after so many rows, whatever their size: until then the planner knows nothing of them.
ALTER TABLE customers SET (autovacuum_analyze_threshold = 500, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE batches SET (autovacuum_analyze_threshold = 500, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE balances SET (autovacuum_analyze_threshold = 500, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE identities SET (autovacuum_analyze_threshold = 500, autovacuum_analyze_scale_factor = 0.02);

-- A build from before reads and writes other columns.
UPDATE schema_compatibility SET needs = 20261128020000;
