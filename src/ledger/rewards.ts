// What referrals earn (DOMAIN 3.9), as pure decisions: the trigger arms rewards, what comes of the order is followed, and the customer of a reward is granted it,
// or it is taken back of him, by an operation of his own.

import { AppError } from '../errors/app-error.js';
import { type Book, ledgerOf } from './book.js';
import type { OrderableOffer } from './catalog-entities.js';
import type { TrialTrace } from './customer-entities.js';
import { cutNow } from './cut-access.js';
import type { NewBatch } from './entities.js';
import { give, originOf, requireGrantable } from './giving.js';
import { assertPlaces } from './offer-places.js';
import type { Dispute, Order } from './order-entities.js';
import { latestInstant } from './periods.js';
import { postDebit } from './postings.js';
import type { ReferralProgram, Reward, RewardSide, RewardStep } from './reward-entities.js';
import type { SoldBatch } from './sold-entities.js';
import { inLedgerOf, soldIn } from './sold-ledgers.js';

const SIDES: readonly RewardSide[] = ['referrer', 'referee'];
const DAY_MS = 86_400_000;
const SHARED_SIGNAL = 'shared_signal';
const CAP_REACHED = 'cap_reached';
const CUSTOMERS_MERGED = 'customers_merged';
const CUSTOMER_ERASED = 'customer_erased';
/** What an order lost by what became of it, it may earn again. */
const EARNS_AGAIN: ReadonlySet<string | null> = new Set(['order_refunded', 'dispute_lost']);

/** The referral that a trigger is about, and what is known beside it. */
export interface Triggered {
  referral: { referralId: string; referrerId: string; refereeId: string };
  program: ReferralProgram | undefined;
  /** He has paid something before: who comes to be brought then earns nobody anything. */
  hasPaidBefore: boolean;
  isShared: boolean;
  /** All of the referral, and maybe of others of the referee's family. */
  rewards: readonly Reward[];
  orderId: string | null;
  operationId: string;
}

/** Arms what the programme promises to each side that has no reward yet. The book is that of the referee, or of one of his family. */
export function armRewards(book: Book, { program, hasPaidBefore, isShared, rewards, ...trigger }: Triggered): void {
  if (!program || hasPaidBefore) return;
  const { referral, orderId, operationId } = trigger;
  const orderCustomerId = orderId === null || book.customerId === referral.refereeId ? null : book.customerId;
  const terms = {
    referrer: { sku: program.referrerSku, quantity: program.referrerQuantity, customerId: referral.referrerId },
    referee: { sku: program.refereeSku, quantity: program.refereeQuantity, customerId: referral.refereeId },
  };
  const dueAt = latestInstant(book.now.getTime() + program.holdDays * DAY_MS);
  for (const side of SIDES) {
    const { sku, quantity, customerId } = terms[side];
    if (sku === null || quantity === null || isTaken(rewards, referral, side)) continue;
    book.changes.newRewards.push({
      ...UNDECIDED,
      id: book.ids.next(),
      customerId,
      ...referral,
      side,
      programKey: program.key,
      orderId,
      orderCustomerId,
      armedBy: operationId,
      sku,
      quantity,
      maxRewards: side === 'referrer' ? program.maxRewardsPerReferrer : null,
      clawsBack: program.clawsBack,
      status: isShared ? 'held' : 'armed',
      holdReason: isShared ? SHARED_SIGNAL : null,
      dueAt,
      actAt: isShared ? null : dueAt,
      createdAt: book.now,
    });
  }
}

const UNDECIDED = {
  isDisputed: false,
  heldAt: null,
  releasedAt: null,
  grantedAt: null,
  grantedBy: null,
  ordinal: null,
  cancelledAt: null,
  cancelReason: null,
  clawedBackAt: null,
  clawedBackBy: null,
} as const;

function isTaken(rewards: readonly Reward[], { referralId }: Triggered['referral'], side: RewardSide): boolean {
  return rewards.some((own) => own.referralId === referralId && own.side === side && own.status !== 'cancelled');
}

/** What became of the order of a reward: why it earns nothing any more, that it is contested, or neither. */
type Standing = { lost: string } | 'disputed' | 'sound';

function standingOf({ status }: Order, disputes: readonly Dispute[]): Standing {
  if (status === 'refunded') return { lost: 'order_refunded' };
  if (disputes.some((dispute) => dispute.status === 'lost')) return { lost: 'dispute_lost' };
  return disputes.some((dispute) => dispute.status === 'opened') ? 'disputed' : 'sound';
}

/** Rewards of all whom a family's members were brought by, and who the members are. */
export interface FamilyRewards {
  rewards: readonly Reward[];
  familyIds: readonly string[];
}

/**
 * Follows an order to where a refund or a dispute brought it: what it earned is cancelled, held while it is disputed, or to be taken back where it was granted; and is
 * armed again where a refund failed, unless both sides became one customer. The book is that of whose the order is. Precondition: the rewards of his family are locked.
 */
export function followOrder(
  book: Book,
  { rewards, familyIds }: FamilyRewards,
  order: Order,
  disputes: readonly Dispute[],
  operationId: string,
): void {
  const standing = standingOf(order, disputes);
  for (const before of rewards) {
    if (before.orderId !== order.id) continue;
    const after = following(book, before, standing);
    if (!after) continue;
    book.changes.rewardSteps.push({
      kind: after.status === 'cancelled' ? 'cancelled' : 'followed',
      before,
      after,
      operationId,
    });
  }
  if (standing !== 'sound') return;
  for (const last of lastOfSides(rewards)) {
    if (last.orderId !== order.id || last.status !== 'cancelled' || !EARNS_AGAIN.has(last.cancelReason)) continue;
    if (familyIds.includes(last.referrerId)) continue;
    const { dueAt, releasedAt } = last;
    const again = { ...UNDECIDED, id: book.ids.next(), armedBy: operationId, releasedAt, createdAt: book.now };
    const armed = { ...last, ...again, status: 'armed' as const, holdReason: null, actAt: laterOf(dueAt, book.now) };
    book.changes.newRewards.push(armed);
  }
}

/** The reward of each referral and side that was armed last. */
function lastOfSides(rewards: readonly Reward[]): Reward[] {
  return [...new Map(rewards.map((reward) => [`${reward.referralId} ${reward.side}`, reward])).values()];
}

function laterOf(a: Date, b: Date): Date {
  return a > b ? a : b;
}

function following(book: Book, before: Reward, standing: Standing): Reward | undefined {
  const { status, isDisputed, dueAt } = before;
  const isOpen = status === 'armed' || status === 'held';
  if (typeof standing === 'object') {
    if (isOpen) return cancelled(book, before, standing.lost);
    return status === 'granted' && before.clawsBack
      ? { ...before, status: 'clawing_back', actAt: book.now }
      : undefined;
  }
  if (status === 'clawing_back') return { ...before, status: 'granted', actAt: null };
  if (!isOpen || isDisputed === (standing === 'disputed')) return undefined;
  if (!isDisputed) return { ...before, isDisputed: true, actAt: null };
  return { ...before, isDisputed: false, actAt: status === 'armed' ? dueAt : null };
}

function cancelled(book: Book, before: Reward, reason: string): Reward {
  const ended = { cancelledAt: book.now, cancelReason: reason, holdReason: null, isDisputed: false, actAt: null };
  return { ...before, ...ended, status: 'cancelled' };
}

/** Cancels a reward, because who brings and who is brought become one customer. The book is his. Precondition: the reward is locked. */
export function cancelMerged(book: Book, before: Reward, operationId: string): Reward {
  return cancelFor(book, before, CUSTOMERS_MERGED, operationId);
}

/** Cancels a reward that was not granted, because its customer is erased: the book is his. Precondition: the reward is locked. */
export function cancelForErased(book: Book, before: Reward, operationId: string): Reward {
  return cancelFor(book, before, CUSTOMER_ERASED, operationId);
}

function cancelFor(book: Book, before: Reward, reason: string, operationId: string): Reward {
  const after = cancelled(book, before, reason);
  book.changes.rewardSteps.push({ kind: 'cancelled', before, after, operationId });
  return after;
}

/** What granting a reward looks at. */
export interface RewardState {
  reward: Reward;
  offer: OrderableOffer | undefined;
  /** Places of the offer that the customer's family has taken. */
  places: ReadonlyMap<string, number>;
  /** How many he was granted of the programme, as a referrer; and how many all of his family were. */
  counts: { own: number; family: number };
  isShared: boolean;
}

/**
 * Grants a reward that is due, counting the cap; or holds it for an operator, because of a signal that both sides share, or because it can't be granted now.
 * The book is its customer's. Undefined when nothing is to be done about it. Precondition: the reward is locked.
 */
export function grantReward(book: Book, state: RewardState, operationId: string): RewardStep | undefined {
  const { reward: before, counts, isShared } = state;
  if (before.status !== 'armed' || before.isDisputed || before.dueAt > book.now) return undefined;
  const step = (kind: RewardStep['kind'], after: Reward): RewardStep => {
    const made = { kind, before, after, operationId };
    book.changes.rewardSteps.push(made);
    return made;
  };
  if (book.isErased) return step('cancelled', cancelled(book, before, CUSTOMER_ERASED));
  if (before.maxRewards !== null && counts.family >= before.maxRewards)
    return step('cancelled', cancelled(book, before, CAP_REACHED));
  const hold = (holdReason: string): RewardStep =>
    step('held', { ...before, status: 'held', holdReason, heldAt: before.heldAt ?? book.now, actAt: null });
  if (isShared && before.releasedAt === null) return hold(SHARED_SIGNAL);
  try {
    giveReward(book, state, operationId);
  } catch (error) {
    if (error instanceof AppError) return hold(error.code);
    throw error;
  }
  const granted = { grantedAt: book.now, grantedBy: operationId, actAt: null };
  const ordinal = before.side === 'referrer' ? counts.own + 1 : null;
  return step('granted', { ...before, ...granted, status: 'granted', ordinal });
}

/** Throws, before anything is posted: offer_not_found, offer_inactive, product_inactive, invalid_request, offer_limit_reached, quantity_too_large. */
function giveReward(book: Book, { reward: known, offer, places }: RewardState, operationId: string): NewBatch[] {
  const { sku, quantity, id: reward, referralId, programKey } = known;
  const { terms, maxPerCustomer } = requireGrantable(sku, offer);
  assertPlaces(places, [{ sku, maxPerCustomer, quantity, pointer: '/quantity' }]);
  const metadata = { reward, referral: referralId, program: programKey };
  const origin = {
    ...originOf({ grantType: 'bonus', metadata, reason: undefined }, operationId),
    actionType: 'referral_reward',
  };
  return give(book, [{ sku, terms, times: quantity }], origin, undefined);
}

/**
 * Takes a reward back: what is available of its units, and its access from now on, in whichever ledger of the family they went on. What is used or held is left;
 * units that come back later expire. Undefined when nothing is to be done about it. Precondition: the reward is locked; the books have what it granted, and what that
 * goes on in, also of those through whom it came from its customer to the one whom he leads to.
 */
export function clawBackReward(book: Book, before: Reward, operationId: string): RewardStep | undefined {
  if (before.status !== 'clawing_back') return undefined;
  const sold = soldIn(book);
  for (const own of sold.batches) {
    const { batch } = own;
    if (batch.granted === null) cutNow(book, sold, own, { operationId });
    else if (!hasEnded(book, own) && batch.available > 0)
      inLedgerOf(book, own, operationId, (at) => postDebit(at, batch, 'revoke', batch.available, { operationId }));
  }
  const all = sold.batches.map((own) => ({
    at: own.ledgerId === undefined ? book : ledgerOf(book, own.ledgerId),
    own,
  }));
  endAll(all.filter(({ own }) => own.batch.granted !== null && !hasEnded(book, own)));
  const clawedBack = { clawedBackAt: book.now, clawedBackBy: operationId, actAt: null };
  const step: RewardStep = {
    kind: 'clawed_back',
    before,
    after: { ...before, ...clawedBack, status: 'clawed_back' },
    operationId,
  };
  book.changes.rewardSteps.push(step);
  return step;
}

function hasEnded({ now }: Book, { batch: { expiresAt } }: SoldBatch): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/**
 * Ends batches now, or just after the last of them began, or after what was recorded at this very instant, which may have used them: what goes on in another
 * ledger ends as there.
 */
function endAll(all: readonly { at: Book; own: SoldBatch }[]): void {
  const justAfter = (instant: Date) => new Date(instant.getTime() + 1);
  const ends = all.map(({ at, own }) =>
    laterOf(at.hasRecordedNow ? justAfter(at.now) : at.now, justAfter(own.batch.validFrom)),
  );
  const expiresAt = new Date(Math.max(...ends.map((end) => end.getTime())));
  for (const { at, own } of all) {
    own.batch.expiresAt = expiresAt;
    own.noticeAt = null;
    at.changes.changedValidity.add(own);
  }
}

/** Lets a reward that is held be granted in its time, whatever signals both sides share. Throws: reward_not_held. */
export function releaseReward(book: Book, before: Reward, operationId: string, reason: string | undefined): Reward {
  assertHeld(before);
  const { isDisputed, dueAt } = before;
  const released = { releasedAt: book.now, holdReason: null, actAt: isDisputed ? null : dueAt };
  const after: Reward = { ...before, ...released, status: 'armed' };
  book.changes.rewardSteps.push({ kind: 'released', before, after, operationId, reason });
  return after;
}

/** Refuses a reward that is held, for good. Throws: reward_not_held. */
export function refuseReward(book: Book, before: Reward, operationId: string, reason: string): Reward {
  assertHeld(before);
  const after: Reward = { ...cancelled(book, before, 'refused'), status: 'refused' };
  book.changes.rewardSteps.push({ kind: 'refused', before, after, operationId, reason });
  return after;
}

function assertHeld({ status, isDisputed }: Reward): void {
  if (status === 'held') return;
  const detail =
    status === 'armed' && isDisputed
      ? 'A dispute of its order holds the reward, until it is won or lost.'
      : `The reward is ${status}: only one that is held is released or refused.`;
  throw new AppError('reward_not_held', detail, { pointer: 'path/id' });
}

/** Remembers by what else a customer is known. */
export function noteSignals(book: Book, signals: readonly TrialTrace[]): void {
  book.changes.signals.push(...signals);
}
