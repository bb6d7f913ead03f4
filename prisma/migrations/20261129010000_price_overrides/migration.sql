-- A line may have been sold at another price than the offer's: what that was, and why. Lines from before were sold at the offer's.
ALTER TABLE order_items ADD COLUMN list_price numeric(20, 6), ADD COLUMN price_reason text,
  ADD CONSTRAINT order_items_list_price_ck CHECK (list_price >= 0 AND (list_price IS NULL) = (price_reason IS NULL));
