-- Reservations, units that come back, debt, and calls that have a key but no customer of their own.

-- The ledger learns to hold, to give back and to owe. `unit_cost` is what one feature unit cost when the units moved (null when the product
-- itself was asked for); `reverses_seq` names the entry that a give-back corrects.
ALTER TABLE entries ADD COLUMN reservation_id uuid, ADD COLUMN unit_cost bigint, ADD COLUMN reverses_seq bigint;
ALTER TABLE entries DROP CONSTRAINT entries_kind_ck;
ALTER TABLE entries ADD CONSTRAINT entries_kind_ck CHECK (kind IN
  ('grant', 'consume', 'expire', 'revoke', 'hold', 'release', 'commit', 'reverse', 'debt', 'repay', 'forgive'));
ALTER TABLE entries DROP CONSTRAINT entries_operation_ck;
ALTER TABLE entries ADD CONSTRAINT entries_operation_ck CHECK (operation_id IS NOT NULL OR kind IN ('expire', 'release', 'repay'));
ALTER TABLE entries ADD CONSTRAINT entries_batch_ck CHECK (batch_id IS NOT NULL OR kind IN ('debt', 'forgive'));
ALTER TABLE entries ADD CONSTRAINT entries_reservation_ck CHECK (reservation_id IS NOT NULL OR kind NOT IN ('hold', 'release', 'commit'));
ALTER TABLE entries ADD CONSTRAINT entries_reverses_ck CHECK ((reverses_seq IS NOT NULL OR kind <> 'reverse') AND reverses_seq < seq);
ALTER TABLE entries ADD CONSTRAINT entries_unit_cost_ck CHECK (unit_cost BETWEEN 1 AND 9007199254740991);
-- An entry has a batch or an operation, and each of them a customer: asking for the customer once more costs every consume.
ALTER TABLE entries DROP CONSTRAINT entries_customer_fk;
CREATE INDEX entries_reverses_ix ON entries (customer_id, reverses_seq) WHERE reverses_seq IS NOT NULL;

-- The entries of an operation follow one another: where they begin and end finds them by the primary key, without an index to keep up.
ALTER TABLE operations ADD COLUMN first_seq bigint, ADD COLUMN last_seq bigint;
ALTER TABLE operations ADD CONSTRAINT operations_seq_ck CHECK ((first_seq IS NULL) = (last_seq IS NULL) AND first_seq <= last_seq);
UPDATE operations o SET first_seq = e.first_seq, last_seq = e.last_seq
FROM (
  SELECT customer_id, operation_id, min(seq) AS first_seq, max(seq) AS last_seq FROM entries WHERE operation_id IS NOT NULL
  GROUP BY customer_id, operation_id
) e
WHERE o.customer_id = e.customer_id AND o.id = e.operation_id;
CREATE UNIQUE INDEX operations_id_uq ON operations (id);

-- Reservations ------------------------------------------------------------------------------------------------------------

-- Units held for work in progress. `amount` is in the unit of its subject; `costs` are product units for each of those, by product, as they
-- were when it was made.
CREATE TABLE reservations (
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  operation_id uuid NOT NULL,
  product_key text,
  feature text,
  amount bigint NOT NULL,
  costs jsonb NOT NULL,
  status text NOT NULL,
  committed_amount bigint NOT NULL,
  action_type text NOT NULL,
  action_id text,
  metadata jsonb NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL,
  ended_at timestamptz(3),
  ended_by uuid,
  CONSTRAINT reservations_pk PRIMARY KEY (customer_id, id),
  CONSTRAINT reservations_id_uq UNIQUE (id),
  CONSTRAINT reservations_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT reservations_operation_fk FOREIGN KEY (customer_id, operation_id) REFERENCES operations (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT reservations_ended_by_fk FOREIGN KEY (customer_id, ended_by) REFERENCES operations (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT reservations_subject_ck CHECK ((product_key IS NULL) <> (feature IS NULL)),
  CONSTRAINT reservations_amount_ck CHECK (amount BETWEEN 1 AND 9007199254740991),
  CONSTRAINT reservations_status_ck CHECK (status IN ('held', 'committed', 'released', 'expired')),
  CONSTRAINT reservations_committed_ck CHECK (committed_amount BETWEEN 0 AND 9007199254740991 AND (status = 'committed') = (committed_amount > 0)),
  CONSTRAINT reservations_ended_ck CHECK ((status = 'held') = (ended_at IS NULL) AND (status IN ('committed', 'released')) = (ended_by IS NOT NULL)),
  CONSTRAINT reservations_end_ck CHECK (expires_at > created_at AND expires_at <= created_at + interval '7 days')
) WITH (fillfactor = 80);
CREATE INDEX reservations_open_ix ON reservations (customer_id, expires_at, id) WHERE status = 'held';
CREATE INDEX reservations_due_ix ON reservations (expires_at) WHERE status = 'held';
CREATE INDEX reservations_created_ix ON reservations (customer_id, created_at, id);

-- Exactly one ending wins, and nothing that was agreed changes.
CREATE FUNCTION reservations_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.customer_id, NEW.id, NEW.operation_id, NEW.product_key, NEW.feature, NEW.amount, NEW.costs, NEW.created_at)
     IS DISTINCT FROM (OLD.customer_id, OLD.id, OLD.operation_id, OLD.product_key, OLD.feature, OLD.amount, OLD.costs, OLD.created_at) THEN
    RAISE EXCEPTION 'the terms of reservation % are fixed', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'reservations_terms_fixed';
  END IF;
  IF OLD.status <> 'held' THEN
    RAISE EXCEPTION 'reservation % has ended', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'reservations_ended_once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reservations_guard BEFORE UPDATE ON reservations FOR EACH ROW EXECUTE FUNCTION reservations_guard();
CREATE TRIGGER reservations_keep BEFORE DELETE OR TRUNCATE ON reservations FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('reservations are kept');

-- What a reservation holds of each batch, in the order of use, in product units.
CREATE TABLE reservation_legs (
  customer_id uuid NOT NULL,
  reservation_id uuid NOT NULL,
  position integer NOT NULL,
  batch_id uuid NOT NULL,
  product_key text NOT NULL,
  amount bigint NOT NULL,
  CONSTRAINT reservation_legs_pk PRIMARY KEY (customer_id, reservation_id, position),
  CONSTRAINT reservation_legs_reservation_fk FOREIGN KEY (customer_id, reservation_id) REFERENCES reservations (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT reservation_legs_batch_fk FOREIGN KEY (customer_id, batch_id) REFERENCES batches (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT reservation_legs_amount_ck CHECK (amount BETWEEN 1 AND 9007199254740991)
);
CREATE TRIGGER reservation_legs_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON reservation_legs FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what a reservation held stays on record');

-- What has fallen due, whoever's it is: for the sweep.
CREATE INDEX batches_sweep_ix ON batches (expires_at) WHERE is_open;

-- Claim: a keyed call that is about no customer of its own, such as a batch of consumes. I4: one effect per idempotency key.
CREATE TABLE keyed_calls (
  name text NOT NULL,
  idempotency_key text NOT NULL,
  request_hash text NOT NULL,
  request_hash_version smallint NOT NULL,
  status smallint NOT NULL,
  answer text NOT NULL,
  recorded_at timestamptz(3) NOT NULL,
  CONSTRAINT keyed_calls_pk PRIMARY KEY (name, idempotency_key)
);
CREATE TRIGGER keyed_calls_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON keyed_calls FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('keyed calls are the memory of what was answered');

-- Ends a statement that did not change every row it was to change; sent together with COMMIT, nobody could look at its answer in between.
CREATE FUNCTION assert_whole(is_whole boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF is_whole IS NOT TRUE THEN RAISE EXCEPTION 'a row that was to be changed is not there' USING ERRCODE = 'assert_failure'; END IF;
  RETURN true;
END $$;
