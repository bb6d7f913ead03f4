-- An attempt by hand is under way until then at most: no other one is begun meanwhile.
ALTER TABLE webhook_deliveries ADD COLUMN by_hand_until timestamptz(3);

-- The last failure since something arrived: a time in which nothing was tried is not held against an endpoint.
ALTER TABLE webhook_feeds ADD COLUMN failed_at timestamptz(3);
