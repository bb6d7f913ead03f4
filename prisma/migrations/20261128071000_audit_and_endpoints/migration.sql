-- What management changed: who, when, from what to what. Written in the transaction of the change, once; never changed.
CREATE TABLE audit_records (
  id uuid NOT NULL,
  recorded_at timestamptz(3) NOT NULL,
  acting_key text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  customer_id uuid,
  operation_id uuid,
  before jsonb,
  after jsonb,
  CONSTRAINT audit_records_pk PRIMARY KEY (id),
  CONSTRAINT audit_records_action_ck CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
  CONSTRAINT audit_records_change_ck CHECK (before IS NOT NULL OR after IS NOT NULL)
);
CREATE INDEX audit_records_age_ix ON audit_records (recorded_at, id);
CREATE INDEX audit_records_customer_ix ON audit_records (customer_id, recorded_at, id) WHERE customer_id IS NOT NULL;
CREATE INDEX audit_records_subject_ix ON audit_records (subject, recorded_at, id);
CREATE TRIGGER audit_records_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the audit trail is append-only');

-- Who asks for events, and for which: the id is the client's to choose.
CREATE TABLE webhook_endpoints (
  id text NOT NULL,
  description text NOT NULL,
  types jsonb NOT NULL,
  is_enabled boolean NOT NULL,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  CONSTRAINT webhook_endpoints_pk PRIMARY KEY (id),
  CONSTRAINT webhook_endpoints_types_ck CHECK (jsonb_typeof(types) = 'array' AND jsonb_array_length(types) >= 1)
);

-- Uses are told while an endpoint asks for them; which were, their operations say.
ALTER TABLE event_log ADD COLUMN tells_uses boolean NOT NULL DEFAULT false,
  ADD COLUMN next_event bigint NOT NULL DEFAULT 1, ADD CONSTRAINT event_log_next_event_ck CHECK (next_event >= 1);
ALTER TABLE operations ADD COLUMN tells_use boolean NOT NULL DEFAULT false;

-- A customer's own feed goes by the places of his events.
CREATE INDEX events_customer_ix ON events (customer_id, place);

-- On which history of the server its writes are: another one from the moment a standby is promoted, or the server recovered to an earlier point.
CREATE FUNCTION server_timeline() RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
$$;
-- No place is drawn on a server on which places may have been lost that readers know.
CREATE FUNCTION assert_same_server(is_same boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF is_same IS NOT TRUE THEN RAISE EXCEPTION 'the data moved to another server' USING ERRCODE = 'BC002'; END IF;
  RETURN true;
END $$;

-- Events about no customer have numbers of their own.
ALTER TABLE events ALTER COLUMN customer_id DROP NOT NULL;
CREATE UNIQUE INDEX events_own_number_uq ON events (number) WHERE customer_id IS NULL;

-- What is told once for a window of time, whatever else happens in it: of a customer, by the type of its event and what it is about.
CREATE TABLE notices (
  customer_id uuid NOT NULL,
  type text NOT NULL,
  subject text NOT NULL,
  window_start timestamptz(3) NOT NULL,
  event_id uuid NOT NULL,
  CONSTRAINT notices_pk PRIMARY KEY (customer_id, type, subject)
);

-- The test clock: one row once it was set, and then no other time counts.
CREATE TABLE sandbox_clock (
  is_the_row boolean NOT NULL DEFAULT true,
  instant timestamptz(3) NOT NULL,
  CONSTRAINT sandbox_clock_pk PRIMARY KEY (is_the_row),
  CONSTRAINT sandbox_clock_row_ck CHECK (is_the_row)
);

-- An older build would not tell uses that are asked for, nor of management, and would go by its own clock.
UPDATE schema_compatibility SET needs = 20261128071000;
