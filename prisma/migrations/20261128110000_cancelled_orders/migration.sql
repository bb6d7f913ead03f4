-- When an order was cancelled, by which operation, and why.
ALTER TABLE orders ADD COLUMN cancelled_at timestamptz(3), ADD COLUMN cancelled_by uuid, ADD COLUMN cancel_reason text,
  ADD CONSTRAINT orders_cancelled_ck CHECK ((cancelled_at IS NULL) = (cancelled_by IS NULL) AND (cancelled_at IS NULL OR status = 'cancelled'));

-- Lists: of all, of a customer, of payments that need somebody.
CREATE INDEX orders_created_ix ON orders (created_at, id);
CREATE INDEX orders_customer_ix ON orders (customer_id, created_at, id);
CREATE INDEX payments_created_ix ON payments (created_at, payment_method, payment_id);
CREATE INDEX payments_customer_ix ON payments (customer_id, created_at, payment_method, payment_id);
CREATE INDEX payments_status_ix ON payments (status, created_at, payment_method, payment_id);
