// Who brought whom (DOMAIN 3.9): one referrer per referee, and no cycle.
import { AppError } from '../errors/app-error.js';
import type { Metadata } from '../lib/metadata.js';
import type { Book } from './book.js';
import type { Referral } from './customer-entities.js';

/** How far up a chain of referrers is followed. */
export const REFERRERS_ABOVE_MAX = 1_000;

/** What is known before a referral: the referee's own, and the referrers above the referrer, nearest first. */
export interface ReferralState {
  known: Referral | undefined;
  above: readonly string[];
}

export interface ReferralPointers {
  referrerPointer: string;
  refereePointer: string;
}

/**
 * Attaches the referee, whose book it is, to a referrer. `isNew` is false when he has this referrer already.
 * Throws: already_referred, referral_cycle.
 */
export function attachReferral(
  book: Book,
  { known, above }: ReferralState,
  {
    referrerId,
    metadata,
    operationId,
    createdAt = book.now,
  }: { referrerId: string; metadata: Metadata; operationId: string; createdAt?: Date },
  { referrerPointer, refereePointer }: ReferralPointers,
): { referral: Referral; isNew: boolean } {
  const refereeId = book.customerId;
  if (known?.referrerId === referrerId) return { referral: known, isNew: false };
  if (known) {
    throw new AppError('already_referred', 'The referee has another referrer.', { pointer: refereePointer });
  }
  // A chain that is not followed to its end may come back to the referee.
  if (above.includes(refereeId) || above.length >= REFERRERS_ABOVE_MAX) {
    throw new AppError('referral_cycle', 'The referee brought the referrer, directly or over others.', {
      pointer: referrerPointer,
    });
  }
  const referral = { id: book.ids.next(), referrerId, refereeId, operationId, metadata, createdAt };
  book.changes.newReferrals.push(referral);
  return { referral, isNew: true };
}
