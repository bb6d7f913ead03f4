// One person, one customer: merging one customer into another (DOMAIN 3.10).

import type { Call, RecordedAnswer, Render } from '../call.js';
import { findMergeOf, findMerging, loadMerging, type MergingCustomer } from '../db/merges.js';
import { findOrdersOf } from '../db/orders.js';
import { lockRewardsBetween } from '../db/rewards.js';
import { listCurrent } from '../db/subscriptions.js';
import type { Deps } from '../deps.js';
import type { Decision } from '../engine/operation.js';
import { assertLocked, lockingOthers } from '../engine/others.js';
import { AppError } from '../errors/app-error.js';
import type { Merged } from '../ledger/customer-entities.js';
import { asksOf } from '../ledger/grant.js';
import { mergeCustomers } from '../ledger/merge.js';
import { REFERRERS_ABOVE_MAX } from '../ledger/referrals.js';
import { required } from '../lib/assert.js';

export interface MergeCommand {
  targetId: string;
  sourceId: string;
  /** It is only told what would move. */
  isDryRun: boolean;
}

export interface MergeResult {
  customerId: string;
  sourceId: string;
  isDryRun: boolean;
  moved: Merged;
}

const TARGET = '/target_customer_id';
const SOURCE = '/source_customer_id';

/** Who leads to the source changed while it was locked: it is looked at again. */
class FamilyChanged extends AppError {
  constructor() {
    super('unavailable', 'Others were merged into the source at the same time; try again.', { retryAfterS: 1 });
  }
}

/** How often the source is looked at. */
const LOOKS_MAX = 5;

/**
 * Merges the source into the target; the same pair again is answered as it was. With `isDryRun` the same way is gone and nothing is written.
 * Locks: both customers and all who lead to the source, then attaching referrals, then rewards. Throws: customer_not_found, customer_merged, merge_with_itself,
 * too_many_merged, quantity_too_large, too_many_batches, idempotency_key_reused, unavailable.
 */
export async function mergeCustomer(
  deps: Deps,
  command: MergeCommand,
  call: Call,
  render: Render<MergeResult>,
): Promise<RecordedAnswer> {
  const { targetId, sourceId } = command;
  if (targetId === sourceId) {
    throw new AppError('merge_with_itself', 'Source and target are one customer.', { pointer: SOURCE });
  }
  for (let looks = 1; ; looks += 1) {
    try {
      return await lockingOthers((others) => mergeOnce(deps, command, others, call, render));
    } catch (error) {
      if (!(error instanceof FamilyChanged) || looks >= LOOKS_MAX) throw error;
    }
  }
}

async function mergeOnce(
  deps: Deps,
  { targetId, sourceId, isDryRun }: MergeCommand,
  others: readonly string[] | undefined,
  call: Call,
  render: Render<MergeResult>,
): Promise<RecordedAnswer> {
  // In this order: of whom is merged by then his merge is known.
  const customers = await findMerging(deps.db, [targetId, sourceId]);
  const mergedInto = await findMergeOf(deps.db, sourceId);
  const target = requireKnown(customers.get(targetId), TARGET);
  const source = requireKnown(customers.get(sourceId), SOURCE);
  const isSo = mergedInto === targetId;
  if (!isSo) {
    assertUnmerged(source, SOURCE);
    assertUnmerged(target, TARGET);
  }
  const sourceIds = source.mergedIds;
  return deps.engine.run({
    name: 'customer.merge',
    selector: { customerId: targetId },
    alsoLocks: isSo ? [] : [sourceId, ...sourceIds, ...(others ?? [])],
    isOfSettled: true,
    isDryRun,
    call,
    request: { sourceId, isDryRun },
    load: async (tx, customerId) => {
      const [merging, subscriptions] = await Promise.all([
        loadMerging(tx, customerId, sourceId, deps.clock.now(), REFERRERS_ABOVE_MAX),
        isSo ? [] : listCurrent(tx, [customerId, sourceId]),
      ]);
      return { ...merging, subscriptions, orders: await findOrdersOf(tx, subscriptions) };
    },
    loadMore: (tx, _loaded, _customerId, _now, familyIds) =>
      isSo ? Promise.resolve([]) : lockRewardsBetween(tx, familyIds, [sourceId, ...sourceIds]),
    needs: ({ balances, batches, subscriptions }) => ({
      asks: [
        ...balances.map(({ productKey, owed }) => ({ subject: { productKey }, amount: owed, isOverdraft: owed > 0 })),
        ...asksOf([...batches, ...subscriptions.flatMap(({ plan }) => plan.terms)]),
      ],
      plans: !isSo,
    }),
    needsOfEach: () => (isSo ? [] : [{ customerId: sourceId, needs: [{ asks: [], plans: true }] }]),
    decide: ({ book, books, loaded, more: rewardsBetween, operationId }): Decision<MergeResult> => {
      const merging = required(loaded.source, 'customers are kept');
      if (merging.mergedInto !== null && (isSo || merging.mergedInto === targetId))
        return { outcome: 'replayed', recordedAs: sourceId, of: targetId };
      assertUnmerged(merging, SOURCE);
      if (book.customerId !== targetId) throw alreadyMerged(book.customerId, TARGET);
      if (!isSame(merging.mergedIds, sourceIds)) throw new FamilyChanged();
      const pair = { targetId, sourceId, targetIds: loaded.target?.mergedIds ?? [], sourceIds };
      const other = required(books.get(sourceId), 'the source is locked');
      assertLocked(book, loaded.orders);
      for (const known of [...book.plans.subscriptions, ...other.plans.subscriptions]) known.orders = loaded.orders;
      const moved = mergeCustomers(book, other, { ...loaded, rewardsBetween }, pair, {
        operationId,
        actingKey: call.actor.keyId,
      });
      const result = { customerId: targetId, sourceId, isDryRun, moved };
      return { outcome: 'accepted', result, recordAs: sourceId };
    },
    render,
  });
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((id) => others.includes(id));
}

function requireKnown(customer: MergingCustomer | undefined, pointer: string): MergingCustomer {
  if (customer) return customer;
  throw new AppError('customer_not_found', 'There is no such customer.', { pointer });
}

function assertUnmerged({ mergedInto }: MergingCustomer, pointer: string): void {
  if (mergedInto !== null) throw alreadyMerged(mergedInto, pointer);
}

function alreadyMerged(finalId: string, pointer: string): AppError {
  return new AppError('customer_merged', `The customer was merged, and leads to ${finalId}.`, {
    pointer,
    extensions: { finalCustomerId: finalId },
  });
}
