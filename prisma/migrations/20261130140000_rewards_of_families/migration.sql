-- Rewards across merges: whose the order is that earned one, where that is not who was brought, since they were merged.
ALTER TABLE rewards ADD COLUMN order_customer_id uuid,
  ADD CONSTRAINT rewards_order_customer_ck CHECK (order_customer_id IS NULL OR order_id IS NOT NULL);
