// Settling ahead of use: what has fallen due is settled in bounded steps, for whoever it is. Nothing depends on it for correctness, because
// every operation settles first; it makes the ledger say early what has happened. It is a transaction without members
// (transact.ts).
import { listDueCustomers } from '../db/customers.js';
import { isOutage } from '../db/errors.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import { countChanges } from '../ledger/changes.js';
import { byLaneKey } from './lane-key.js';
import { transact } from './transact.js';

/** Customers that one step settles at most; of each at most what one operation would. */
const STEP_CUSTOMERS_MAX = 32;
const STEPS_MAX = 10_000;

/** What a sweep did. `skipped` customers were busy, or could not be settled (the log says why). */
export interface Swept {
  steps: number;
  entries: number;
  skipped: number;
}

/**
 * Settles everything that is due, step by step, each in a transaction of its own, until nothing is left or `isStopped` says so.
 * Locks: the customers of a step; those that somebody else holds are passed over. Throws: clock_skewed, before anything is settled by that clock.
 */
export async function sweep(deps: Foundations, isStopped: () => boolean = () => false): Promise<Swept> {
  if (deps.clock.refresh) await deps.clock.refresh();
  const skipped = new Set<string>();
  const swept: Swept = { steps: 0, entries: 0, skipped: 0 };
  while (swept.steps < STEPS_MAX && !isStopped()) {
    const due = await listDueCustomers(deps.db, deps.clock.now(), [...skipped], STEP_CUSTOMERS_MAX);
    if (due.length === 0) break;
    for (const step of byLaneKey(deps, due)) {
      const ids = step.map(({ customerId }) => customerId);
      const { entries, settled } = await settleAll(deps, step);
      for (const customerId of ids) if (!settled.has(customerId)) skipped.add(customerId);
      swept.steps += 1;
      swept.entries += entries;
    }
    swept.skipped = skipped.size;
  }
  return swept;
}

/** Of whom something is due, and whom he leads to if he was merged. */
type Due = Awaited<ReturnType<typeof listDueCustomers>>[number];

interface Settled {
  entries: number;
  settled: Set<string>;
}

/** Settles these customers together, or, when that fails, each alone: whoever can't be settled must not keep the others waiting. */
async function settleAll(deps: Foundations, due: readonly Due[]): Promise<Settled> {
  try {
    return await settleStep(deps, due);
  } catch (error) {
    if (isOutage(error) || isClockSkewed(error)) throw error;
    const all: Settled = { entries: 0, settled: new Set() };
    for (const own of due) {
      try {
        const one = await settleStep(deps, [own]);
        all.entries += one.entries;
        for (const id of one.settled) all.settled.add(id);
      } catch (failure) {
        deps.log.error({ err: failure, customerId: own.customerId }, 'a customer could not be settled');
      }
    }
    return all;
  }
}

function isClockSkewed(error: unknown): boolean {
  return error instanceof AppError && error.code === 'clock_skewed';
}

/** Settles these customers as far as they are free, and whom they lead to. A customer of whom nothing was due after all counts as not settled. */
async function settleStep(deps: Foundations, due: readonly Due[]): Promise<Settled> {
  const customerIds = due.flatMap(({ customerId, mergedInto }) => [customerId, ...(mergedInto ? [mergedInto] : [])]);
  const { changes } = await transact(deps, [], { opener: 'pool', skipLocked: true, customerIds });
  const settled = changes.customers.filter((customer) => countChanges(customer.changes) > 0);
  return {
    entries: settled.reduce((sum, customer) => sum + customer.changes.entries.length, 0),
    settled: new Set(settled.map(({ customerId }) => customerId)),
  };
}
