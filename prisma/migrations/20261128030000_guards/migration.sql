-- Which secrets the data rest on, so that another one is noticed at start: a name, and a keyed hash of a constant, never the secret. Without the hash it
-- was accepted by hand, and gets it at the next start.
CREATE TABLE secrets (
  name text NOT NULL,
  fingerprint text,
  CONSTRAINT secrets_pk PRIMARY KEY (name),
  CONSTRAINT secrets_fingerprint_ck CHECK (fingerprint ~ '^[0-9a-f]{64}$')
);
