// What a grant gives: one batch per term, with its validity (DOMAIN 3.5).

import { AppError } from '../errors/app-error.js';
import type { Metadata } from '../lib/metadata.js';
import { newParts } from './batch-parts.js';
import { type Book, hasRoomFor, holdingOf } from './book.js';
import type { Term } from './catalog-entities.js';
import type { SubjectAsk } from './consume.js';
import type { Batch, BatchSource, Holding, NewBatch } from './entities.js';
import { type Anchored, addPeriod, anchored, anchoredEnd } from './periods.js';
import { postGrant } from './postings.js';
import { multiplyQuantities, QUANTITY_MAX } from './quantities.js';

/** Why a batch is granted. */
export interface GrantOrigin {
  source: BatchSource;
  operationId: string;
  sku: string | null;
  orderId: string | null;
  orderItemId: string | null;
  actionType: string;
  metadata: Metadata;
}

/** A validity given outright instead of by a term's period. */
export interface FixedValidity {
  validFrom: Date;
  expiresAt: Date | null;
}

/**
 * Refuses a validity that ends before it begins, and one that would have ended already; of what may have ended, `now` is undefined.
 * Throws: invalid_request.
 */
export function assertEndsLater({ validFrom, expiresAt }: FixedValidity, now: Date | undefined): void {
  if (expiresAt === null || (expiresAt > validFrom && (now === undefined || expiresAt > now))) return;
  const detail = `expires_at must lie ${now === undefined ? '' : 'in the future, and '}after valid_from.`;
  throw new AppError('invalid_request', detail, { pointer: '/expires_at' });
}

/** What a book must hold for terms to be granted. */
export function asksOf(terms: readonly Pick<Term, 'productKey'>[], amount = 0): SubjectAsk[] {
  return terms.map(({ productKey }) => ({ subject: { productKey }, amount }));
}

function isCounted(term: Term): boolean {
  return term.productType === 'quantity';
}

/** Whether the customer holds access of this term's product that never ends, so that extending it means nothing. */
export function isAlreadyUnlimited(book: Book, term: Term): boolean {
  return !isCounted(term) && term.stacking === 'extend' && holdingOf(book, term.productKey).accessEnd === 'forever';
}

/** Units that `times` of the term grant; null when they can't be counted exactly. */
function unitsGranted(term: Term, times: number): number | null {
  return multiplyQuantities(term.quantity, times);
}

/**
 * Refuses what could not be granted exactly: a total above 2^53-1, a validity beyond the year 9999.
 * Throws: quantity_too_large.
 */
export function assertGrantable(book: Book, terms: readonly { term: Term; times: number; pointer: string }[]): void {
  const added = new Map<string, number>();
  for (const { term, times, pointer } of terms) {
    if (isCounted(term)) {
      const units = unitsGranted(term, times);
      const total = units === null ? null : units + (added.get(term.productKey) ?? 0);
      if (total === null || !hasRoomFor(holdingOf(book, term.productKey), total)) {
        throw new AppError('quantity_too_large', `The balance of ${term.productKey} can't exceed ${QUANTITY_MAX}.`, {
          pointer,
        });
      }
      added.set(term.productKey, total);
    }
    if (validityOf(book, term, times) === undefined) {
      throw new AppError('quantity_too_large', `The validity of ${term.productKey} would end after the year 9999.`, {
        pointer,
      });
    }
  }
}

/** When a batch is valid, and the day of the month that its access keeps when it is extended. */
interface Validity extends FixedValidity {
  anchorDay: number | null;
}

/** Units are not extended, so that only access keeps a day. */
function toValidity(term: Term, validFrom: Date, end: Anchored | null): Validity {
  return { validFrom, expiresAt: end?.at ?? null, anchorDay: isCounted(term) ? null : (end?.anchorDay ?? null) };
}

/** Undefined when the term is too long even from now on; a chain that would grow beyond the year 9999 runs beside the present access. */
function validityOf(book: Book, term: Term, times: number): Validity | undefined {
  const { periodValue } = term;
  const length = isCounted(term) || periodValue === null ? periodValue : multiplyQuantities(periodValue, times);
  if (periodValue !== null && length === null) return undefined;
  const present = isCounted(term) || term.stacking === 'parallel' ? null : holdingOf(book, term.productKey).accessEnd;
  const isExtended = present !== null && present !== 'forever' && present.at.getTime() > book.now.getTime();
  const extended = isExtended ? validityFrom(present, term, length) : undefined;
  return extended ?? validityFrom(anchored(book.now), term, length);
}

function validityFrom(start: Anchored, term: Term, length: number | null): Validity | undefined {
  const end = addPeriod(start, term.periodUnit, length);
  return end === undefined ? undefined : toValidity(term, start.at, end);
}

function fixedValidity({ validFrom, expiresAt }: FixedValidity, term: Term): Validity {
  return toValidity(term, validFrom, expiresAt && anchoredEnd(validFrom, expiresAt));
}

const DAY_MS = 86_400_000;

/** So many days before the end as the product says, but not before it begins. */
function noticeOf({ validFrom, expiresAt }: Validity, { expiringDays }: Holding): Date | null {
  if (expiresAt === null || expiringDays === null) return null;
  return new Date(Math.max(validFrom.getTime(), expiresAt.getTime() - expiringDays * DAY_MS));
}

/**
 * Grants `times` of a term as one batch: counted units are multiplied, for uncounted products the length is. Access that extends begins
 * where the present access ends, and keeps its anchor day; where that never ends it runs beside it.
 * Preconditions: `assertGrantable` passed for this term.
 */
export function grant(book: Book, term: Term, times: number, origin: GrantOrigin, fixed?: FixedValidity): NewBatch {
  const validity = fixed ? fixedValidity(fixed, term) : validityOf(book, term, times);
  const units = isCounted(term) ? unitsGranted(term, times) : null;
  if (validity === undefined || (isCounted(term) && units === null))
    throw new Error('assertion failed: the grant was checked');
  const batch: NewBatch = {
    ...newParts(units),
    id: book.ids.next(),
    productKey: term.productKey,
    source: origin.source,
    sku: origin.sku,
    orderId: origin.orderId,
    orderItemId: origin.orderItemId,
    subscriptionId: null,
    operationId: origin.operationId,
    predecessorId: null,
    offerQuantity: origin.sku === null || origin.orderId !== null ? null : times,
    priority: term.priority,
    ...validity,
    noticeAt: noticeOf(validity, holdingOf(book, term.productKey)),
    createdAt: book.now,
    metadata: origin.metadata,
  };
  postGrant(book, batch, {
    operationId: origin.operationId,
    actionType: origin.actionType,
    orderId: origin.orderId,
    metadata: origin.metadata,
  });
  return batch;
}

/** From when to when a batch of a subscription is valid; units keep the anchor day too, because their periods do. */
interface Span {
  start: Anchored;
  end: Anchored | null;
}

function validityIn({ start, end }: Span) {
  return { validFrom: start.at, expiresAt: end?.at ?? null, anchorDay: end?.anchorDay ?? null };
}

/** Why, and as of when, a period of a subscription allocates. */
export interface AllocationOrigin
  extends Pick<NewBatch, 'id' | 'source' | 'sku' | 'orderId' | 'orderItemId' | 'subscriptionId' | 'operationId'> {
  /** The instant at which it takes effect. */
  at: Date;
}

/** Grants what a period of a subscription allocates of a term: so many units, or access (null). */
export function allocate(
  book: Book,
  term: Term,
  units: number | null,
  span: Span,
  { at, ...origin }: AllocationOrigin,
): NewBatch {
  const validity = validityIn(span);
  const { operationId, orderId } = origin;
  const batch: NewBatch = {
    ...newParts(units),
    ...origin,
    productKey: term.productKey,
    predecessorId: null,
    offerQuantity: null,
    priority: term.priority,
    ...validity,
    noticeAt: noticeOf(validity, holdingOf(book, term.productKey)),
    createdAt: at,
    metadata: {},
  };
  const actionType = orderId === null ? 'subscription' : 'purchase';
  postGrant(book, batch, { operationId, actionType, orderId, occurredAt: at });
  return batch;
}

/** The batch in which units go on in another period. Of a line that paid for them it is still that line's. */
export function successorAt(
  book: Book,
  last: Batch,
  {
    units,
    span,
    line,
    sku,
    operationId,
    at,
    name = 'goes on',
  }: {
    units: number;
    span: Span;
    /** The line of the order that the batch is of. */
    line: { id: string; sku: string } | null;
    /** The plan that goes on. */
    sku: string;
    operationId: string;
    at: Date;
    /** Which of those it is in which the batch goes on. */
    name?: string;
  },
): NewBatch {
  const validity = validityIn(span);
  const batch: NewBatch = {
    ...newParts(units),
    id: book.ids.of(last.id, name),
    productKey: last.productKey,
    source: line ? 'purchase' : 'subscription',
    sku: line?.sku ?? sku,
    orderId: last.orderId,
    orderItemId: line?.id ?? null,
    subscriptionId: last.subscriptionId,
    operationId,
    predecessorId: last.id,
    offerQuantity: null,
    priority: last.priority,
    ...validity,
    noticeAt: noticeOf(validity, holdingOf(book, last.productKey)),
    createdAt: at,
    metadata: {},
  };
  postGrant(book, batch, { operationId, orderId: last.orderId, occurredAt: at });
  return batch;
}
