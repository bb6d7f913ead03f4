-- The foundation: customers and identities, the catalogue, orders and payments, batches, balances, the ledger, operations.
-- Customer-owned tables lead with customer_id; claims (identities, payments) are keyed by their own natural key.

-- Customers ---------------------------------------------------------------------------------------------------------------

CREATE TABLE customers (
  id uuid NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  next_seq bigint NOT NULL DEFAULT 1,
  last_recorded_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL,
  CONSTRAINT customers_pk PRIMARY KEY (id),
  CONSTRAINT customers_next_seq_ck CHECK (next_seq >= 1)
) WITH (fillfactor = 80);

CREATE TABLE identities (
  provider text NOT NULL,
  external_id text NOT NULL,
  id uuid NOT NULL,
  customer_id uuid NOT NULL,
  profile jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  CONSTRAINT identities_pk PRIMARY KEY (provider, external_id),
  CONSTRAINT identities_id_uq UNIQUE (id),
  CONSTRAINT identities_provider_ck CHECK (length(provider) BETWEEN 1 AND 64),
  CONSTRAINT identities_external_id_ck CHECK (length(external_id) BETWEEN 1 AND 255)
);
CREATE INDEX identities_customer_ix ON identities (customer_id);

-- The catalogue -----------------------------------------------------------------------------------------------------------

CREATE TABLE catalog_names (
  name text NOT NULL,
  kind text NOT NULL,
  CONSTRAINT catalog_names_pk PRIMARY KEY (name),
  CONSTRAINT catalog_names_kind_ck CHECK (kind IN ('product', 'offer')),
  CONSTRAINT catalog_names_upper_ck CHECK (name = upper(name) AND length(name) BETWEEN 1 AND 64)
);

CREATE TABLE products (
  product_key text NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  type text NOT NULL,
  is_currency boolean NOT NULL DEFAULT false,
  is_active boolean NOT NULL DEFAULT true,
  low_balance_threshold bigint,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  CONSTRAINT products_pk PRIMARY KEY (product_key),
  CONSTRAINT products_type_ck CHECK (type IN ('quantity', 'period', 'unlimited')),
  CONSTRAINT products_currency_ck CHECK (NOT is_currency OR type = 'quantity'),
  CONSTRAINT products_threshold_ck CHECK (low_balance_threshold >= 0)
);

CREATE TABLE product_features (
  product_key text NOT NULL,
  feature text NOT NULL,
  unit_cost bigint NOT NULL,
  CONSTRAINT product_features_pk PRIMARY KEY (product_key, feature),
  CONSTRAINT product_features_product_fk FOREIGN KEY (product_key) REFERENCES products (product_key) ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT product_features_unit_cost_ck CHECK (unit_cost BETWEEN 1 AND 9007199254740991)
);
CREATE INDEX product_features_feature_ix ON product_features (feature);

CREATE TABLE offers (
  sku text NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  image text,
  price numeric(20, 6) NOT NULL,
  currency text NOT NULL,
  is_active boolean NOT NULL DEFAULT true,
  is_trial boolean NOT NULL DEFAULT false,
  trial_scope text,
  recurrence jsonb,
  plan_group text,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  CONSTRAINT offers_pk PRIMARY KEY (sku),
  CONSTRAINT offers_price_ck CHECK (price >= 0),
  CONSTRAINT offers_trial_scope_ck CHECK (trial_scope IN ('any', 'offer')),
  CONSTRAINT offers_plan_ck CHECK ((recurrence IS NULL) = (plan_group IS NULL))
);

CREATE TABLE offer_items (
  sku text NOT NULL,
  position integer NOT NULL,
  product_key text NOT NULL,
  quantity bigint NOT NULL,
  period_unit text NOT NULL,
  period_value integer,
  priority integer NOT NULL,
  stacking text NOT NULL,
  CONSTRAINT offer_items_pk PRIMARY KEY (sku, position),
  CONSTRAINT offer_items_offer_fk FOREIGN KEY (sku) REFERENCES offers (sku) ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT offer_items_product_fk FOREIGN KEY (product_key) REFERENCES products (product_key) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT offer_items_quantity_ck CHECK (quantity BETWEEN 1 AND 9007199254740991),
  CONSTRAINT offer_items_unit_ck CHECK (period_unit IN ('hours', 'days', 'months', 'years', 'forever')),
  CONSTRAINT offer_items_period_ck CHECK ((period_unit = 'forever') = (period_value IS NULL) AND (period_value IS NULL OR period_value >= 1)),
  CONSTRAINT offer_items_stacking_ck CHECK (stacking IN ('extend', 'parallel'))
);
CREATE INDEX offer_items_product_ix ON offer_items (product_key);

-- A product key and a SKU never share a name. AFTER INSERT, because it fires for true inserts only, not for ON CONFLICT updates.
CREATE FUNCTION catalog_claim_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'products' THEN
    INSERT INTO catalog_names (name, kind) VALUES (NEW.product_key, 'product');
  ELSE
    INSERT INTO catalog_names (name, kind) VALUES (NEW.sku, 'offer');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER products_claim_name AFTER INSERT ON products FOR EACH ROW EXECUTE FUNCTION catalog_claim_name();
CREATE TRIGGER offers_claim_name AFTER INSERT ON offers FOR EACH ROW EXECUTE FUNCTION catalog_claim_name();

-- What is retired is kept: sold terms, batches and entries name it for ever.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER products_keep BEFORE DELETE OR TRUNCATE ON products FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('products are retired, never deleted');
CREATE TRIGGER offers_keep BEFORE DELETE OR TRUNCATE ON offers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('offers are retired, never deleted');

-- The type of a product is fixed: batches and the snapshots of open orders rest on it.
CREATE FUNCTION products_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.type <> OLD.type THEN
    RAISE EXCEPTION 'the type of product % is fixed', OLD.product_key USING ERRCODE = 'check_violation', CONSTRAINT = 'products_type_fixed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER products_guard BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION products_guard();

-- Operations --------------------------------------------------------------------------------------------------------------

CREATE TABLE operations (
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  acting_key text NOT NULL,
  idempotency_key text,
  request_hash text,
  request_hash_version smallint,
  status smallint,
  answer text,
  recorded_at timestamptz(3) NOT NULL,
  CONSTRAINT operations_pk PRIMARY KEY (customer_id, id),
  CONSTRAINT operations_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT operations_answer_ck CHECK ((status IS NULL) = (answer IS NULL)),
  CONSTRAINT operations_key_ck CHECK (idempotency_key IS NULL OR (request_hash IS NOT NULL AND request_hash_version IS NOT NULL AND answer IS NOT NULL))
);
-- I4: one effect per idempotency key. Partial, so that the foreign keys to an operation are checked by the primary key: the planner of the
-- check would else take this index, which for one busy customer has all his operations without a key behind it.
CREATE UNIQUE INDEX operations_idempotency_uq ON operations (customer_id, name, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TRIGGER operations_keep BEFORE DELETE OR TRUNCATE ON operations FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('operations are the memory of what was answered');

-- Orders and payments -----------------------------------------------------------------------------------------------------

CREATE TABLE orders (
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  status text NOT NULL,
  currency text NOT NULL,
  total_amount numeric(20, 6) NOT NULL,
  payment_method text,
  payment_id text,
  paid_at timestamptz(3),
  paid_by uuid,
  metadata jsonb NOT NULL DEFAULT '{}',
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL,
  CONSTRAINT orders_pk PRIMARY KEY (customer_id, id),
  CONSTRAINT orders_id_uq UNIQUE (id),
  CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT orders_paid_by_fk FOREIGN KEY (customer_id, paid_by) REFERENCES operations (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT orders_status_ck CHECK (status IN ('pending', 'paid', 'partially_refunded', 'refunded', 'cancelled', 'expired')),
  CONSTRAINT orders_total_ck CHECK (total_amount >= 0),
  CONSTRAINT orders_paid_ck CHECK ((status IN ('paid', 'partially_refunded', 'refunded')) = (paid_at IS NOT NULL) AND (paid_at IS NULL) = (paid_by IS NULL)),
  CONSTRAINT orders_payment_ck CHECK (paid_at IS NULL OR total_amount = 0 OR (payment_method IS NOT NULL AND payment_id IS NOT NULL))
);

-- I8: an order only ever moves along its state machine, and never changes what was agreed.
CREATE FUNCTION orders_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.customer_id, NEW.id, NEW.currency, NEW.total_amount, NEW.created_at)
     IS DISTINCT FROM (OLD.customer_id, OLD.id, OLD.currency, OLD.total_amount, OLD.created_at) THEN
    RAISE EXCEPTION 'the terms of order % are fixed', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_terms_i8';
  END IF;
  IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
       ('pending', 'paid'), ('pending', 'cancelled'), ('pending', 'expired'),
       ('paid', 'partially_refunded'), ('paid', 'refunded'), ('partially_refunded', 'refunded')) THEN
    RAISE EXCEPTION 'order % cannot move from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_state_machine_i8';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER orders_guard BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_guard();
CREATE TRIGGER orders_keep BEFORE DELETE OR TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('orders are kept');

CREATE TABLE order_items (
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  order_id uuid NOT NULL,
  position integer NOT NULL,
  sku text NOT NULL,
  name text NOT NULL,
  quantity bigint NOT NULL,
  price numeric(20, 6) NOT NULL,
  terms jsonb NOT NULL,
  CONSTRAINT order_items_pk PRIMARY KEY (customer_id, id),
  CONSTRAINT order_items_position_uq UNIQUE (customer_id, order_id, position),
  CONSTRAINT order_items_order_fk FOREIGN KEY (customer_id, order_id) REFERENCES orders (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT order_items_quantity_ck CHECK (quantity >= 1),
  CONSTRAINT order_items_price_ck CHECK (price >= 0)
);
CREATE TRIGGER order_items_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON order_items FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('an order line is a snapshot');

CREATE TABLE payments (
  payment_method text NOT NULL,
  payment_id text NOT NULL,
  customer_id uuid NOT NULL,
  order_id uuid NOT NULL,
  status text NOT NULL,
  amount numeric(20, 6), -- as it was told; null when nobody did
  currency text,
  operation_id uuid,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  CONSTRAINT payments_pk PRIMARY KEY (payment_method, payment_id), -- I4: one paid order per payment
  CONSTRAINT payments_status_ck CHECK (status IN ('failed', 'unmatched', 'paid')),
  CONSTRAINT payments_amount_ck CHECK (amount >= 0),
  CONSTRAINT payments_operation_ck CHECK (status = 'unmatched' OR operation_id IS NOT NULL)
);
CREATE INDEX payments_order_ix ON payments (customer_id, order_id);

CREATE FUNCTION payments_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.payment_method, NEW.payment_id) IS DISTINCT FROM (OLD.payment_method, OLD.payment_id)
     OR (OLD.status, NEW.status) NOT IN (
       ('failed', 'failed'), ('unmatched', 'unmatched'), ('failed', 'unmatched'), ('failed', 'paid'), ('unmatched', 'paid')) THEN
    RAISE EXCEPTION 'payment cannot move from % to %', OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_state_machine_i4';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payments_guard BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION payments_guard();
CREATE TRIGGER payments_keep BEFORE DELETE OR TRUNCATE ON payments FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('payments are kept');

-- Balances, batches and the ledger ----------------------------------------------------------------------------------------

CREATE TABLE balances (
  customer_id uuid NOT NULL,
  product_key text NOT NULL,
  available bigint NOT NULL,
  held bigint NOT NULL,
  owed bigint NOT NULL,
  CONSTRAINT balances_pk PRIMARY KEY (customer_id, product_key),
  CONSTRAINT balances_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT balances_parts_ck CHECK (available BETWEEN 0 AND 9007199254740991 AND held BETWEEN 0 AND 9007199254740991 AND owed BETWEEN 0 AND 9007199254740991),
  CONSTRAINT balances_owed_i3 CHECK (owed = 0 OR available = 0)
) WITH (fillfactor = 80);

CREATE TABLE batches (
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  product_key text NOT NULL,
  source text NOT NULL,
  sku text,
  order_id uuid,
  order_item_id uuid,
  operation_id uuid NOT NULL,
  granted bigint,
  available bigint NOT NULL,
  held bigint NOT NULL,
  consumed bigint NOT NULL,
  expired bigint NOT NULL,
  revoked bigint NOT NULL,
  transferred bigint NOT NULL,
  priority integer NOT NULL,
  valid_from timestamptz(3) NOT NULL,
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  is_open boolean NOT NULL GENERATED ALWAYS AS (available > 0 OR held > 0) STORED,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL,
  CONSTRAINT batches_pk PRIMARY KEY (customer_id, id),
  CONSTRAINT batches_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT batches_order_fk FOREIGN KEY (customer_id, order_id) REFERENCES orders (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT batches_order_item_fk FOREIGN KEY (customer_id, order_item_id) REFERENCES order_items (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT batches_operation_fk FOREIGN KEY (customer_id, operation_id) REFERENCES operations (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT batches_source_ck CHECK (source IN ('purchase', 'bonus')),
  CONSTRAINT batches_parts_i1 CHECK (available >= 0 AND held >= 0 AND consumed >= 0 AND expired >= 0 AND revoked >= 0 AND transferred >= 0),
  CONSTRAINT batches_closed_i1 CHECK (granted = available + held + consumed + expired + revoked + transferred),
  CONSTRAINT batches_granted_ck CHECK (granted BETWEEN 1 AND 9007199254740991),
  CONSTRAINT batches_uncounted_ck CHECK (granted IS NOT NULL OR (available = 0 AND held = 0 AND expired = 0 AND revoked = 0 AND transferred = 0)),
  CONSTRAINT batches_consumed_ck CHECK (consumed <= 9007199254740991),
  CONSTRAINT batches_validity_ck CHECK (expires_at > valid_from)
) WITH (fillfactor = 80);
-- Open batches in burn order, by due instant, and by the instant from which they count. is_open is a generated column, so that a
-- consume that leaves the batch open stays a HOT update (a predicate on available itself would forbid it).
CREATE INDEX batches_burn_order_ix ON batches (customer_id, product_key, priority, expires_at, created_at, id) WHERE is_open;
CREATE INDEX batches_due_ix ON batches (customer_id, expires_at, id) WHERE is_open;
CREATE INDEX batches_not_yet_valid_ix ON batches (customer_id, product_key, valid_from) WHERE is_open;
CREATE INDEX batches_uncounted_ix ON batches (customer_id, product_key, expires_at) WHERE granted IS NULL;
CREATE INDEX batches_expired_ix ON batches (customer_id, product_key, expires_at) WHERE expired > 0;
CREATE INDEX batches_product_open_ix ON batches (product_key) WHERE is_open OR granted IS NULL;
CREATE INDEX batches_order_ix ON batches (customer_id, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX batches_created_ix ON batches (customer_id, created_at, id);
CREATE TRIGGER batches_keep BEFORE DELETE OR TRUNCATE ON batches FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('batches are kept');

CREATE TABLE entries (
  customer_id uuid NOT NULL,
  seq bigint NOT NULL,
  id uuid NOT NULL,
  operation_id uuid,
  kind text NOT NULL,
  direction text NOT NULL,
  product_key text NOT NULL,
  batch_id uuid,
  amount bigint NOT NULL,
  balance_after bigint NOT NULL,
  feature text,
  action_type text,
  action_id text,
  order_id uuid,
  metadata jsonb,
  recorded_at timestamptz(3) NOT NULL,
  occurred_at timestamptz(3) NOT NULL,
  CONSTRAINT entries_pk PRIMARY KEY (customer_id, seq),
  CONSTRAINT entries_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT entries_batch_fk FOREIGN KEY (customer_id, batch_id) REFERENCES batches (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT entries_operation_fk FOREIGN KEY (customer_id, operation_id) REFERENCES operations (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT entries_seq_i3 CHECK (seq >= 1),
  CONSTRAINT entries_kind_ck CHECK (kind IN ('grant', 'consume', 'expire')),
  CONSTRAINT entries_direction_ck CHECK (direction IN ('credit', 'debit', 'none')),
  CONSTRAINT entries_amount_ck CHECK (amount >= 1),
  CONSTRAINT entries_operation_ck CHECK (operation_id IS NOT NULL OR kind = 'expire')
);
CREATE INDEX entries_product_ix ON entries (customer_id, product_key, seq);
-- I7: the ledger is append-only.
CREATE TRIGGER entries_append_only_i7 BEFORE UPDATE OR DELETE OR TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the ledger is append-only; a correction is a new entry');
