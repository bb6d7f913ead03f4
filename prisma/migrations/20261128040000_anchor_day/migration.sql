-- A month bought on the 31st ends on the last day of a shorter month, and the next one on the 31st again: access keeps the day of the month, of which its end
-- may be short. Null of counted batches, of access that never ends, and of batches of an older build, whose chain tells it.
ALTER TABLE batches ADD COLUMN anchor_day smallint, ADD CONSTRAINT batches_anchor_ck CHECK (anchor_day BETWEEN 1 AND 31);
