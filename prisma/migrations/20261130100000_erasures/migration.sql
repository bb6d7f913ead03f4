-- A customer can be erased: what is personal of him is blanked, numbers and the hashes of trials stay. Whoever was merged into him is erased with him.
ALTER TABLE customers ADD COLUMN erased_at timestamptz(3);

-- Who was erased, by whom, what was closed and how much was blanked: the log of the one exception to what is append-only.
CREATE TABLE customer_erasures (
  customer_id uuid NOT NULL,
  final_id uuid NOT NULL,
  operation_id uuid NOT NULL,
  closed jsonb NOT NULL,
  blanked jsonb NOT NULL,
  erased_at timestamptz(3) NOT NULL,
  blanked_at timestamptz(3),
  CONSTRAINT customer_erasures_pk PRIMARY KEY (customer_id)
);
CREATE INDEX customer_erasures_open_ix ON customer_erasures (erased_at, customer_id) WHERE blanked_at IS NULL;
CREATE INDEX customer_erasures_final_ix ON customer_erasures (final_id);
CREATE TRIGGER customer_erasures_keep BEFORE DELETE OR TRUNCATE ON customer_erasures FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('erasures are kept');

-- An erasure is of a customer who was erased at its instant; it ends once, and says nothing else afterwards.
CREATE FUNCTION customer_erasures_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.blanked_at IS NULL AND NEW.blanked = '{}' AND EXISTS (SELECT FROM customers c WHERE c.id = NEW.customer_id AND c.erased_at = NEW.erased_at) THEN
      RETURN NEW;
    END IF;
  ELSIF OLD.blanked_at IS NULL AND (to_jsonb(NEW) - 'blanked' - 'blanked_at') = (to_jsonb(OLD) - 'blanked' - 'blanked_at') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% on customer_erasures is refused: an erasure is of an erased customer, and ends once', TG_OP
    USING ERRCODE = 'check_violation', CONSTRAINT = 'customer_erasures_guard';
END $$;
CREATE TRIGGER customer_erasures_guard BEFORE INSERT OR UPDATE ON customer_erasures FOR EACH ROW EXECUTE FUNCTION customer_erasures_guard();

-- The exception -----------------------------------------------------------------------------------------------------------------

-- What a value of an append-only column is blanked to: of snapshots the members that tell of a person, of an archived record all but its instant.
CREATE FUNCTION blanked_value(what text, old jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN what IN ('entries.metadata', 'entries.action_id', 'reservations.action_id') THEN 'null'
    WHEN what = 'reservations.metadata' THEN '{}'
    WHEN what IN ('idempotency_records.answer', 'order_items.price_reason') THEN '""'
    WHEN what = 'archived_records.data' THEN jsonb_build_object('created_at', old -> 'created_at')
    WHEN what IN ('events.data', 'audit_records.before', 'audit_records.after') AND jsonb_typeof(old) = 'object' THEN (
      SELECT coalesce(jsonb_object_agg(key, CASE WHEN key IN ('metadata', 'profile') THEN '{}' WHEN key = 'externalId' THEN '"[erased]"' WHEN key = 'reasons' THEN '[]'
        WHEN key IN ('reason', 'actionId', 'ownerTag') THEN 'null' ELSE value END), '{}')
      FROM jsonb_each(old)
    )
    ELSE old
  END
$$;

-- Whether a row is only blanked, in the columns that are named, while its customer is being erased.
CREATE FUNCTION is_blanking(table_name text, customer uuid, before jsonb, after jsonb, blankable text[]) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (
    SELECT FROM jsonb_each(after) AS changed (name, value)
    WHERE changed.value IS DISTINCT FROM before -> changed.name
      AND (changed.name <> ALL (blankable) OR changed.value IS DISTINCT FROM blanked_value(table_name || '.' || changed.name, before -> changed.name))
  ) AND EXISTS (SELECT FROM customer_erasures e WHERE e.customer_id = customer AND e.blanked_at IS NULL)
$$;

-- Lets a row be blanked while its customer is being erased, and refuses every other change of it.
CREATE FUNCTION only_blanked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF is_blanking(TG_TABLE_NAME, OLD.customer_id, to_jsonb(OLD), to_jsonb(NEW), TG_ARGV[1:]) THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'UPDATE on % is refused: %', TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

DROP TRIGGER entries_append_only_i7 ON entries;
CREATE TRIGGER entries_append_only_i7 BEFORE DELETE OR TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the ledger is append-only');
CREATE TRIGGER entries_only_blanked_i7 BEFORE UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION only_blanked('the ledger is append-only', 'metadata', 'action_id');
DROP TRIGGER order_items_keep ON order_items;
CREATE TRIGGER order_items_keep BEFORE DELETE OR TRUNCATE ON order_items FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('an order line is a snapshot');
CREATE TRIGGER order_items_only_blanked BEFORE UPDATE ON order_items FOR EACH ROW EXECUTE FUNCTION only_blanked('an order line is a snapshot', 'price_reason');
DROP TRIGGER idempotency_records_keep ON idempotency_records;
CREATE TRIGGER idempotency_records_keep BEFORE TRUNCATE ON idempotency_records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('an answer is given as it was');
CREATE TRIGGER idempotency_records_only_blanked BEFORE UPDATE ON idempotency_records FOR EACH ROW EXECUTE FUNCTION only_blanked('an answer is given as it was', 'answer');
DROP TRIGGER audit_records_append_only ON audit_records;
CREATE TRIGGER audit_records_append_only BEFORE DELETE OR TRUNCATE ON audit_records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the audit trail is append-only');
CREATE TRIGGER audit_records_only_blanked BEFORE UPDATE ON audit_records FOR EACH ROW EXECUTE FUNCTION only_blanked('the audit trail is append-only', 'before', 'after');
DROP TRIGGER archived_records_keep ON archived_records;
CREATE TRIGGER archived_records_keep BEFORE TRUNCATE ON archived_records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('an archived record stays as it was');
CREATE TRIGGER archived_records_only_blanked BEFORE UPDATE ON archived_records FOR EACH ROW EXECUTE FUNCTION only_blanked('an archived record stays as it was', 'data');

CREATE OR REPLACE FUNCTION reservations_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.customer_id, NEW.id, NEW.operation_id, NEW.product_key, NEW.feature, NEW.amount, NEW.costs, NEW.created_at)
     IS DISTINCT FROM (OLD.customer_id, OLD.id, OLD.operation_id, OLD.product_key, OLD.feature, OLD.amount, OLD.costs, OLD.created_at) THEN
    RAISE EXCEPTION 'the terms of reservation % are fixed', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'reservations_terms_fixed';
  END IF;
  IF OLD.status <> 'held' AND NOT is_blanking('reservations', OLD.customer_id, to_jsonb(OLD), to_jsonb(NEW), '{metadata,action_id}') THEN
    RAISE EXCEPTION 'reservation % has ended', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'reservations_ended_once';
  END IF;
  RETURN NEW;
END $$;

-- Blanks a piece of what there is of a customer who is being erased: at most so many rows of a table, behind the key at which the piece before ended. Returns the
-- key at which this one ended, null behind the last, and notes how many rows it blanked. It runs as the owner of the tables: nobody else may change them.
CREATE FUNCTION blank_erased(erased uuid, step text, behind text, most integer) RETURNS text
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
    WITH piece AS (SELECT id FROM orders WHERE customer_id = erased AND (behind IS NULL OR id > behind::uuid) ORDER BY id LIMIT most),
    changed AS (UPDATE payment_inbox own SET body = NULL, headers = '{}' FROM piece
      WHERE own.order_id = piece.id AND own.status <> 'waiting' AND (own.body IS NOT NULL OR own.headers <> '{}') RETURNING 1)
    SELECT (SELECT id::text FROM piece ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed) INTO last_key, blanked_rows;
  END CASE;
  UPDATE customer_erasures e SET blanked = e.blanked || jsonb_build_object(step, coalesce((e.blanked ->> step)::bigint, 0) + blanked_rows)
  WHERE e.customer_id = erased AND (blanked_rows > 0 OR NOT e.blanked ? step);
  RETURN last_key;
END $$;
REVOKE EXECUTE ON FUNCTION blank_erased(uuid, text, text, integer) FROM PUBLIC;

-- What a provider tells of an order of somebody who was erased is kept without its body as soon as it waits no more.
CREATE FUNCTION payment_inbox_blank() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.order_id IS NOT NULL AND NEW.body IS NOT NULL AND NEW.status <> 'waiting'
    AND EXISTS (SELECT FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = NEW.order_id AND c.erased_at IS NOT NULL) THEN
    NEW.body := NULL;
    NEW.headers := '{}';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_inbox_blank BEFORE INSERT OR UPDATE ON payment_inbox FOR EACH ROW EXECUTE FUNCTION payment_inbox_blank();

-- The build before would write to customers who were erased.
UPDATE schema_compatibility SET needs = 20261130100000;
