-- What a provider tells of a subscription, and of no order, is personal of whoever has it: an erasure blanks it, too.
CREATE INDEX payment_inbox_subscription_ix ON payment_inbox (lower(subscription_ref)) WHERE subscription_ref IS NOT NULL;

CREATE OR REPLACE FUNCTION blank_erased(erased uuid, step text, behind text, most integer) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  last_key text;
  blanked_rows bigint;
BEGIN
  PERFORM FROM customers c WHERE c.id = erased FOR NO KEY UPDATE;
  PERFORM FROM customer_erasures e WHERE e.customer_id = erased AND e.blanked_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'customer % is not being erased', erased USING ERRCODE = 'restrict_violation';
  END IF;
  CASE step
  WHEN 'customers' THEN
    UPDATE customers own SET metadata = '{}' WHERE own.id = erased AND own.metadata <> '{}';
    GET DIAGNOSTICS blanked_rows = ROW_COUNT;
    UPDATE referrals own SET metadata = '{}' WHERE own.customer_id = erased AND own.metadata <> '{}';
  WHEN 'orders' THEN
    WITH piece AS (SELECT id FROM orders WHERE customer_id = erased AND (behind IS NULL OR id > behind::uuid) ORDER BY id LIMIT most),
    changed AS (UPDATE orders own SET metadata = '{}', cancel_reason = NULL FROM piece
      WHERE own.customer_id = erased AND own.id = piece.id AND (own.metadata <> '{}' OR own.cancel_reason IS NOT NULL) RETURNING 1)
    SELECT (SELECT id::text FROM piece ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'order_items' THEN
    WITH piece AS (SELECT id FROM order_items WHERE customer_id = erased AND (behind IS NULL OR id > behind::uuid) ORDER BY id LIMIT most),
    changed AS (UPDATE order_items own SET price_reason = '' FROM piece WHERE own.customer_id = erased AND own.id = piece.id AND own.price_reason <> '' RETURNING 1)
    SELECT (SELECT id::text FROM piece ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'refunds' THEN
    WITH piece AS (SELECT id FROM refunds WHERE customer_id = erased AND (behind IS NULL OR id > behind::uuid) ORDER BY id LIMIT most),
    changed AS (UPDATE refunds own SET reason = NULL FROM piece WHERE own.customer_id = erased AND own.id = piece.id AND own.reason IS NOT NULL RETURNING 1)
    SELECT (SELECT id::text FROM piece ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'subscriptions' THEN
    WITH piece AS (SELECT id FROM subscriptions WHERE customer_id = erased AND (behind IS NULL OR id > behind::uuid) ORDER BY id LIMIT most),
    changed AS (UPDATE subscriptions own SET metadata = '{}' FROM piece WHERE own.customer_id = erased AND own.id = piece.id AND own.metadata <> '{}' RETURNING 1)
    SELECT (SELECT id::text FROM piece ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'batches' THEN
    WITH piece AS (SELECT id FROM batches WHERE customer_id = erased AND (behind IS NULL OR id > behind::uuid) ORDER BY id LIMIT most),
    changed AS (UPDATE batches own SET metadata = '{}' FROM piece WHERE own.customer_id = erased AND own.id = piece.id AND own.metadata <> '{}' RETURNING 1)
    SELECT (SELECT id::text FROM piece ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'reservations' THEN
    WITH piece AS (SELECT id FROM reservations WHERE customer_id = erased AND (behind IS NULL OR id > behind::uuid) ORDER BY id LIMIT most),
    changed AS (UPDATE reservations own SET metadata = '{}', action_id = NULL FROM piece
      WHERE own.customer_id = erased AND own.id = piece.id AND (own.metadata <> '{}' OR own.action_id IS NOT NULL) RETURNING 1)
    SELECT (SELECT id::text FROM piece ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'entries' THEN
    -- What says when access was moved, and which debt a repayment came back of, is no caller's.
    WITH piece AS (SELECT seq FROM entries WHERE customer_id = erased AND (behind IS NULL OR seq > behind::bigint) ORDER BY seq LIMIT most),
    changed AS (UPDATE entries own SET metadata = CASE own.kind WHEN 'adjust' THEN own.metadata END, action_id = CASE own.kind WHEN 'repay' THEN own.action_id END FROM piece
      WHERE own.customer_id = erased AND own.seq = piece.seq AND (own.kind <> 'adjust' AND own.metadata IS NOT NULL OR own.kind <> 'repay' AND own.action_id IS NOT NULL) RETURNING 1)
    SELECT (SELECT seq::text FROM piece ORDER BY seq DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'archived_records' THEN
    WITH piece AS (SELECT kind, source_id FROM archived_records
      WHERE customer_id = erased AND (behind IS NULL OR (kind, source_id) > (split_part(behind, ' ', 1), substr(behind, strpos(behind, ' ') + 1))) ORDER BY kind, source_id LIMIT most),
    changed AS (UPDATE archived_records own SET data = blanked_value('archived_records.data', own.data) FROM piece
      WHERE own.customer_id = erased AND own.kind = piece.kind AND own.source_id = piece.source_id AND own.data <> blanked_value('archived_records.data', own.data) RETURNING 1)
    SELECT (SELECT kind || ' ' || source_id FROM piece ORDER BY kind DESC, source_id DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'idempotency_records' THEN
    -- Under a caller's key they go; what is answered because of what it is about is kept without its answer.
    WITH piece AS (SELECT name, kind, key FROM idempotency_records
      WHERE customer_id = erased AND (behind IS NULL OR (name, kind, key) > (split_part(behind, ' ', 1), split_part(behind, ' ', 2), substr(behind, length(split_part(behind, ' ', 1)) + length(split_part(behind, ' ', 2)) + 3)))
      ORDER BY name, kind, key LIMIT most),
    gone AS (DELETE FROM idempotency_records own USING piece WHERE own.customer_id = erased AND own.name = piece.name AND own.kind = piece.kind AND own.key = piece.key AND own.kind = 'client' RETURNING 1),
    changed AS (UPDATE idempotency_records own SET answer = '' FROM piece
      WHERE own.customer_id = erased AND own.name = piece.name AND own.kind = piece.kind AND own.key = piece.key AND own.kind = 'natural' AND own.answer <> '' RETURNING 1)
    SELECT (SELECT name || ' ' || kind || ' ' || key FROM piece ORDER BY name DESC, kind DESC, key DESC LIMIT 1), (SELECT count(*) FROM changed) + (SELECT count(*) FROM gone) INTO last_key, blanked_rows;
  WHEN 'events' THEN
    WITH piece AS (SELECT number FROM events WHERE customer_id = erased AND (behind IS NULL OR number > behind::bigint) ORDER BY number LIMIT most),
    changed AS (UPDATE events own SET data = blanked_value('events.data', own.data) FROM piece
      WHERE own.customer_id = erased AND own.number = piece.number AND own.data <> blanked_value('events.data', own.data) RETURNING 1)
    SELECT (SELECT number::text FROM piece ORDER BY number DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'audit_records' THEN
    WITH piece AS (SELECT id FROM audit_records WHERE customer_id = erased AND (behind IS NULL OR id > behind::uuid) ORDER BY id LIMIT most),
    changed AS (UPDATE audit_records own SET before = blanked_value('audit_records.before', own.before), after = blanked_value('audit_records.after', own.after) FROM piece
      WHERE own.id = piece.id AND (own.before <> blanked_value('audit_records.before', own.before) OR own.after <> blanked_value('audit_records.after', own.after)) RETURNING 1)
    SELECT (SELECT id::text FROM piece ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'webhook_deliveries' THEN
    WITH piece AS (SELECT d.feed_id, d.place FROM webhook_feeds f JOIN webhook_deliveries d ON d.feed_id = f.id AND d.lane = erased::text
      WHERE behind IS NULL OR (d.feed_id, d.place) > (split_part(behind, ' ', 1)::uuid, split_part(behind, ' ', 2)::bigint) ORDER BY d.feed_id, d.place LIMIT most),
    changed AS (UPDATE webhook_deliveries own SET answer_excerpt = NULL, error = NULL FROM piece
      WHERE own.feed_id = piece.feed_id AND own.place = piece.place AND (own.answer_excerpt IS NOT NULL OR own.error IS NOT NULL) RETURNING 1)
    SELECT (SELECT feed_id::text || ' ' || place::text FROM piece ORDER BY feed_id DESC, place DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  WHEN 'payment_inbox' THEN
    -- Of his orders, and what names no order but a subscription of his.
    WITH piece AS (
      (SELECT id FROM orders WHERE customer_id = erased AND (behind IS NULL OR id > behind::uuid) ORDER BY id LIMIT most)
      UNION (SELECT id FROM subscriptions WHERE customer_id = erased AND (behind IS NULL OR id > behind::uuid) ORDER BY id LIMIT most)
      ORDER BY id LIMIT most
    ), told AS (
      SELECT t.id FROM piece JOIN payment_inbox t ON t.order_id = piece.id
      UNION SELECT t.id FROM piece JOIN payment_inbox t ON lower(t.subscription_ref) = piece.id::text AND t.subscription_ref IS NOT NULL AND t.order_id IS NULL
    ), changed AS (UPDATE payment_inbox own SET body = NULL, headers = '{}' FROM told
      WHERE own.id = told.id AND own.status <> 'waiting' AND (own.body IS NOT NULL OR own.headers <> '{}') RETURNING 1)
    SELECT (SELECT id::text FROM piece ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  END CASE;
  UPDATE customer_erasures e SET blanked = e.blanked || jsonb_build_object(step, coalesce((e.blanked ->> step)::bigint, 0) + blanked_rows)
  WHERE e.customer_id = erased AND (blanked_rows > 0 OR NOT e.blanked ? step);
  RETURN last_key;
END $$;

-- Whether an event of a payment provider is of somebody who was erased.
CREATE FUNCTION is_of_erased(told payment_inbox) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF told.order_id IS NOT NULL THEN
    RETURN EXISTS (SELECT FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = told.order_id AND c.erased_at IS NOT NULL);
  ELSIF told.subscription_ref ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
    RETURN EXISTS (SELECT FROM subscriptions s JOIN customers c ON c.id = s.customer_id WHERE s.id = told.subscription_ref::uuid AND c.erased_at IS NOT NULL);
  END IF;
  RETURN false;
END $$;

CREATE OR REPLACE FUNCTION payment_inbox_blank() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.body IS NOT NULL AND NEW.status <> 'waiting' AND is_of_erased(NEW) THEN
    NEW.body := NULL;
    NEW.headers := '{}';
  END IF;
  RETURN NEW;
END $$;

-- Of who was erased before.
UPDATE payment_inbox own SET body = NULL, headers = '{}' WHERE own.status <> 'waiting' AND own.body IS NOT NULL AND own.order_id IS NULL AND is_of_erased(own);
