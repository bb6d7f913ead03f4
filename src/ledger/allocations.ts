// What a period of a subscription allocates: each term of its plan once, valid from the scheduled start; and what goes over into it of the period before.
import { required } from '../lib/assert.js';
import { type Book, hasRoomFor, holdingOf } from './book.js';
import type { Term } from './catalog-entities.js';
import type { Batch, NewBatch } from './entities.js';
import { allocate, successorAt } from './grant.js';
import type { Order, OrderItem } from './order-entities.js';
import { type Anchored, addPeriod, keepingDay, latestInstant } from './periods.js';
import { allocationStarts } from './plan-periods.js';
import { timesOf } from './plans.js';
import { postExpiredOut, postTransferOut } from './postings.js';
import type { KnownSubscription, Period, PeriodKind, SubscribedPlan } from './subscription-entities.js';
import type { StepContext } from './subscription-steps.js';

/** A span that is allocated. */
export interface Span {
  startsAt: Date;
  endsAt: Date;
}

/** The end of what a term gives from an instant on, on the anchor day; at most `until`. */
export function endOf(term: Term, start: Anchored, until?: Date): Anchored | null {
  const end = addPeriod(start, term.periodUnit, term.periodValue);
  const known = end === undefined ? { at: latestInstant(Infinity), anchorDay: start.anchorDay } : end;
  if (until === undefined || (known !== null && known.at <= until)) return known;
  return { at: until, anchorDay: until.getUTCDate() };
}

/** What pays a period. */
export interface PaidBy {
  order: Order;
  item: OrderItem;
  /** In which the order is. Of a customer that was merged it is not the one of the subscription: what it grants moves on there. */
  book: Book;
}

/**
 * Allocates a period of a plan, with the step that tells it. `already` are units of its span that were allocated before without a payment: only what is more than
 * those is given. A trial's allocation ends with it.
 */
export function allocatePeriod(
  book: Book,
  { subscription, ahead, lines }: KnownSubscription,
  plan: SubscribedPlan,
  kind: PeriodKind,
  span: Span,
  context: StepContext,
  { paidBy, already = new Map() }: { paidBy?: PaidBy; already?: ReadonlyMap<string, number> } = {},
): { period: Period; batches: NewBatch[] } {
  const { operationId, at } = context;
  const startsAt = freeStart(book, subscription.id, plan.sku, span.startsAt);
  const granted: Record<string, number> = {};
  const starts = allocationStarts(plan, span, subscription.anchorDay);
  const given = shareOut(plan.terms, starts.length, already);
  const allocateTerm = (term: Term, index: number, start: Anchored, number: number): NewBatch[] => {
    const isCounted = term.productType === 'quantity';
    const times = paidBy?.item.quantity ?? 1;
    const whole = isCounted ? term.quantity * times : 1;
    const units = whole - given(term, index, number);
    const end = endOf(term, start, kind === 'trial' ? span.endsAt : undefined);
    granted[term.productKey] = (granted[term.productKey] ?? 0) + units;
    if (units === 0) return [];
    const scheduled = number === 0 ? '' : ` ${start.at.toISOString()}`;
    const batch = allocate(
      paidBy?.book ?? book,
      term,
      isCounted ? units : null,
      { start, end },
      {
        id: book.ids.of(subscription.id, `${plan.sku} ${startsAt.toISOString()} ${kind} ${index}${scheduled}`),
        source: paidBy ? 'purchase' : 'subscription',
        sku: plan.sku,
        orderId: paidBy?.order.id ?? null,
        orderItemId: paidBy?.item.id ?? null,
        subscriptionId: subscription.id,
        operationId,
        at,
      },
    );
    return [batch];
  };
  // Units are given by each allocation, access once.
  const batches = starts.flatMap((start, number) =>
    plan.terms.flatMap((term, index) =>
      number === 0 || term.productType === 'quantity' ? allocateTerm(term, index, start, number) : [],
    ),
  );
  const payerId = paidBy?.book.customerId ?? book.customerId;
  const period: Period = {
    customerId: book.customerId,
    startsAt,
    endsAt: span.endsAt,
    subscriptionId: subscription.id,
    planGroup: plan.planGroup,
    sku: plan.sku,
    kind,
    count: 1,
    granted,
    orderId: paidBy?.order.id ?? null,
    orderItemId: paidBy?.item.id ?? null,
    orderCustomerId: payerId === book.customerId ? null : payerId,
    operationId,
    endedAt: null,
    createdAt: book.now,
  };
  book.changes.newPeriods.push(period);
  if (paidBy) lines.set(paidBy.order.id, { id: paidBy.item.id, sku: paidBy.item.sku });
  if (span.startsAt > at) {
    ahead.push(period);
    ahead.sort((a, b) => a.startsAt.getTime() - b.startsAt.getTime());
  }
  return { period, batches };
}

/** How much of each term was given before in each of so many allocations: as evenly as it goes, of the first terms of its product first. */
function shareOut(
  terms: readonly Term[],
  count: number,
  already: ReadonlyMap<string, number>,
): (term: Term, index: number, number: number) => number {
  const partOf = (units: number, number: number) => Math.floor((units * number) / count);
  return ({ productKey, productType, quantity }, index, number) => {
    const units = already.get(productKey) ?? 0;
    if (productType !== 'quantity') return Math.min(1, units);
    const before = terms
      .slice(0, index)
      .reduce((sum, term) => sum + (term.productKey === productKey ? term.quantity : 0), 0);
    const share = partOf(units, number + 1) - partOf(units, number);
    return Math.min(quantity, Math.max(0, share - before));
  };
}

/**
 * The start of a period that is recorded for a scheduled one: where that is recorded already, because it was given back or another plan came between, the last instant before it that is not taken.
 * What it allocates begins at the scheduled start all the same.
 */
export function freeStart({ plans, changes }: Book, subscriptionId: string, sku: string, scheduled: Date): Date {
  const own = [...plans.periods, ...changes.newPeriods].filter(
    (period) => period.subscriptionId === subscriptionId && period.sku === sku,
  );
  const taken = new Set(own.map(({ startsAt }) => startsAt.getTime()));
  let at = scheduled.getTime();
  while (taken.has(at)) at -= 1;
  return new Date(at);
}

/** Whether what a period of a plan allocates can be counted beside what the customer has. */
export function isAllocatable(book: Book, plan: SubscribedPlan, times = 1): boolean {
  const added = new Map<string, number>();
  return plan.terms.every((term) => {
    const { productKey, productType, quantity } = term;
    if (productType !== 'quantity') return true;
    const units = (added.get(productKey) ?? 0) + quantity * times * timesOf(plan, term);
    added.set(productKey, units);
    return hasRoomFor(holdingOf(book, productKey), units);
  });
}

/**
 * Moves what ends with a period into the next one, as far as its plan says: each batch that was paid into one of its own, which refunds and disputes of its order
 * follow, and of each product all that nobody paid into one. Held units count against a cap and stay where they are. What does not go over expires.
 */
export function rollOver(
  book: Book,
  known: KnownSubscription,
  { plan, next }: { plan: SubscribedPlan; next: { plan: SubscribedPlan; span: Span } },
  { operationId, at }: StepContext,
): void {
  if (plan.rollover === 'none') return;
  const leaving = endingAt(book, known, at).map((batch) => ({ batch, units: batch.available }));
  goOver(book, known, leaving, { plan, next, post: postTransferOut }, { operationId, at });
}

/**
 * Moves what ended with a period that nobody had paid into the next one, which was paid within its grace: as `rollOver` would have done then, but that units have
 * expired meanwhile, and are taken from there. What a refund or a dispute claims of a batch, and nothing else of it covers, stays.
 */
export function rollOverExpired(
  book: Book,
  known: KnownSubscription,
  { plan, next }: { plan: SubscribedPlan; next: { plan: SubscribedPlan; span: Span } },
  context: StepContext,
): void {
  if (plan.rollover === 'none') return;
  goOver(book, known, expiredOf(known), { plan, next, post: postExpiredOut }, context);
}

/** What ended with the present period while nobody had paid the next, with the units that go over if somebody does. */
export function expiredOf({ expired = [] }: KnownSubscription): Leaving[] {
  return expired.map(({ batch, claimed }) => {
    const gone = required(batch.granted, 'units are counted') - batch.available - batch.transferred;
    return { batch, units: Math.max(0, Math.min(batch.expired, gone - claimed)) };
  });
}

/** A batch that ends with a period, with the units that may go over. */
interface Leaving {
  batch: Batch;
  units: number;
}

interface GoingOver {
  plan: SubscribedPlan;
  next: { plan: SubscribedPlan; span: Span };
  /** How units leave a batch. */
  post: typeof postTransferOut;
}

function goOver(
  book: Book,
  known: KnownSubscription,
  leaving: readonly Leaving[],
  { plan, next, post }: GoingOver,
  context: StepContext,
): void {
  const left = new Map<string, number>();
  for (const [name, group] of groupsOf(leaving)) {
    const [productKey] = JSON.parse(name) as [string];
    const own = leaving.filter(({ batch }) => batch.productKey === productKey);
    const held = own.reduce((sum, { batch }) => sum + batch.held, 0);
    const rest = left.get(productKey) ?? (plan.rollover === 'cap' ? (plan.rolloverCap ?? 0) - held : Infinity);
    const units = Math.min(
      rest,
      group.reduce((sum, one) => sum + one.units, 0),
    );
    if (units <= 0) continue;
    left.set(productKey, rest - units);
    moveOn(book, known, group, units, { ...next, post }, context);
  }
}

/** Whether anything may go over at the end of a period of a plan. */
export function isRollingOver(book: Book, known: KnownSubscription, plan: SubscribedPlan, at: Date): boolean {
  return plan.rollover !== 'none' && endingAt(book, known, at).some(({ available }) => available > 0);
}

/** What a subscription allocated and ends at an instant with units, held ones too. */
function endingAt({ due }: Book, { subscription: { id }, held = [] }: KnownSubscription, at: Date): Batch[] {
  return [...new Set([...due, ...held])].filter(
    ({ subscriptionId, expiresAt }) => subscriptionId === id && expiresAt?.getTime() === at.getTime(),
  );
}

/** What goes on in one batch. */
function groupsOf(leaving: readonly Leaving[]): Map<string, Leaving[]> {
  const groups = new Map<string, Leaving[]>();
  const soonest = [...leaving].sort(
    ({ batch: a }, { batch: b }) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1),
  );
  for (const one of soonest) {
    if (one.units === 0) continue;
    const { id, productKey, orderId } = one.batch;
    const name = JSON.stringify([productKey, orderId === null ? null : id]);
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return groups;
}

function moveOn(
  book: Book,
  { subscription, lines }: KnownSubscription,
  group: readonly Leaving[],
  units: number,
  { plan, span, post }: { plan: SubscribedPlan; span: Span; post: typeof postTransferOut },
  { operationId, at }: StepContext,
): void {
  const last = required(group.at(-1), 'a group has batches').batch;
  const term = plan.terms.find(({ productKey }) => productKey === last.productKey);
  const start = keepingDay(span.startsAt, subscription.anchorDay);
  const end = term ? endOf(term, start) : keepingDay(span.endsAt, start.anchorDay);
  let rest = units;
  for (const { batch, units: most } of group) {
    const moved = Math.min(rest, most);
    if (moved === 0) continue;
    rest -= moved;
    post(book, batch, moved, { operationId, orderId: batch.orderId, occurredAt: at });
  }
  const line = last.orderId === null ? null : required(lines.get(last.orderId), 'the line that paid it is known');
  successorAt(book, last, { units, span: { start, end }, line, operationId, at, sku: plan.sku });
}
