-- API keys: never a key, only the hash of one. `owner_id` is the id of the first of the keys that took each other's place, and so stays when one is rotated.
CREATE TABLE api_keys (
  id uuid NOT NULL,
  owner_id uuid NOT NULL,
  name text NOT NULL,
  scopes jsonb NOT NULL,
  token_hash bytea NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  last_used_at timestamptz(3),
  CONSTRAINT api_keys_pk PRIMARY KEY (id),
  CONSTRAINT api_keys_hash_ck CHECK (octet_length(token_hash) = 32),
  CONSTRAINT api_keys_scopes_ck CHECK (jsonb_typeof(scopes) = 'array' AND scopes <> '[]')
);
CREATE INDEX api_keys_created_ix ON api_keys (created_at, id);
