// Refunds that are told from two sides (DOMAIN 3.7): by who asked the provider for it, without an id, and by the provider. The second of both stands for the
// first: it claims its own id and counts nothing. Pure decisions.
import { AppError } from '../errors/app-error.js';
import { currencyDecimals } from '../lib/currencies.js';
import { formatMoney, type Micros } from '../lib/money.js';
import type { Order, Refund, RefundStatus } from './order-entities.js';

/** The other half of a refund that was told from both sides. */
export function otherSideOf(refunds: readonly Refund[], { id, fills }: Refund): Refund | undefined {
  return refunds.find((other) => (fills === null ? other.fills === id : other.id === fills));
}

/** Refunds as they are shown: one for both sides, under the provider's id once that is known. Of `toldBy` only who waits for the other side is left. */
export function mergeSides(refunds: readonly Refund[]): Refund[] {
  return refunds.filter(({ fills }) => fills === null).map((refund) => withSides(refunds, refund));
}

/** A refund as it is shown, whichever side of it this is. */
export function withSides(refunds: readonly Refund[], told: Refund): Refund {
  const other = otherSideOf(refunds, told);
  if (!other) return told;
  const [counted, stands] = told.fills === null ? [told, other] : [other, told];
  const { refundId } = counted.toldBy === 'caller' ? stands : counted;
  return { ...counted, refundId, toldBy: null };
}

interface NewlyTold {
  status: RefundStatus;
  paymentMethod: string;
  toldBy: Refund['toldBy'];
  /** Undefined where neither an amount nor lines are told: all that is left. */
  amount: Micros | undefined;
}

/**
 * The refund for which a new one stands: the oldest of the same amount that only the other side told. Undefined where there is none. Throws: refund_pending
 * (one of another amount waits for its id, and this may be it).
 */
export function sameMoney(order: Order, refunds: readonly Refund[], told: NewlyTold): Refund | undefined {
  const other = told.toldBy === 'caller' ? 'provider' : 'caller';
  const waiting = refunds.filter(
    (refund) =>
      refund.fills === null &&
      refund.toldBy === other &&
      refund.status === 'succeeded' &&
      refund.paymentMethod === told.paymentMethod &&
      otherSideOf(refunds, refund) === undefined,
  );
  const isFailed = told.status === 'failed';
  const isAllGone = !isFailed && told.amount === undefined && order.status === 'refunded';
  const found = waiting.find(({ amount }) => isAllGone || amount === told.amount);
  const [first] = waiting;
  if (found || isFailed || told.toldBy === 'caller' || !first) return found;
  const shown = `${formatMoney(first.amount, currencyDecimals(order.currency))} ${order.currency}`;
  const detail = `A refund of ${shown} waits for the provider’s id, and this may be it.`;
  throw new AppError('refund_pending', detail, { pointer: '/amount' });
}
