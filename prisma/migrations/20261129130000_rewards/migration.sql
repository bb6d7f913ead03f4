-- Referral programmes, and the rewards that they promise.
CREATE TABLE referral_programs (
  key text NOT NULL,
  description text NOT NULL,
  trigger text NOT NULL,
  referrer_sku text,
  referrer_quantity bigint,
  referee_sku text,
  referee_quantity bigint,
  hold_days integer NOT NULL,
  max_rewards_per_referrer bigint,
  starts_at timestamptz(3),
  ends_at timestamptz(3),
  claws_back boolean NOT NULL,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  CONSTRAINT referral_programs_pk PRIMARY KEY (key),
  CONSTRAINT referral_programs_trigger_ck CHECK (trigger IN ('on_attach', 'on_first_paid_order')),
  CONSTRAINT referral_programs_referrer_ck CHECK ((referrer_sku IS NULL) = (referrer_quantity IS NULL) AND referrer_quantity >= 1),
  CONSTRAINT referral_programs_referee_ck CHECK ((referee_sku IS NULL) = (referee_quantity IS NULL) AND referee_quantity >= 1),
  CONSTRAINT referral_programs_side_ck CHECK (referrer_sku IS NOT NULL OR referee_sku IS NOT NULL),
  CONSTRAINT referral_programs_hold_ck CHECK (hold_days BETWEEN 0 AND 3650),
  CONSTRAINT referral_programs_max_ck CHECK (max_rewards_per_referrer >= 1),
  CONSTRAINT referral_programs_span_ck CHECK (ends_at > starts_at)
);

-- Claim: what a side of a referral earns. It is written by the referee's transactions, and granted by its customer's. A cancelled one is never used again.
CREATE TABLE rewards (
  id uuid NOT NULL,
  customer_id uuid NOT NULL,
  referral_id uuid NOT NULL,
  side text NOT NULL,
  referrer_id uuid NOT NULL,
  referee_id uuid NOT NULL,
  program_key text NOT NULL,
  order_id uuid,
  armed_by uuid NOT NULL,
  sku text NOT NULL,
  quantity bigint NOT NULL,
  max_rewards bigint,
  claws_back boolean NOT NULL,
  status text NOT NULL,
  is_disputed boolean NOT NULL,
  hold_reason text,
  due_at timestamptz(3) NOT NULL,
  act_at timestamptz(3),
  held_at timestamptz(3),
  released_at timestamptz(3),
  granted_at timestamptz(3),
  granted_by uuid,
  ordinal bigint,
  cancelled_at timestamptz(3),
  cancel_reason text,
  clawed_back_at timestamptz(3),
  clawed_back_by uuid,
  created_at timestamptz(3) NOT NULL,
  CONSTRAINT rewards_pk PRIMARY KEY (id),
  CONSTRAINT rewards_side_ck CHECK (customer_id = CASE side WHEN 'referrer' THEN referrer_id WHEN 'referee' THEN referee_id END),
  CONSTRAINT rewards_quantity_ck CHECK (quantity >= 1 AND max_rewards >= 1 AND ordinal >= 1),
  CONSTRAINT rewards_status_ck CHECK (status IN ('armed', 'held', 'granted', 'clawing_back', 'clawed_back', 'cancelled', 'refused')),
  CONSTRAINT rewards_held_ck CHECK ((status = 'held') = (hold_reason IS NOT NULL)),
  CONSTRAINT rewards_granted_ck CHECK ((status IN ('granted', 'clawing_back', 'clawed_back')) = (granted_at IS NOT NULL) AND (granted_at IS NULL) = (granted_by IS NULL)),
  CONSTRAINT rewards_ordinal_ck CHECK ((granted_at IS NOT NULL AND side = 'referrer') = (ordinal IS NOT NULL)),
  CONSTRAINT rewards_cancelled_ck CHECK ((status IN ('cancelled', 'refused')) = (cancelled_at IS NOT NULL) AND (cancelled_at IS NULL) = (cancel_reason IS NULL)),
  CONSTRAINT rewards_clawed_back_ck CHECK ((status = 'clawed_back') = (clawed_back_at IS NOT NULL) AND (clawed_back_at IS NULL) = (clawed_back_by IS NULL))
);
CREATE UNIQUE INDEX rewards_live_uq ON rewards (referral_id, side) WHERE status <> 'cancelled'; -- I4: one reward per referral and side
CREATE UNIQUE INDEX rewards_ordinal_uq ON rewards (customer_id, program_key, ordinal) WHERE ordinal IS NOT NULL;
CREATE INDEX rewards_act_ix ON rewards (act_at) WHERE act_at IS NOT NULL;
CREATE INDEX rewards_customer_ix ON rewards (customer_id, created_at, id);
CREATE INDEX rewards_referee_ix ON rewards (referee_id, id);
CREATE INDEX rewards_created_ix ON rewards (created_at, id);
CREATE TRIGGER rewards_keep BEFORE DELETE OR TRUNCATE ON rewards FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('rewards are kept');

-- Fingerprints of payments by which a customer is known, as keyed hashes.
CREATE TABLE customer_signals (
  customer_id uuid NOT NULL,
  pepper_id text NOT NULL,
  identity_hash text NOT NULL,
  identity_type text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  CONSTRAINT customer_signals_pk PRIMARY KEY (customer_id, pepper_id, identity_hash),
  CONSTRAINT customer_signals_hash_ck CHECK (identity_hash ~ '^[0-9a-f]{64}$')
);
