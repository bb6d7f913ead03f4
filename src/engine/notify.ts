// Tells ahead of batches that end: once each, under the lock of their customer. No answer depends on it.

import { isOutage } from '../db/errors.js';
import { listBatchesToNotice, listCustomersToNotice } from '../db/expiring.js';
import type { Foundations } from '../foundations.js';
import type { ExpiringBatch } from '../ledger/entities.js';
import { tellExpiring } from '../ledger/expiring.js';
import { BY_ITSELF } from './by-itself.js';
import { type Operation, resolvedAs, toMember } from './operation.js';
import { transact } from './transact.js';

/** Batches that one look finds at most, and that one transaction tells of. */
const STEP_MAX = 500;

/**
 * Tells of all batches of which it is time, customer by customer, until none is left or `isStopped` says so; of how many it was time.
 * Locks: one customer at a time; those that somebody else holds are passed over. Throws: clock_skewed, what the database could not do.
 */
export async function notify(deps: Foundations, isStopped: () => boolean = () => false): Promise<number> {
  if (deps.clock.refresh) await deps.clock.refresh();
  const passed = new Set<string>();
  let count = 0;
  for (;;) {
    const due = await listCustomersToNotice(deps.db, deps.clock.now(), [...passed], STEP_MAX);
    if (due.length === 0) return count;
    for (const customerId of due) {
      if (isStopped()) return count;
      const told = await notifyOne(deps, customerId);
      count += told;
      if (told === 0) passed.add(customerId);
    }
  }
}

/** How many batches of a customer were dealt with; 0 when somebody holds him, or he could not be. */
async function notifyOne(deps: Foundations, customerId: string): Promise<number> {
  const member = resolvedAs(deps, toMember(noticeOf(deps, customerId)), { customerId, sight: undefined });
  try {
    const { changes } = await transact(deps, [member], { opener: 'pool', skipLocked: true });
    return changes.customers.reduce((sum, own) => sum + own.changes.passedNotices.length, 0);
  } catch (error) {
    if (isOutage(error)) throw error;
    deps.log.error({ err: error, customerId }, 'it could not be told that something of a customer ends');
    return 0;
  }
}

/** What is told of a customer: no operation of his, so that nothing is recorded but what is told. */
function noticeOf({ clock }: Foundations, customerId: string): Operation<number, ExpiringBatch[]> {
  return {
    name: 'batch.notice',
    selector: { customerId },
    call: BY_ITSELF,
    request: {},
    load: (tx) => listBatchesToNotice(tx, customerId, clock.now(), STEP_MAX),
    needs: (batches) => ({
      asks: [...new Set(batches.map(({ productKey }) => productKey))].map((productKey) => ({
        subject: { productKey },
        amount: 0,
      })),
    }),
    decide: ({ book, loaded }) => {
      tellExpiring(book, loaded);
      return { outcome: 'unchanged', result: loaded.length };
    },
    render: () => ({ status: 200, body: '' }),
  };
}
