-- A claim that somebody else took meanwhile fails in the statement that wanted it, so that a COMMIT sent behind it is a rollback; orders that nobody
-- paid in time are found by their customer, and by their end.

-- BC001 is ours: what was decided no longer holds and is to be decided anew.
CREATE FUNCTION assert_claimed(is_claimed boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF is_claimed IS NOT TRUE THEN RAISE EXCEPTION 'a claim was taken meanwhile' USING ERRCODE = 'BC001'; END IF;
  RETURN true;
END $$;

CREATE INDEX orders_pending_ix ON orders (customer_id, expires_at) WHERE status = 'pending';
CREATE INDEX orders_due_ix ON orders (expires_at) WHERE status = 'pending';
