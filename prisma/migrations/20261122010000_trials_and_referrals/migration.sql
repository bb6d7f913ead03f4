-- Trials, adjustments, migrations, exchange, referrals.

ALTER TABLE batches DROP CONSTRAINT batches_source_ck;
ALTER TABLE batches ADD CONSTRAINT batches_source_ck
  CHECK (source IN ('purchase', 'bonus', 'trial', 'adjustment', 'migration', 'exchange'));

ALTER TABLE entries DROP CONSTRAINT entries_kind_ck;
ALTER TABLE entries ADD CONSTRAINT entries_kind_ck CHECK (kind IN ('grant', 'consume', 'expire', 'revoke'));

-- Claim: an identity that had a trial, known only by its keyed hash. One row per identity, scope and pepper.
CREATE TABLE trial_uses (
  scope text NOT NULL,
  pepper_id text NOT NULL,
  identity_hash text NOT NULL,
  identity_type text NOT NULL,
  customer_id uuid NOT NULL,
  operation_id uuid NOT NULL,
  used_at timestamptz(3) NOT NULL,
  CONSTRAINT trial_uses_pk PRIMARY KEY (scope, pepper_id, identity_hash), -- I4: one trial per scope and identity
  CONSTRAINT trial_uses_hash_ck CHECK (identity_hash ~ '^[0-9a-f]{64}$'),
  CONSTRAINT trial_uses_scope_ck CHECK (scope = 'any' OR scope LIKE 'offer:%')
);
CREATE INDEX trial_uses_customer_ix ON trial_uses (customer_id);
CREATE TRIGGER trial_uses_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON trial_uses FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('a used trial stays used');

-- A referral belongs to its referee, who has one.
CREATE TABLE referrals (
  customer_id uuid NOT NULL,
  id uuid NOT NULL,
  referrer_id uuid NOT NULL,
  operation_id uuid NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL,
  CONSTRAINT referrals_pk PRIMARY KEY (customer_id),
  CONSTRAINT referrals_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT referrals_operation_fk FOREIGN KEY (customer_id, operation_id) REFERENCES operations (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT referrals_self_ck CHECK (referrer_id <> customer_id)
);
CREATE TRIGGER referrals_keep BEFORE DELETE OR TRUNCATE ON referrals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('referrals are kept');
CREATE INDEX referrals_referrer_ix ON referrals (referrer_id, created_at, id);

-- What was migrated from elsewhere, by its id there: I4, once each.
CREATE TABLE migration_sources (
  customer_id uuid NOT NULL,
  source_id text NOT NULL,
  operation_id uuid NOT NULL,
  CONSTRAINT migration_sources_pk PRIMARY KEY (customer_id, source_id),
  CONSTRAINT migration_sources_operation_fk FOREIGN KEY (customer_id, operation_id) REFERENCES operations (customer_id, id) ON DELETE NO ACTION ON UPDATE NO ACTION
);
CREATE TRIGGER migration_sources_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON migration_sources FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what was migrated stays migrated');

CREATE INDEX customers_created_ix ON customers (created_at, id);
