// What the refunds and disputes of an order come to: how much of its money went back or is contested, its status, and so what share of each line is claimed
// (DOMAIN 3.7). Pure arithmetic.

import { required } from '../lib/assert.js';
import type { Micros } from '../lib/money.js';
import type { Dispute, Order, OrderItem, OrderStatus, Refund, RefundedLine } from './order-entities.js';
import type { Share } from './sold-entities.js';

/** What is left of each line, and of the order's money that was refunded. */
export interface Ledgered {
  refunded: Micros;
  disputed: Micros;
  /** What is contested of the order beside what was refunded. */
  contested: Contested[];
  lines: ReadonlyMap<string, { amount: Micros; quantity: number }>;
}

/** What of a dispute, or of several, is not refunded within them: it is contested of all money that was not, of each line alike. */
interface Contested {
  amount: Micros;
  /** What was refunded within it, in all and of each line. */
  within: Micros;
  lines: ReadonlyMap<string, Micros>;
}

/** A dispute is known by its method and the provider's id of it; a refund within it is of the same method. */
export function disputeKey({ paymentMethod, disputeId }: Pick<Dispute, 'paymentMethod' | 'disputeId'>): string {
  return JSON.stringify([paymentMethod, disputeId]);
}

/** What the refunds that did not fail, and the disputes that were not won, come to. */
export function ledgered(order: Order, refunds: readonly Refund[], disputes: readonly Dispute[]): Ledgered {
  const lines = new Map(order.items.map(({ id }) => [id, { amount: 0n, quantity: 0 }]));
  const within = new Map<string, RefundedLine[]>();
  let refunded = 0n;
  for (const { status, amount, items, disputeId, paymentMethod } of refunds) {
    if (status === 'failed') continue;
    refunded += amount;
    if (disputeId !== null) {
      const key = disputeKey({ paymentMethod, disputeId });
      within.set(key, [...(within.get(key) ?? []), ...items]);
    }
    for (const line of items) {
      const known = required(lines.get(line.id), 'a refund is of lines of its order');
      lines.set(line.id, { amount: known.amount + line.amount, quantity: known.quantity + line.quantity });
    }
  }
  const open = disputes.filter(({ status }) => status !== 'won');
  const alone = open.filter((own) => !within.has(disputeKey(own)));
  const contested = [
    toContested(sumOf(alone), []),
    ...open.flatMap((own) =>
      within.has(disputeKey(own)) ? [toContested(own.amount, within.get(disputeKey(own)) ?? [])] : [],
    ),
  ].filter(({ amount }) => amount > 0n);
  return { refunded, disputed: sumOf(open), contested, lines };
}

function sumOf(those: readonly { amount: Micros }[]): Micros {
  return those.reduce((sum, { amount }) => sum + amount, 0n);
}

function toContested(amount: Micros, refunded: readonly RefundedLine[]): Contested {
  const lines = new Map<string, Micros>();
  for (const line of refunded) lines.set(line.id, (lines.get(line.id) ?? 0n) + line.amount);
  const within = sumOf(refunded);
  return { amount: amount - within, within, lines };
}

/** What a line cost. */
export function totalOf({ price, quantity }: OrderItem): Micros {
  return price * BigInt(quantity);
}

/** The line of a batch of an order. */
export function lineOf({ items }: Order, lineId: string): OrderItem {
  return required(
    items.find(({ id }) => id === lineId),
    'a batch is of a line of its order',
  );
}

/** The status of a paid order, as its refunds leave it. */
export function statusOf(order: Order, { refunded, lines }: Ledgered): OrderStatus {
  const isAll =
    order.totalAmount > 0n
      ? refunded === order.totalAmount
      : order.items.every(({ id, quantity }) => lines.get(id)?.quantity === quantity);
  if (isAll) return 'refunded';
  const isSome = refunded > 0n || [...lines.values()].some(({ quantity }) => quantity > 0);
  return isSome ? 'partially_refunded' : 'paid';
}

/** The share of a line that refunds and disputes claim, at most the whole: of what it cost, or of its quantity where it cost nothing. */
export function shareOfLine(order: Order, status: OrderStatus, { lines, contested }: Ledgered, lineId: string): Share {
  const item = lineOf(order, lineId);
  const line = required(lines.get(lineId), 'every line is there');
  if (status === 'refunded') return { part: 1n, whole: 1n };
  const total = totalOf(item);
  const [part, whole] = total > 0n ? [line.amount, total] : [BigInt(line.quantity), BigInt(item.quantity)];
  const all = contested.reduce(
    (sum, { amount, within, lines: own }) => {
      const rest = order.totalAmount - within;
      const [of, outOf] = total > 0n ? [total - (own.get(lineId) ?? 0n), total] : [1n, 1n];
      return { part: sum.part * rest * outOf + amount * of * sum.whole, whole: sum.whole * rest * outOf };
    },
    { part, whole },
  );
  return all.part > all.whole ? { part: 1n, whole: 1n } : all;
}
