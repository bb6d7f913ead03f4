-- Whether an offer may be granted as a trial, where that is said beside what makes it one; null where it is not.
ALTER TABLE offers ADD COLUMN trial_eligible boolean;
