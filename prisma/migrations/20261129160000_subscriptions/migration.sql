-- Plans and subscriptions: how a plan goes on, what a line of an order says of it, and which periods a customer has.
ALTER TABLE offers ADD COLUMN plan jsonb,
  ADD CONSTRAINT offers_plan_terms_ck CHECK (plan IS NULL OR (jsonb_typeof(plan) = 'object' AND recurrence IS NOT NULL));
-- The plan of a line as it was when it was ordered; null of what does not recur, and of lines from before there were subscriptions.
ALTER TABLE order_items ADD COLUMN plan jsonb, ADD CONSTRAINT order_items_plan_ck CHECK (plan IS NULL OR jsonb_typeof(plan) = 'object');
-- The subscription in whose period a batch was allocated, or goes on.
ALTER TABLE batches ADD COLUMN subscription_id uuid;
CREATE INDEX batches_subscription_ix ON batches (customer_id, subscription_id, valid_from) WHERE subscription_id IS NOT NULL;
ALTER TABLE batches DROP CONSTRAINT batches_source_ck;
ALTER TABLE batches ADD CONSTRAINT batches_source_ck
  CHECK (source IN ('purchase', 'bonus', 'trial', 'adjustment', 'migration', 'exchange', 'metered', 'subscription')) NOT VALID;
-- Nothing of a customer's subscriptions turns before; null while nothing does.
ALTER TABLE customers ADD COLUMN turns_at timestamptz(3);

CREATE TABLE subscriptions (
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  plan_group text NOT NULL,
  sku text NOT NULL,
  status text NOT NULL,
  plan jsonb NOT NULL,
  anchor_at timestamptz(3),
  anchor_day smallint,
  period_number integer NOT NULL,
  period_starts_at timestamptz(3),
  period_ends_at timestamptz(3),
  order_id uuid,
  change jsonb,
  cancels_at_end boolean NOT NULL,
  renewal_told boolean NOT NULL,
  step_count integer NOT NULL,
  turns_at timestamptz(3),
  ended_at timestamptz(3),
  metadata jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL,
  CONSTRAINT subscriptions_pk PRIMARY KEY (customer_id, id),
  CONSTRAINT subscriptions_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT subscriptions_status_ck CHECK (status IN ('incomplete', 'trialing', 'active', 'past_due', 'cancelled', 'expired')
    AND (status IN ('cancelled', 'expired')) = (ended_at IS NOT NULL)),
  CONSTRAINT subscriptions_period_ck CHECK ((period_starts_at IS NULL) = (period_ends_at IS NULL) AND (anchor_at IS NULL) = (anchor_day IS NULL)
    AND (status = 'incomplete' OR ended_at IS NOT NULL OR period_ends_at > period_starts_at))
);
-- One current subscription of a customer in a group.
CREATE UNIQUE INDEX subscriptions_current_uq ON subscriptions (customer_id, plan_group) WHERE ended_at IS NULL;
CREATE INDEX subscriptions_id_ix ON subscriptions (id);
CREATE INDEX subscriptions_created_ix ON subscriptions (created_at, id);
CREATE INDEX subscriptions_turns_ix ON subscriptions (customer_id, turns_at) WHERE turns_at IS NOT NULL;

-- What a subscription allocated, or did not: a period of a plan from its scheduled start.
CREATE TABLE subscription_periods (
  customer_id uuid NOT NULL,
  subscription_id uuid NOT NULL,
  sku text NOT NULL,
  starts_at timestamptz(3) NOT NULL,
  ends_at timestamptz(3) NOT NULL,
  plan_group text NOT NULL,
  kind text NOT NULL,
  count integer NOT NULL,
  granted jsonb NOT NULL,
  order_id uuid,
  order_item_id uuid,
  operation_id uuid NOT NULL,
  ended_at timestamptz(3),
  created_at timestamptz(3) NOT NULL,
  CONSTRAINT subscription_periods_pk PRIMARY KEY (customer_id, subscription_id, sku, starts_at),
  CONSTRAINT subscription_periods_subscription_fk FOREIGN KEY (customer_id, subscription_id) REFERENCES subscriptions (customer_id, id)
    ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT subscription_periods_kind_ck CHECK (kind IN ('trial', 'free', 'paid', 'skipped') AND (kind = 'paid') = (order_id IS NOT NULL)
    AND (order_id IS NULL) = (order_item_id IS NULL)),
  CONSTRAINT subscription_periods_span_ck CHECK (ends_at > starts_at AND count >= 1)
);
CREATE INDEX subscription_periods_group_ix ON subscription_periods (customer_id, plan_group, ends_at);
CREATE UNIQUE INDEX subscription_periods_line_uq ON subscription_periods (customer_id, order_item_id) WHERE order_item_id IS NOT NULL;
CREATE TRIGGER subscription_periods_keep BEFORE DELETE OR TRUNCATE ON subscription_periods FOR EACH STATEMENT
  EXECUTE FUNCTION refuse_change('what a subscription allocated is kept');
CREATE TRIGGER subscriptions_keep BEFORE DELETE OR TRUNCATE ON subscriptions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('subscriptions are kept');

-- What became of a subscription, one row for each thing that is told.
CREATE TABLE subscription_steps (
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  subscription_id uuid NOT NULL,
  number integer NOT NULL,
  kind text NOT NULL,
  occurred_at timestamptz(3) NOT NULL,
  recorded_at timestamptz(3) NOT NULL,
  operation_id uuid NOT NULL,
  CONSTRAINT subscription_steps_pk PRIMARY KEY (customer_id, subscription_id, number),
  CONSTRAINT subscription_steps_subscription_fk FOREIGN KEY (customer_id, subscription_id) REFERENCES subscriptions (customer_id, id)
    ON DELETE NO ACTION ON UPDATE NO ACTION
);
CREATE TRIGGER subscription_steps_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON subscription_steps FOR EACH STATEMENT
  EXECUTE FUNCTION refuse_change('what became of a subscription is kept');

-- An older build would neither turn periods nor keep what a line says of its plan.
UPDATE schema_compatibility SET needs = 20261129160000;
