-- What payment providers told, each event once. What was told is kept as it came, until it is blanked by age; what it means stands beside it.
CREATE TABLE payment_inbox (
  provider text NOT NULL,
  event_id text NOT NULL,
  id uuid NOT NULL,
  type text NOT NULL,
  kind text NOT NULL,
  order_ref text,
  subscription_ref text,
  payment_id text,
  refund_id text,
  dispute_id text,
  amount numeric(20, 6),
  currency text,
  occurred_at timestamptz(3),
  status text NOT NULL,
  reason text,
  detail text,
  order_id uuid,
  attempts integer NOT NULL,
  received_at timestamptz(3) NOT NULL,
  next_at timestamptz(3),
  settled_at timestamptz(3),
  body bytea,
  headers jsonb NOT NULL,
  CONSTRAINT payment_inbox_pk PRIMARY KEY (provider, event_id),
  CONSTRAINT payment_inbox_id_uq UNIQUE (id),
  CONSTRAINT payment_inbox_kind_ck CHECK (kind IN (
    'paid', 'failed', 'expired', 'cancelled', 'refunded', 'refund_failed', 'dispute_opened', 'dispute_won', 'dispute_lost', 'ignored', 'unreadable')),
  CONSTRAINT payment_inbox_status_ck CHECK (status IN ('waiting', 'applied', 'ignored', 'quarantined', 'dismissed')),
  CONSTRAINT payment_inbox_waiting_ck CHECK ((status = 'waiting') = (next_at IS NOT NULL) AND (status = 'waiting') = (settled_at IS NULL))
);
CREATE INDEX payment_inbox_received_ix ON payment_inbox (received_at, id);
CREATE INDEX payment_inbox_status_ix ON payment_inbox (status, received_at, id);
CREATE INDEX payment_inbox_due_ix ON payment_inbox (next_at) WHERE status = 'waiting';
CREATE INDEX payment_inbox_order_ix ON payment_inbox (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX payment_inbox_payment_ix ON payment_inbox (provider, payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX payment_inbox_body_ix ON payment_inbox (received_at) WHERE body IS NOT NULL;

-- What was applied or dismissed stays so, and no event is told as another one.
CREATE FUNCTION payment_inbox_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.provider, NEW.event_id, NEW.id) IS DISTINCT FROM (OLD.provider, OLD.event_id, OLD.id)
     OR (OLD.status IN ('applied', 'dismissed') AND NEW.status <> OLD.status) THEN
    RAISE EXCEPTION 'an event of a payment provider cannot move from % to %', OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_inbox_statuses';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_inbox_guard BEFORE UPDATE ON payment_inbox FOR EACH ROW EXECUTE FUNCTION payment_inbox_guard();
CREATE TRIGGER payment_inbox_keep BEFORE DELETE OR TRUNCATE ON payment_inbox FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('events of payment providers are kept');
