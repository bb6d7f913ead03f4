// Units that were held beyond the end of their batch, and are freed once its period has turned (DOMAIN 3.16): they go on as what was left then did, within what the cap
// leaves, and no longer.
import { endOf } from './allocations.js';
import type { Book, Freed, GoingOn } from './book.js';
import type { Batch } from './entities.js';
import { successorAt } from './grant.js';
import { SYSTEM_KEY } from './operations.js';
import { type Anchored, keepingDay } from './periods.js';
import { allocationStarts, presentOf } from './plan-periods.js';
import { postTransferOut } from './postings.js';
import type { EndedBatch, Subscription } from './subscription-entities.js';

/** How many units of a batch that has ended go on into what began at its end; those that wait for the turn of that instant are counted too. */
export function goOnLate(book: Book, batch: Batch, units: number, freed: Freed): GoingOn {
  const known = book.plans.subscriptions.find(({ subscription: { id } }) => id === batch.subscriptionId);
  const { expiresAt } = batch;
  if (!known || expiresAt === null || known.subscription.plan.rollover === 'none') return NOTHING;
  if (known.subscription.turnsAt?.getTime() === expiresAt.getTime()) {
    if (!book.due.includes(batch)) book.due.push(batch);
    return { units };
  }
  const { plan, periodEndsAt } = known.subscription;
  const ended = known.ended?.find(({ id }) => id === batch.id);
  const start = ended?.sku === plan.sku ? turnedAt(book, known.subscription, expiresAt) : undefined;
  const line = batch.orderId === null ? null : known.lines.get(batch.orderId);
  if (!ended || !start || line === undefined) return NOTHING;
  const term = plan.terms.find(({ productKey }) => productKey === batch.productKey);
  const end = term ? endOf(term, start) : periodEndsAt && keepingDay(periodEndsAt, start.anchorDay);
  const going = Math.min(units, capLeft(book, known.subscription, ended, batch));
  if (going <= 0 || (end && end.at <= freed.at)) return NOTHING;
  const span = { start, end };
  return { units: going, post: () => goOn(book, batch, { units: going, span, line, sku: plan.sku }, freed) };
}

const NOTHING: GoingOn = { units: 0 };

function goOn(
  book: Book,
  batch: Batch,
  into: Pick<Parameters<typeof successorAt>[2], 'units' | 'span' | 'line' | 'sku'>,
  freed: Freed,
): void {
  const operationId = freed.operationId ?? book.ids.of(batch.id, `goes on ${freed.reservationId}`);
  const firstSeq = book.nextSeq;
  const name = `goes on ${freed.reservationId}`;
  postTransferOut(book, batch, into.units, { operationId, orderId: batch.orderId, occurredAt: freed.at });
  successorAt(book, batch, { ...into, operationId, at: freed.at, name });
  if (freed.operationId === null) {
    book.changes.operations.push({
      id: operationId,
      name: 'subscription.turn',
      actingKey: SYSTEM_KEY,
      firstSeq,
      lastSeq: book.nextSeq - 1,
      tellsUse: false,
    });
  }
}

/** What of the present period began at an instant, at which units go over: an allocation, or the period, also if it was paid only later, within its grace. */
function turnedAt({ plans, changes }: Book, subscription: Subscription, at: Date): Anchored | undefined {
  if (subscription.status !== 'active') return undefined;
  const starts = allocationStarts(subscription.plan, presentOf(subscription), subscription.anchorDay);
  const start = starts.find((one) => one.at.getTime() === at.getTime());
  if (!start || start !== starts[0]) return start;
  // One that is over by now may not have turned yet.
  const periods = [...plans.periods, ...changes.newPeriods];
  const isKnown = periods.some(
    ({ subscriptionId, startsAt, kind }) =>
      subscriptionId === subscription.id && startsAt.getTime() === at.getTime() && kind !== 'skipped',
  );
  return isKnown ? start : undefined;
}

/** How many units of the batch's product may still go over into what began at its end. */
function capLeft(
  { changes }: Book,
  { id, plan }: Subscription,
  { goneOn }: EndedBatch,
  { productKey, expiresAt }: Batch,
): number {
  if (plan.rollover !== 'cap') return Infinity;
  const now = changes.newBatches.filter(
    (batch) =>
      batch.predecessorId !== null &&
      batch.subscriptionId === id &&
      batch.productKey === productKey &&
      batch.validFrom.getTime() === expiresAt?.getTime(),
  );
  return now.reduce((left, { granted }) => left - (granted ?? 0), (plan.rolloverCap ?? 0) - goneOn);
}
