-- What was moved in from another system and is no line of this ledger: kept as it was, for who looks back. Belongs to its customer.
CREATE TABLE archived_records (
  customer_id uuid NOT NULL,
  kind text NOT NULL,
  source_id text NOT NULL,
  happened_at timestamptz(3) NOT NULL,
  data jsonb NOT NULL,
  CONSTRAINT archived_records_pk PRIMARY KEY (customer_id, kind, source_id),
  CONSTRAINT archived_records_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT archived_records_kind_ck CHECK (kind IN ('entry', 'order', 'batch'))
);
CREATE TRIGGER archived_records_keep BEFORE UPDATE OR TRUNCATE ON archived_records
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('an archived record stays as it was');

-- Claim: an identity that had a trial in the system that was moved in, by the plain hash that it kept. Of nobody in particular.
CREATE TABLE archived_trials (
  identity_type text NOT NULL,
  identity_hash text NOT NULL,
  plan text NOT NULL,
  used_at timestamptz(3) NOT NULL,
  CONSTRAINT archived_trials_pk PRIMARY KEY (identity_type, identity_hash),
  CONSTRAINT archived_trials_type_ck CHECK (identity_type <> '' AND identity_type = lower(btrim(identity_type))),
  CONSTRAINT archived_trials_hash_ck CHECK (identity_hash ~ '^[0-9a-f]{64}$')
);
CREATE TRIGGER archived_trials_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON archived_trials
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a used trial stays used');
