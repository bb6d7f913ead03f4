-- A refund that is told from two sides, by who asked for it and by the provider, is two rows: the first one counts, the second stands for the same money
-- (`fills`) and claims its own id. Told by: the caller, without an id yet; the provider; null where the caller told its id.
ALTER TABLE refunds ADD COLUMN told_by text, ADD COLUMN fills uuid,
  ADD CONSTRAINT refunds_told_by_ck CHECK (told_by IN ('caller', 'provider')),
  ADD CONSTRAINT refunds_fills_ck CHECK (fills IS NULL OR (amount = 0 AND items = '[]'));
CREATE UNIQUE INDEX refunds_fills_uq ON refunds (customer_id, fills) WHERE fills IS NOT NULL;
