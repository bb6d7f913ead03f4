// Copies limits again that customers share, once they changed: under the lock of each, a few at a time. No answer waits for it.
import { isOutage } from '../db/errors.js';
import { findLimitSource, listBehind } from '../db/limit-sources.js';
import { listLimitsOf } from '../db/limits.js';
import type { Foundations } from '../foundations.js';
import type { Limit, LimitSource } from '../ledger/limit-entities.js';
import { copyLimits } from '../ledger/limit-sharing.js';
import { BY_ITSELF } from './by-itself.js';
import { type Operation, resolvedAs, toMember } from './operation.js';
import { transact } from './transact.js';

/** Customers that one look finds at most. */
const STEP_MAX = 200;

/**
 * Brings up all copies that are older than what they are of, until none is left or `isStopped` says so; of how many customers.
 * Locks: one customer at a time; those that somebody else holds are passed over. Throws: clock_skewed, what the database could not do.
 */
export async function followLimits(deps: Foundations, isStopped: () => boolean = () => false): Promise<number> {
  if (deps.clock.refresh) await deps.clock.refresh();
  const passed: string[] = [];
  let count = 0;
  for (;;) {
    const behind = await listBehind(deps.db, passed, STEP_MAX);
    if (behind.length === 0) return count;
    for (const { customerId } of behind) {
      if (isStopped()) return count;
      if (await followOne(deps, customerId)) count += 1;
      else passed.push(customerId);
    }
  }
}

/** Whether a customer's copies were brought up; not when somebody holds him. */
async function followOne(deps: Foundations, customerId: string): Promise<boolean> {
  const member = resolvedAs(deps, toMember(followOf(customerId)), { customerId, sight: undefined });
  try {
    const { verdicts } = await transact(deps, [member], { opener: 'pool', skipLocked: true });
    return verdicts.size > 0;
  } catch (error) {
    if (isOutage(error)) throw error;
    deps.log.error({ err: error, customerId }, 'the limits that a customer shares could not be copied');
    return false;
  }
}

interface Shared {
  source: LimitSource | undefined;
  limits: Limit[];
}

function followOf(customerId: string): Operation<undefined, Shared> {
  return {
    name: 'limit.follow',
    selector: { customerId },
    call: BY_ITSELF,
    request: {},
    load: async (tx) => {
      // In this order: what changes in between is copied, and then once more.
      const source = await findLimitSource(tx, customerId);
      return { source, limits: source ? await listLimitsOf(tx, [customerId, source.sourceId]) : [] };
    },
    needs: { asks: [] },
    decide: ({ book, loaded: { source, limits }, operationId }) => {
      if (!source || source.changes === source.copied) return { outcome: 'unchanged', result: undefined };
      copyLimits(book, limits, source, operationId);
      const after = { ...source, copiedAt: book.now, copied: source.changes };
      book.changes.limitSources.push({ before: source, after, operationId });
      return { outcome: 'accepted', result: undefined };
    },
    render: () => ({ status: 200, body: '' }),
  };
}
