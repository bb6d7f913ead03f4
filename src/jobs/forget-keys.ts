// The job that forgets what was answered under old keys of callers, unless they are kept for ever.
import { forgetOldKeys } from '../db/idempotency.js';
import type { Deps } from '../deps.js';
import { type DropStep, dropByAge, dropJob } from './by-age.js';

/** Records that one step forgets at most. */
const STEP_MAX = 1_000;

const stepOf =
  ({ db }: Pick<Deps, 'db'>): DropStep =>
  (before) =>
    forgetOldKeys(db, before, STEP_MAX);

export const forgetKeysJob = dropJob('forget-keys', ({ keysKeepDays }) => keysKeepDays, stepOf);

/** Forgets what was recorded under keys of callers more than so many days ago; how many records they were. Throws: clock_skewed. */
export function forgetKeys(
  deps: Pick<Deps, 'db' | 'clock'>,
  keepDays: number,
  isStopped?: () => boolean,
): Promise<number> {
  return dropByAge(deps, keepDays, stepOf(deps), isStopped);
}
