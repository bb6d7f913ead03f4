-- What an entry counts, and when, in the windows of limits: its counting instant, and how much in the unit of its call (a feature's units where it named one).
-- A use says what it came to in each window that was looked at. Entries from before say nothing: what they count follows from their kind.
ALTER TABLE entries ADD COLUMN counted_at timestamptz(3), ADD COLUMN counted bigint, ADD COLUMN checked_limits jsonb;

-- Limits of all customers, and of plans: a SKU, or '' for all.
CREATE TABLE limits (
  plan_sku text NOT NULL,
  subject_type text NOT NULL,
  subject text NOT NULL,
  id uuid NOT NULL,
  windows jsonb NOT NULL,
  enforcement text NOT NULL,
  owner_tag text,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  CONSTRAINT limits_pk PRIMARY KEY (plan_sku, subject_type, subject),
  CONSTRAINT limits_subject_type_ck CHECK (subject_type IN ('product', 'feature')),
  CONSTRAINT limits_windows_ck CHECK (jsonb_typeof(windows) = 'object'),
  CONSTRAINT limits_enforcement_ck CHECK (enforcement IN ('HARD', 'SOFT', 'NONE'))
);
CREATE UNIQUE INDEX limits_id_uq ON limits (id);

-- Limits of customers: their own, and those copied of the customer whose limits they share.
CREATE TABLE customer_limits (
  customer_id uuid NOT NULL,
  subject_type text NOT NULL,
  subject text NOT NULL,
  is_copied boolean NOT NULL,
  id uuid NOT NULL,
  windows jsonb NOT NULL,
  enforcement text NOT NULL,
  owner_tag text,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  CONSTRAINT customer_limits_pk PRIMARY KEY (customer_id, subject_type, subject, is_copied),
  CONSTRAINT customer_limits_subject_type_ck CHECK (subject_type IN ('product', 'feature')),
  CONSTRAINT customer_limits_windows_ck CHECK (jsonb_typeof(windows) = 'object'),
  CONSTRAINT customer_limits_enforcement_ck CHECK (enforcement IN ('HARD', 'SOFT', 'NONE'))
);
CREATE INDEX customer_limits_id_ix ON customer_limits (id);
CREATE INDEX customer_limits_created_ix ON customer_limits (created_at, id);

-- Whose limits a customer shares, as of when they were copied, how often they changed since he shares them, and up to which change they were copied.
CREATE TABLE limit_sources (
  customer_id uuid NOT NULL,
  source_id uuid NOT NULL,
  copied_at timestamptz(3) NOT NULL,
  changes bigint NOT NULL,
  copied bigint NOT NULL,
  CONSTRAINT limit_sources_pk PRIMARY KEY (customer_id),
  CONSTRAINT limit_sources_other_ck CHECK (customer_id <> source_id)
);
CREATE INDEX limit_sources_source_ix ON limit_sources (source_id, customer_id);
CREATE INDEX limit_sources_behind_ix ON limit_sources (copied_at) WHERE changes <> copied;

-- What was used in the present window of a limit, as the ledger says up to seq: one row for each kind of window, which the next one replaces.
CREATE TABLE usage_counters (
  customer_id uuid NOT NULL,
  subject_type text NOT NULL,
  subject text NOT NULL,
  window_name text NOT NULL,
  window_start timestamptz(3) NOT NULL,
  used bigint NOT NULL,
  seq bigint NOT NULL,
  CONSTRAINT usage_counters_pk PRIMARY KEY (customer_id, subject_type, subject, window_name),
  CONSTRAINT usage_counters_seq_ck CHECK (seq >= 0)
);

-- Whether a customer has limits of his own or copied ones: who has none, and for whom there is no default, pays for none.
ALTER TABLE customers ADD COLUMN has_limits boolean NOT NULL DEFAULT false;

-- Products that limits alone govern: of each customer who uses one, one batch counts it, which is of no other source and in no list.
ALTER TABLE products DROP CONSTRAINT products_type_ck;
ALTER TABLE products ADD CONSTRAINT products_type_ck CHECK (type IN ('quantity', 'period', 'unlimited', 'metered'));
ALTER TABLE batches DROP CONSTRAINT batches_source_ck;
ALTER TABLE batches ADD CONSTRAINT batches_source_ck
  CHECK (source IN ('purchase', 'bonus', 'trial', 'adjustment', 'migration', 'exchange', 'metered')) NOT VALID;
-- What is metered comes back without naming its use: then it counts at the beginning of time, which only `total` counts.
ALTER TABLE entries DROP CONSTRAINT entries_reverses_ck;
ALTER TABLE entries ADD CONSTRAINT entries_reverses_ck
  CHECK ((reverses_seq IS NOT NULL OR kind <> 'reverse' OR counted_at = 'epoch'::timestamptz) AND reverses_seq < seq) NOT VALID;

-- Uses of everybody in a span of time: the ledger grows in the order in which it is recorded, so that an index of a few pages finds them.
CREATE INDEX entries_recorded_ix ON entries USING brin (recorded_at);
