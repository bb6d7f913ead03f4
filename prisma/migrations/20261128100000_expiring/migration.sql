-- How many days before a batch of a product ends that is told; and when of each batch, until it was.
ALTER TABLE products ADD COLUMN expiring_days integer,
  ADD CONSTRAINT products_expiring_days_ck CHECK (expiring_days BETWEEN 1 AND 3650);
ALTER TABLE batches ADD COLUMN notice_at timestamptz(3);
CREATE INDEX batches_notice_ix ON batches (notice_at) WHERE notice_at IS NOT NULL;
