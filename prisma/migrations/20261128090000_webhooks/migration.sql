-- Endpoints that are sent their events: where to, and what is signed with, encrypted by a key that is derived from the service's.
ALTER TABLE webhook_endpoints ADD COLUMN url text, ADD COLUMN sealed_secret text, ADD COLUMN old_sealed_secret text,
  ADD COLUMN old_secret_until timestamptz(3), ADD COLUMN disabled_reason text,
  ADD CONSTRAINT webhook_endpoints_secret_ck CHECK ((url IS NULL) = (sealed_secret IS NULL)),
  ADD CONSTRAINT webhook_endpoints_old_secret_ck CHECK ((old_sealed_secret IS NULL) = (old_secret_until IS NULL)),
  ADD CONSTRAINT webhook_endpoints_disabled_ck CHECK (disabled_reason IS NULL OR NOT is_enabled);

-- How far an endpoint with a URL is: every event up to `place` that it asks for is a delivery, whatever became of it. One process at a time has the lease of a
-- row, and writes only while it has it. Without an endpoint it is what one left that is gone. All instants are of the database's clock.
CREATE TABLE webhook_feeds (
  id uuid NOT NULL,
  endpoint_id text,
  place bigint NOT NULL,
  failing_since timestamptz(3),
  paused_until timestamptz(3),
  lease uuid,
  lease_until timestamptz(3),
  CONSTRAINT webhook_feeds_pk PRIMARY KEY (id),
  CONSTRAINT webhook_feeds_endpoint_uq UNIQUE (endpoint_id),
  CONSTRAINT webhook_feeds_lease_ck CHECK ((lease IS NULL) = (lease_until IS NULL))
);

-- One row for each event that was sent, or waits. `lane` is whose the event is: of a lane one is sent after the other. `next_at` says when what waits is looked at.
CREATE TABLE webhook_deliveries (
  feed_id uuid NOT NULL,
  place bigint NOT NULL,
  lane text NOT NULL,
  number bigint NOT NULL,
  previous bigint,
  event_id uuid NOT NULL,
  type text NOT NULL,
  status text NOT NULL,
  attempts integer NOT NULL,
  first_tried_at timestamptz(3),
  tried_at timestamptz(3),
  next_at timestamptz(3),
  answer_status integer,
  answer_excerpt text,
  error text,
  CONSTRAINT webhook_deliveries_pk PRIMARY KEY (feed_id, place),
  CONSTRAINT webhook_deliveries_status_ck CHECK (status IN ('waiting', 'delivered', 'parked')),
  CONSTRAINT webhook_deliveries_next_ck CHECK (next_at IS NULL OR status = 'waiting'),
  CONSTRAINT webhook_deliveries_order_ck CHECK (previous < number)
);
CREATE INDEX webhook_deliveries_lane_ix ON webhook_deliveries (feed_id, lane, place);
CREATE INDEX webhook_deliveries_waiting_ix ON webhook_deliveries (feed_id, lane, place) WHERE status = 'waiting';
CREATE INDEX webhook_deliveries_due_ix ON webhook_deliveries (feed_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_parked_ix ON webhook_deliveries (feed_id, place) WHERE status = 'parked';

-- A range of time is found without an index that every event would pay for.
CREATE INDEX events_recorded_ix ON events USING brin (recorded_at) WITH (pages_per_range = 16);

-- An older build does not know the type of event that tells that an endpoint was disabled.
UPDATE schema_compatibility SET needs = 20261128090000;
