// Referrals: who brought whom (DOMAIN 3.9). One referrer per referee, no cycle, existing customers only.

import type { Call, RecordedAnswer, Render } from '../call.js';
import { countReferrals, findReferral, findReferrersAbove, listReferrals, lockAttaching } from '../db/referrals.js';
import { loadTrigger } from '../db/rewards.js';
import type { Deps } from '../deps.js';
import { findCustomer, requireCustomer } from '../engine/customers.js';
import type { Decision } from '../engine/operation.js';
import { rewardsAtOnce } from '../engine/rewards.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import type { Referral } from '../ledger/customer-entities.js';
import { attachReferral as attach, REFERRERS_ABOVE_MAX } from '../ledger/referrals.js';
import { armRewards } from '../ledger/rewards.js';
import type { Metadata } from '../lib/metadata.js';

/** Whom a referral names, and the fields that named them. */
export interface ReferralCommand {
  referrer: Selector;
  referrerPointer: string;
  referee: Selector;
  refereePointer: string;
  metadata: Metadata;
}

export interface ReferralResult {
  referral: Referral;
  isNew: boolean;
}

/**
 * Attaches a referee to its referrer. The same pair again is answered as it is, and changes nothing.
 * What a programme promises on attaching is armed, and granted at once where nothing is waited for.
 * Locks: both customers, then the global lock of attaching. Throws: customer_not_found, self_referral, already_referred, referral_cycle,
 * selector_conflict, idempotency_key_reused, unavailable.
 */
export async function attachReferral(
  deps: Deps,
  command: ReferralCommand,
  call: Call,
  render: Render<ReferralResult>,
): Promise<RecordedAnswer> {
  const referrerId = await requireNamed(deps, command.referrer, command.referrerPointer);
  const refereeId = await requireNamed(deps, command.referee, command.refereePointer);
  if (referrerId === refereeId) {
    throw new AppError('self_referral', 'Referrer and referee are one customer.', { pointer: command.refereePointer });
  }
  const { metadata } = command;
  const rewards = rewardsAtOnce(deps);
  const answer = await deps.engine.run({
    name: 'referral.attach',
    selector: { ...command.referee, customerId: refereeId },
    alsoLocks: [referrerId],
    call,
    request: { referrer: command.referrer, metadata },
    load: async (tx) => {
      const [, known, above] = await Promise.all([
        lockAttaching(tx),
        findReferral(tx, refereeId),
        findReferrersAbove(tx, referrerId, REFERRERS_ABOVE_MAX),
      ]);
      return { known, above };
    },
    loadMore: (tx, _loaded, _customerId, now, familyIds) =>
      loadTrigger(tx, 'on_attach', { referrerId, refereeId, familyIds, orderId: null, passed: [] }, now),
    needs: { asks: [] },
    decide: ({ book, loaded, more: trigger, operationId }): Decision<ReferralResult> => {
      const result = attach(book, loaded, { referrerId, metadata, operationId }, command);
      const { referral, isNew } = result;
      if (isNew)
        armRewards(book, { ...trigger, referral: { referralId: referral.id, referrerId, refereeId }, operationId });
      rewards.note(book);
      return { outcome: isNew ? 'accepted' : 'unchanged', result };
    },
    render,
  });
  await rewards.settle();
  return answer;
}

async function requireNamed(deps: Deps, selector: Selector, pointer: string): Promise<string> {
  const known = await findCustomer(deps, selector, pointer);
  if (!known) throw new AppError('customer_not_found', 'There is no such customer.', { pointer });
  return known.customerId;
}

/**
 * One page of the referrals that a customer made, newest first; of a referee who is named only the one that brought him, if it is of the referrer
 * who is named, or of anybody where none is. Throws: customer_not_found, selector_conflict.
 */
export async function getReferrals(
  deps: Deps,
  referrer: Selector,
  referee: { selector: Selector; pointer: string } | undefined,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<Referral[]> {
  if (!referee) return listReferrals(deps.db, (await requireCustomer(deps, referrer)).familyIds, page);
  const isAnybodys = referrer.customerId === undefined && referrer.identity === undefined;
  const referrerIds = isAnybodys ? undefined : (await requireCustomer(deps, referrer)).familyIds;
  const made = await findReferral(deps.db, await requireNamed(deps, referee.selector, referee.pointer));
  const isListed = made !== undefined && (referrerIds?.includes(made.referrerId) ?? true);
  // Behind the only row there is nothing.
  return isListed && page.after === undefined ? [made] : [];
}

/** How many a customer brought. Throws: customer_not_found, selector_conflict. */
export async function getReferralStats(deps: Deps, selector: Selector): Promise<{ customerId: string; count: number }> {
  const { customerId, familyIds } = await requireCustomer(deps, selector);
  return { customerId, count: await countReferrals(deps.db, familyIds) };
}
