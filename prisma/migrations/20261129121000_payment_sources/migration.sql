-- Payment providers without a file of their own: how they sign, with what (encrypted by a key that is derived from the service's), and what their bodies mean.
CREATE TABLE payment_sources (
  name text NOT NULL,
  description text NOT NULL,
  is_enabled boolean NOT NULL,
  payment_method text NOT NULL,
  signature jsonb NOT NULL,
  mapping jsonb NOT NULL,
  sealed_secret text NOT NULL,
  old_sealed_secret text,
  old_secret_until timestamptz(3),
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  CONSTRAINT payment_sources_pk PRIMARY KEY (name),
  CONSTRAINT payment_sources_old_secret_ck CHECK ((old_sealed_secret IS NULL) = (old_secret_until IS NULL))
);
