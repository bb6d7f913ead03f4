-- Whether a record was written by a build that tells that offers are retired, and that products and offers come back. Of older ones nobody was told.
ALTER TABLE audit_records ADD COLUMN tells_switches boolean NOT NULL DEFAULT false;
