-- Whether a record was written by a build that tells that a product's features cost more or are gone. Of older ones nobody was told.
ALTER TABLE audit_records ADD COLUMN tells_changes boolean NOT NULL DEFAULT false;
