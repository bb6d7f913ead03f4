// Referrals: who brought whom (DOMAIN 3.9). One referrer per referee, no cycle, existing customers only.
import {
  CHAIN_LENGTH_MAX,
  countReferrals,
  findReferral,
  findReferrersAbove,
  listReferrals,
  lockAttaching,
  type Referral,
} from '../db/referrals.js';
import type { Deps } from '../deps.js';
import { findCustomer, requireCustomer, type Selector } from '../engine/customers.js';
import type { Decision, RecordedAnswer, Render } from '../engine/operation.js';
import { runOperation } from '../engine/write-path.js';
import { AppError } from '../errors/app-error.js';
import type { Metadata } from '../ledger/book.js';

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
 * Locks: the referee, then the global lock of attaching. Throws: customer_not_found, self_referral, already_referred, referral_cycle,
 * selector_conflict, idempotency_key_reused, unavailable.
 */
export async function attachReferral(
  deps: Deps,
  command: ReferralCommand,
  idempotencyKey: string | undefined,
  render: Render<ReferralResult>,
): Promise<RecordedAnswer> {
  const referrerId = await requireNamed(deps, command.referrer, command.referrerPointer);
  const refereeId = await requireNamed(deps, command.referee, command.refereePointer);
  if (referrerId === refereeId) {
    throw new AppError('self_referral', 'Referrer and referee are one customer.', { pointer: command.refereePointer });
  }
  return runOperation(deps, {
    name: 'referral.attach',
    selector: { ...command.referee, customerId: refereeId },
    idempotencyKey,
    request: { referrer: command.referrer, metadata: command.metadata },
    load: async (tx) => {
      await lockAttaching(tx);
      const known = await findReferral(tx, refereeId);
      const above = known ? [] : await findReferrersAbove(tx, referrerId);
      return { loaded: { known, above }, asks: [] };
    },
    decide: (book, { known, above }, operationId): Decision<ReferralResult> => {
      if (known?.referrerId === referrerId) return { outcome: 'unchanged', result: { referral: known, isNew: false } };
      if (known)
        throw new AppError('already_referred', 'The referee has another referrer.', {
          pointer: command.refereePointer,
        });
      // A chain that is not followed to its end may come back to the referee.
      if (above.includes(refereeId) || above.length >= CHAIN_LENGTH_MAX) {
        throw new AppError('referral_cycle', 'The referee brought the referrer, directly or over others.', {
          pointer: command.referrerPointer,
        });
      }
      const referral: Referral = {
        id: book.ids.next(),
        referrerId,
        refereeId,
        operationId,
        metadata: command.metadata,
        createdAt: book.now,
      };
      return { outcome: 'accepted', result: { referral, isNew: true }, records: { newReferral: referral } };
    },
    render,
  });
}

async function requireNamed(deps: Deps, selector: Selector, pointer: string): Promise<string> {
  const known = await findCustomer(deps, selector, pointer);
  if (!known) throw new AppError('customer_not_found', 'There is no such customer.', { pointer });
  return known.customerId;
}

/** One page of the referrals that a customer made, newest first. Throws: customer_not_found, selector_conflict. */
export async function getReferrals(
  deps: Deps,
  selector: Selector,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<Referral[]> {
  const { customerId } = await requireCustomer(deps, selector);
  return listReferrals(deps.db, customerId, page);
}

/** How many a customer brought. Throws: customer_not_found, selector_conflict. */
export async function getReferralStats(deps: Deps, selector: Selector): Promise<{ customerId: string; count: number }> {
  const { customerId } = await requireCustomer(deps, selector);
  return { customerId, count: await countReferrals(deps.db, customerId) };
}
