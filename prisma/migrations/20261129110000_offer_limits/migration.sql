-- How many of an offer a customer may have, and of what was granted or exchanged how many it is.
ALTER TABLE offers ADD COLUMN max_per_customer bigint, ADD CONSTRAINT offers_max_per_customer_ck CHECK (max_per_customer BETWEEN 1 AND 9007199254740991);
ALTER TABLE batches ADD COLUMN offer_quantity bigint, ADD CONSTRAINT batches_offer_quantity_ck CHECK (offer_quantity >= 1);
CREATE INDEX order_items_sku_ix ON order_items (customer_id, sku);
CREATE INDEX batches_given_ix ON batches (customer_id, sku) WHERE sku IS NOT NULL AND order_id IS NULL;
