-- What is told of changes (DOMAIN 3.19), in the transaction of the change. `place` is drawn under the customer's lock, so that of each customer it grows with
-- `number`; its high bits count how often the data moved to another server (`event_log`), so that it never comes twice.
CREATE TABLE events (
  place bigint GENERATED ALWAYS AS IDENTITY,
  customer_id uuid NOT NULL,
  number bigint NOT NULL,
  id uuid NOT NULL,
  type text NOT NULL,
  schema_version smallint NOT NULL,
  subject_id uuid NOT NULL,
  operation_id uuid,
  data jsonb NOT NULL,
  recorded_at timestamptz(3) NOT NULL,
  CONSTRAINT events_pk PRIMARY KEY (place),
  CONSTRAINT events_number_uq UNIQUE (customer_id, number),
  CONSTRAINT events_number_ck CHECK (number >= 1),
  CONSTRAINT events_data_ck CHECK (octet_length(data::text) <= 16384)
);
-- The first event of every customer tells that he came to be, also of those of whom it was not told.
ALTER TABLE customers ADD COLUMN next_event bigint NOT NULL DEFAULT 2, ADD CONSTRAINT customers_next_event_ck CHECK (next_event >= 2);

-- One row: since when changes have events (null: always), and up to which place events were dropped by age; on which server the places were drawn (null: not known yet).
CREATE TABLE event_log (
  is_the_row boolean NOT NULL DEFAULT true,
  told_since timestamptz(3),
  dropped_place bigint NOT NULL DEFAULT 0,
  server text,
  CONSTRAINT event_log_pk PRIMARY KEY (is_the_row),
  CONSTRAINT event_log_row_ck CHECK (is_the_row)
);
-- What was changed before has no events, nor has what a process of an older build writes that still runs.
INSERT INTO event_log (told_since) SELECT CASE WHEN EXISTS (SELECT FROM customers) THEN clock_timestamp() END;

-- An older build would change without a word.
UPDATE schema_compatibility SET needs = 20261128060000;
