-- A build from before refunds gives units back that a refund claims, or fails at it, and can't show the new kinds of entries.
UPDATE schema_compatibility SET needs = 20261129115000;
