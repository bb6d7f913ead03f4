// What a refund gives back of each line of its order: by lines, by an amount that is spread over them, or all that is left. Pure arithmetic.
import { AppError } from '../errors/app-error.js';
import { required } from '../lib/assert.js';
import { currencyDecimals } from '../lib/currencies.js';
import { formatMoney, hasAtMostDecimals, type Micros, minorUnit } from '../lib/money.js';
import { type Ledgered, totalOf } from './claimed-shares.js';
import type { Order, OrderItem, RefundedLine } from './order-entities.js';

/** What is refunded: an amount, or lines; neither is all that is left. */
export interface WhatIsRefunded {
  amount: Micros | null;
  lines: readonly { id: string; quantity: number | null }[] | null;
}

/** An amount of an order, for people. */
export function shown({ currency }: Order, amount: Micros): string {
  return `${formatMoney(amount, currencyDecimals(currency))} ${currency}`;
}

/** Throws: invalid_request (nothing, or too many decimals). */
export function assertAmount({ currency }: Order, amount: Micros): void {
  const decimals = currencyDecimals(currency);
  if (amount === 0n) throw new AppError('invalid_request', 'The amount is above 0.', { pointer: '/amount' });
  if (hasAtMostDecimals(amount, decimals)) return;
  throw new AppError('invalid_request', `${currency} has ${decimals} decimals.`, { pointer: '/amount' });
}

/** What a refund gives back of each line. Throws: refund_exceeds_paid, invalid_request. */
export function linesRefunded(
  order: Order,
  { refunded, lines }: Ledgered,
  { amount, lines: asked }: WhatIsRefunded,
): RefundedLine[] {
  const left = new Map(
    order.items.map((item) => {
      const known = required(lines.get(item.id), 'every line is there');
      return [item.id, { item, amount: totalOf(item) - known.amount, quantity: item.quantity - known.quantity }];
    }),
  );
  const rest = order.totalAmount - refunded;
  if (order.status === 'refunded') {
    throw new AppError('refund_exceeds_paid', 'The order is wholly refunded.', {
      pointer: amount === null ? '' : '/amount',
    });
  }
  if (amount !== null) {
    assertAmount(order, amount);
    if (amount > rest) {
      throw new AppError('refund_exceeds_paid', `${shown(order, rest)} are left of what was paid.`, {
        pointer: '/amount',
      });
    }
    return spread(order, [...left.values()], amount, rest);
  }
  if (asked === null) {
    return [...left.values()].map(({ item: { id }, amount: all, quantity }) => ({ id, quantity, amount: all }));
  }
  return asked.map(({ id, quantity }, index) => {
    const line = left.get(id);
    if (!line) throw new AppError('invalid_request', 'The order has no such line.', { pointer: `/items/${index}/id` });
    const wanted = quantity ?? line.quantity;
    if (wanted > line.quantity || line.quantity === 0) {
      throw new AppError('refund_exceeds_paid', `${line.quantity} of the line are left to refund.`, {
        pointer: `/items/${index}/quantity`,
      });
    }
    const isRest = wanted === line.quantity;
    const unit = minorUnit(currencyDecimals(order.currency));
    const part = (line.amount * BigInt(wanted)) / BigInt(line.quantity);
    return { id, quantity: wanted, amount: isRest ? line.amount : part - (part % unit) };
  });
}

/** Spreads an amount over lines by what is left of each, in whole minor units, so that the parts are the amount. */
function spread(
  order: Order,
  lines: readonly { item: OrderItem; amount: Micros }[],
  amount: Micros,
  rest: Micros,
): RefundedLine[] {
  const unit = minorUnit(currencyDecimals(order.currency));
  let before = 0n;
  let given = 0n;
  return lines.flatMap(({ item: { id }, amount: left }) => {
    before += left;
    const exact = (amount * before) / rest;
    const upTo = before === rest ? amount : exact - (exact % unit);
    const part = upTo - given;
    given = upTo;
    return part > 0n ? [{ id, quantity: 0, amount: part }] : [];
  });
}
