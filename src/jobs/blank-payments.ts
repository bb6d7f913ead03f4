// The job that blanks old bodies of payment providers: what became of their events stays.
import { blankBodies } from '../db/payment-inbox.js';
import type { Deps } from '../deps.js';
import { type DropStep, dropByAge, dropJob } from './by-age.js';

/** Bodies that one step blanks at most. */
const STEP_MAX = 500;

const stepOf =
  ({ db }: Pick<Deps, 'db'>): DropStep =>
  (before) =>
    blankBodies(db, before, STEP_MAX);

export const blankPaymentsJob = dropJob('blank-payments', ({ paymentBodiesKeepDays }) => paymentBodiesKeepDays, stepOf);

/** Blanks bodies that came more than so many days ago; how many. Throws: clock_skewed. */
export function blankPayments(deps: Pick<Deps, 'db' | 'clock'>, keepDays: number): Promise<number> {
  return dropByAge(deps, keepDays, stepOf(deps));
}
