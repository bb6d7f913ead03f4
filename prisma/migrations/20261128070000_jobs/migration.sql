-- Background work: a row for each job, by which processes share it and tell of it. All instants are of the database's clock; nothing rests on them but when
-- work is done. `next_due_at` is null where the configuration leaves the job out; `lease_until` without a holder holds a job that failed back.
CREATE TABLE jobs (
  name text NOT NULL,
  interval_ms bigint NOT NULL,
  late_after_ms bigint NOT NULL,
  next_due_at timestamptz(3),
  holder text,
  lease_until timestamptz(3),
  runs bigint NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  last_started_at timestamptz(3),
  last_ended_at timestamptz(3),
  last_error text,
  last_error_at timestamptz(3),
  lag_ms bigint,
  lag_measured_at timestamptz(3),
  CONSTRAINT jobs_pk PRIMARY KEY (name),
  CONSTRAINT jobs_interval_ck CHECK (interval_ms >= 1 AND late_after_ms >= interval_ms),
  CONSTRAINT jobs_lease_ck CHECK (holder IS NULL OR lease_until IS NOT NULL),
  CONSTRAINT jobs_counts_ck CHECK (runs >= 0 AND failures >= 0),
  CONSTRAINT jobs_error_ck CHECK ((last_error IS NULL) = (last_error_at IS NULL) AND length(last_error) <= 500),
  CONSTRAINT jobs_lag_ck CHECK ((lag_ms IS NULL) = (lag_measured_at IS NULL) AND lag_ms >= 0)
);
