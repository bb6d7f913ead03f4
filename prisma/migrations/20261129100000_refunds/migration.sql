-- What came of orders after they were sold: refunds and disputes, and what they took back of the batches.
ALTER TABLE orders ADD COLUMN refunded_amount numeric(20, 6) NOT NULL DEFAULT 0, ADD COLUMN disputed_amount numeric(20, 6) NOT NULL DEFAULT 0,
  ADD CONSTRAINT orders_refunded_ck CHECK (refunded_amount BETWEEN 0 AND total_amount AND disputed_amount >= 0);

-- Between what is paid and what is refunded an order moves both ways: a refund may fail after it succeeded.
CREATE OR REPLACE FUNCTION orders_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.customer_id, NEW.id, NEW.currency, NEW.total_amount, NEW.created_at)
     IS DISTINCT FROM (OLD.customer_id, OLD.id, OLD.currency, OLD.total_amount, OLD.created_at) THEN
    RAISE EXCEPTION 'the terms of order % are fixed', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_terms_i8';
  END IF;
  IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
       ('pending', 'paid'), ('pending', 'cancelled'), ('pending', 'expired'),
       ('paid', 'partially_refunded'), ('paid', 'refunded'), ('partially_refunded', 'refunded'),
       ('refunded', 'partially_refunded'), ('refunded', 'paid'), ('partially_refunded', 'paid')) THEN
    RAISE EXCEPTION 'order % cannot move from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_state_machine_i8';
  END IF;
  RETURN NEW;
END $$;

-- Units of a batch that refunds and disputes took of it (a part of `revoked`), and those that they claim and have neither taken nor turned into debt. One
-- that a batch goes on in, after it was given back, names it.
ALTER TABLE batches ADD COLUMN recovered bigint NOT NULL DEFAULT 0, ADD COLUMN unrecovered bigint NOT NULL DEFAULT 0, ADD COLUMN predecessor_id uuid,
  ADD CONSTRAINT batches_recovered_ck CHECK (recovered >= 0 AND recovered <= revoked
    AND unrecovered >= 0 AND (unrecovered = 0 OR unrecovered <= granted - available - recovered));
CREATE INDEX batches_predecessor_ix ON batches (customer_id, predecessor_id) WHERE predecessor_id IS NOT NULL;

ALTER TABLE entries DROP CONSTRAINT entries_kind_ck;
ALTER TABLE entries ADD CONSTRAINT entries_kind_ck CHECK (kind IN
  ('grant', 'consume', 'expire', 'revoke', 'hold', 'release', 'commit', 'reverse', 'debt', 'repay', 'forgive', 'adjust', 'transfer_out', 'transfer_in')) NOT VALID;
-- What a lapsed hold gives back may be what a refund claims.
ALTER TABLE entries DROP CONSTRAINT entries_operation_ck;
ALTER TABLE entries ADD CONSTRAINT entries_operation_ck CHECK (operation_id IS NOT NULL OR kind IN ('expire', 'release', 'repay', 'revoke', 'forgive')) NOT VALID;
-- Debts and what was forgiven of them; those that refunds made name their batch.
CREATE INDEX entries_debts_ix ON entries (customer_id, product_key, seq) WHERE kind IN ('debt', 'forgive');
CREATE INDEX entries_claim_debts_ix ON entries (customer_id, product_key, seq) WHERE kind = 'debt' AND batch_id IS NOT NULL;
CREATE INDEX entries_adjusted_ix ON entries (customer_id, batch_id, seq) WHERE kind = 'adjust';
-- What was taken of the batches of an order, and given back.
CREATE INDEX entries_order_ix ON entries (customer_id, order_id, seq) WHERE order_id IS NOT NULL AND kind IN ('revoke', 'reverse');

-- Claims: one effect per refund and per dispute of a provider (I4).
CREATE TABLE refunds (
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  order_id uuid NOT NULL,
  operation_id uuid NOT NULL,
  payment_method text NOT NULL,
  refund_id text NOT NULL,
  dispute_id text,
  status text NOT NULL,
  amount numeric(20, 6) NOT NULL,
  items jsonb NOT NULL,
  reason text,
  unrecovered_policy text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  failed_at timestamptz(3),
  CONSTRAINT refunds_pk PRIMARY KEY (payment_method, refund_id),
  CONSTRAINT refunds_status_ck CHECK (status IN ('succeeded', 'failed') AND (status = 'failed') = (failed_at IS NOT NULL)),
  CONSTRAINT refunds_amount_ck CHECK (amount >= 0),
  CONSTRAINT refunds_items_ck CHECK (jsonb_typeof(items) = 'array'),
  CONSTRAINT refunds_policy_ck CHECK (unrecovered_policy IN ('ignore', 'debt'))
);
CREATE INDEX refunds_order_ix ON refunds (customer_id, order_id, created_at);

CREATE TABLE disputes (
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  order_id uuid NOT NULL,
  operation_id uuid NOT NULL,
  payment_method text NOT NULL,
  dispute_id text NOT NULL,
  status text NOT NULL,
  amount numeric(20, 6) NOT NULL,
  unrecovered_policy text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  opened_at timestamptz(3),
  closed_at timestamptz(3),
  CONSTRAINT disputes_pk PRIMARY KEY (payment_method, dispute_id),
  CONSTRAINT disputes_status_ck CHECK (status IN ('opened', 'won', 'lost') AND (status = 'opened') = (closed_at IS NULL) AND (opened_at IS NOT NULL OR closed_at IS NOT NULL)),
  CONSTRAINT disputes_amount_ck CHECK (amount >= 0),
  CONSTRAINT disputes_policy_ck CHECK (unrecovered_policy IN ('ignore', 'debt'))
);
CREATE INDEX disputes_order_ix ON disputes (customer_id, order_id, created_at);

-- What one refund or dispute claims of one batch: in units of a counted batch; of access 1, with the length that was cut of it (null: it had no end).
CREATE TABLE clawbacks (
  customer_id uuid NOT NULL,
  cause_id uuid NOT NULL,
  batch_id uuid NOT NULL,
  order_id uuid NOT NULL,
  claimed bigint NOT NULL,
  recovered bigint NOT NULL,
  owed bigint NOT NULL,
  undone bigint NOT NULL,
  cut_ms bigint,
  created_at timestamptz(3) NOT NULL,
  CONSTRAINT clawbacks_pk PRIMARY KEY (customer_id, cause_id, batch_id),
  CONSTRAINT clawbacks_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT clawbacks_parts_ck CHECK (claimed >= 1 AND recovered >= 0 AND owed >= 0 AND recovered + owed <= claimed AND undone BETWEEN 0 AND claimed)
);
CREATE INDEX clawbacks_order_ix ON clawbacks (customer_id, order_id);
CREATE TRIGGER refunds_keep BEFORE DELETE OR TRUNCATE ON refunds FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what came of a sale is kept');
CREATE TRIGGER disputes_keep BEFORE DELETE OR TRUNCATE ON disputes FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what came of a sale is kept');
CREATE TRIGGER clawbacks_keep BEFORE DELETE OR TRUNCATE ON clawbacks FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what came of a sale is kept');
