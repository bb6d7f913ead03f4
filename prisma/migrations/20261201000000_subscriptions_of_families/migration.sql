-- Subscriptions of customers that are merged: one keeps its id in the ledger in which it goes on, and its row in the one that it left says where it went.
ALTER TABLE subscriptions
  -- In whose ledger it goes on since a merge; null of one that is there, or ended there.
  ADD COLUMN moved_to uuid,
  -- In whose ledgers it was before, in their order.
  ADD COLUMN former_ids jsonb NOT NULL DEFAULT '[]';
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_status_ck;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_status_ck
  CHECK (status IN ('incomplete', 'trialing', 'active', 'past_due', 'cancelled', 'expired')
    AND (status IN ('cancelled', 'expired') OR moved_to IS NOT NULL) = (ended_at IS NOT NULL)
    AND (moved_to IS NULL OR (status NOT IN ('cancelled', 'expired') AND turns_at IS NULL))
    AND jsonb_typeof(former_ids) = 'array');
-- In whose ledger the order is that paid a period, where it is another's than the subscription: he was merged before he paid.
ALTER TABLE subscription_periods ADD COLUMN order_customer_id uuid,
  ADD CONSTRAINT subscription_periods_order_ck CHECK (order_customer_id IS NULL OR (order_id IS NOT NULL AND order_customer_id <> customer_id));
CREATE UNIQUE INDEX subscription_periods_order_uq ON subscription_periods (order_customer_id, order_item_id) WHERE order_customer_id IS NOT NULL;

-- An older build would take a subscription that went on elsewhere for one that has ended.
UPDATE schema_compatibility SET needs = 20261201000000;
