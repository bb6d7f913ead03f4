-- A period that allocates more than once: when the present one does so next.
ALTER TABLE subscriptions ADD COLUMN allocates_at timestamptz(3);
-- An older build would allocate what such a period gives once.
UPDATE schema_compatibility SET needs = 20261130120000;
