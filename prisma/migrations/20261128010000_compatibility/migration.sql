-- Which builds can run on this database. An older one may come back while it has every migration up to the version named here; what it lacks after
-- that it does not misread. A migration that would be misread raises the number to its own version (CONTRIBUTING.md).
CREATE TABLE schema_compatibility (
  is_the_row boolean NOT NULL DEFAULT true,
  needs bigint NOT NULL,
  CONSTRAINT schema_compatibility_pk PRIMARY KEY (is_the_row),
  CONSTRAINT schema_compatibility_row_ck CHECK (is_the_row)
);
INSERT INTO schema_compatibility (needs) VALUES (20261128010000);
