-- One person, one customer: a customer that was merged leads to another one, whose family it belongs to from then on. Chains have length 1.
ALTER TABLE customers ADD COLUMN merged_into uuid, ADD COLUMN merged_at timestamptz(3), ADD COLUMN merged_ids jsonb NOT NULL DEFAULT '[]',
  ADD CONSTRAINT customers_merged_ck CHECK ((merged_into IS NULL) = (merged_at IS NULL) AND merged_into <> id AND (merged_into IS NULL OR merged_ids = '[]')),
  ADD CONSTRAINT customers_merged_ids_ck CHECK (jsonb_typeof(merged_ids) = 'array');

-- Claim: a customer is merged once. What was moved then, and what was dropped and why.
CREATE TABLE customer_merges (
  source_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  operation_id uuid NOT NULL,
  moved jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL,
  CONSTRAINT customer_merges_pk PRIMARY KEY (source_id),
  CONSTRAINT customer_merges_pair_ck CHECK (source_id <> customer_id)
);
CREATE INDEX customer_merges_customer_ix ON customer_merges (customer_id);
CREATE TRIGGER customer_merges_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON customer_merges FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('merges are kept');

-- A batch may go on in one of another customer of the family; that one is of the same order, which is not of its own customer then.
ALTER TABLE batches ADD COLUMN predecessor_customer_id uuid,
  ADD CONSTRAINT batches_predecessor_ck CHECK (predecessor_customer_id IS NULL OR (predecessor_id IS NOT NULL AND predecessor_customer_id <> customer_id));
ALTER TABLE batches DROP CONSTRAINT batches_order_fk, DROP CONSTRAINT batches_order_item_fk;

-- What is owed moves without a batch. Units that come back to a customer that was merged move on by themselves, when a hold lapses.
ALTER TABLE entries DROP CONSTRAINT entries_batch_ck;
ALTER TABLE entries ADD CONSTRAINT entries_batch_ck CHECK (batch_id IS NOT NULL OR kind IN ('debt', 'forgive', 'transfer_out', 'transfer_in')) NOT VALID;
ALTER TABLE entries DROP CONSTRAINT entries_operation_ck;
ALTER TABLE entries ADD CONSTRAINT entries_operation_ck
  CHECK (operation_id IS NOT NULL OR kind IN ('expire', 'release', 'repay', 'revoke', 'forgive', 'transfer_out', 'transfer_in')) NOT VALID;
CREATE INDEX entries_moved_debts_ix ON entries (customer_id, product_key) WHERE batch_id IS NULL AND kind IN ('transfer_out', 'transfer_in');

-- Of who brought whom: what a merge dropped, and why.
ALTER TABLE referrals ADD COLUMN dropped_at timestamptz(3), ADD COLUMN dropped_reason text,
  ADD CONSTRAINT referrals_dropped_ck CHECK ((dropped_at IS NULL) = (dropped_reason IS NULL));

-- The build before would write to customers that were merged, and read what moved as theirs.
UPDATE schema_compatibility SET needs = 20261129150000;
