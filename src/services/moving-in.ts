// Moving in from another system: what its customers did there, as history. Their units are grants of type migration; here is what nothing else makes: orders
// with the status that they ended in, referrals that earn nothing, records as they were, and who had a trial.
import type { Call, RecordedAnswer, Render } from '../call.js';
import { countArchivedRecords, insertArchivedRecords, insertArchivedTrials } from '../db/archive.js';
import { findRecord } from '../db/idempotency.js';
import { findOrderOwner, findPayment } from '../db/orders.js';
import { findReferral, findReferrersAbove, lockAttaching } from '../db/referrals.js';
import type { Deps } from '../deps.js';
import { BY_ITSELF } from '../engine/by-itself.js';
import type { Decision } from '../engine/operation.js';
import { isSameRequest } from '../engine/request-hash.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import type { ArchivedRecord, ArchivedTrial, IdentityKey, Referral } from '../ledger/customer-entities.js';
import type { Order, Payment } from '../ledger/order-entities.js';
import { canonicalPaymentMethod } from '../ledger/orders.js';
import { attachReferral, REFERRERS_ABOVE_MAX } from '../ledger/referrals.js';
import type { Metadata } from '../lib/metadata.js';
import { parseMoney } from '../lib/money.js';

/**
 * The customer behind an identity, who comes to be when nobody is known by it. Nothing else is recorded of it. Locks: the customer. Throws: unavailable.
 */
export async function moveCustomer(deps: Deps, identity: IdentityKey): Promise<string> {
  const { body } = await deps.engine.run({
    name: 'identify',
    selector: { identity },
    call: BY_ITSELF,
    request: identity,
    needs: { asks: [] },
    decide: ({ book }): Decision<string> => ({ outcome: 'unchanged', result: book.customerId }),
    render: (customerId) => ({ status: 200, body: customerId }),
  });
  return body;
}

/** An order that has ended elsewhere. What it gave enters by migrations of its own, so that its lines promise nothing here. */
export interface MovedOrder {
  /** Its id there. */
  sourceId: string;
  status: 'paid' | 'cancelled' | 'expired';
  currency: string;
  /** Of a paid one: how, by which charge (null where nothing was to pay), and when. */
  payment: { method: string; id: string | null; paidAt: Date } | undefined;
  cancelReason: string | null;
  metadata: Metadata;
  createdAt: Date;
  expiresAt: Date;
  /** Prices are decimal strings, of one. */
  items: { sku: string; name: string; quantity: number; price: string }[];
}

/**
 * Moves an order in. Idempotent by its source id: the same again is answered as it was. A paid one has its payment, which pays nothing else.
 * Locks: the customer, then the payment's claim. Throws: idempotency_key_reused (it was moved in with other contents), payment_already_used,
 * customer_not_found, unavailable.
 */
export async function moveOrder(
  deps: Deps,
  selector: Selector,
  moved: MovedOrder,
  call: Call,
  render: Render<Order>,
): Promise<RecordedAnswer> {
  const name = moved.status === 'paid' ? 'order.confirm' : 'order.create';
  const idOf = (customerId: string) => deps.ids.ownedBy(customerId).of(customerId, `moved order ${moved.sourceId}`);
  return deps.engine.run({
    name,
    selector,
    call,
    request: moved,
    load: async (tx, customerId) => {
      const id = idOf(customerId);
      const [earlier, owner, payment] = await Promise.all([
        findRecord(tx, { customerId, name, kind: 'natural', key: id }),
        findOrderOwner(tx, id),
        moved.payment?.id ? findPayment(tx, canonicalPaymentMethod(moved.payment.method), moved.payment.id) : null,
      ]);
      return { earlier, isThere: owner !== undefined, payment };
    },
    needs: { asks: [] },
    decide: ({ book, loaded: { earlier, isThere, payment }, operationId }): Decision<Order> => {
      if (earlier && isSameRequest(earlier, moved)) return { outcome: 'replayed', recordedAs: earlier.key };
      if (earlier || isThere) throw movedOtherwise('order');
      if (payment) throw paymentUsed(payment);
      const orderId = idOf(book.customerId);
      const order = toOrder(
        book.customerId,
        orderId,
        (line) => book.ids.of(orderId, `line ${line}`),
        moved,
        operationId,
      );
      book.changes.newOrders.push(order);
      // It is told as it came to be, and as it ended.
      book.changes.orderSteps.push(order);
      const { paymentMethod, paymentId } = order;
      if (paymentMethod !== null && paymentId !== null) {
        const { customerId } = order;
        const told = { amount: null, currency: null };
        const paid: Payment = {
          paymentMethod,
          paymentId,
          customerId,
          orderId: order.id,
          status: 'paid',
          ...told,
          operationId,
        };
        book.changes.payments.push({ payment: paid, seen: null });
      }
      return { outcome: 'accepted', result: order, recordAs: order.id };
    },
    render,
  });
}

function movedOtherwise(what: string): AppError {
  return new AppError('idempotency_key_reused', `This ${what} was moved in with other contents.`);
}

function paymentUsed({ paymentId, orderId }: Payment): AppError {
  return new AppError('payment_already_used', `Payment ${paymentId} paid another order, ${orderId}.`);
}

/** `idOf` gives the id of a line by its place. */
function toOrder(
  customerId: string,
  id: string,
  idOf: (line: number) => string,
  moved: MovedOrder,
  operationId: string,
): Order {
  const { status, currency, payment, cancelReason, metadata, createdAt, expiresAt } = moved;
  const items = moved.items.map(({ price, ...item }, index) => ({
    ...item,
    price: parseMoney(price),
    id: idOf(index + 1),
    terms: [],
    listPrice: null,
    priceReason: null,
    plan: null,
  }));
  return {
    id,
    customerId,
    status,
    currency,
    totalAmount: items.reduce((sum, { price, quantity }) => sum + price * BigInt(quantity), 0n),
    paymentMethod: payment ? canonicalPaymentMethod(payment.method) : null,
    paymentId: payment?.id ?? null,
    refundedAmount: 0n,
    disputedAmount: 0n,
    paidAt: payment?.paidAt ?? null,
    paidBy: payment ? operationId : null,
    // When and by whom it was cancelled there nobody knows.
    cancelledAt: null,
    cancelledBy: null,
    cancelReason,
    metadata,
    expiresAt,
    createdAt,
    items,
  };
}

/** A referral that was made elsewhere. */
export interface MovedReferral {
  referrerId: string;
  refereeId: string;
  metadata: Metadata;
  createdAt: Date;
}

/**
 * Moves a referral in, with the instant at which it was made; nobody earns anything by it. The same pair again is answered as it is.
 * Locks: both customers, then the global lock of attaching. Throws: already_referred, referral_cycle, self_referral, customer_not_found, unavailable.
 */
export async function moveReferral(
  deps: Deps,
  { referrerId, refereeId, metadata, createdAt }: MovedReferral,
  call: Call,
  render: Render<{ referral: Referral; isNew: boolean }>,
): Promise<RecordedAnswer> {
  if (referrerId === refereeId) throw new AppError('self_referral', 'Referrer and referee are one customer.');
  return deps.engine.run({
    name: 'referral.attach',
    selector: { customerId: refereeId },
    alsoLocks: [referrerId],
    call,
    request: { referrerId, metadata, createdAt },
    load: async (tx) => {
      const [, known, above] = await Promise.all([
        lockAttaching(tx),
        findReferral(tx, refereeId),
        findReferrersAbove(tx, referrerId, REFERRERS_ABOVE_MAX),
      ]);
      return { known, above };
    },
    needs: { asks: [] },
    decide: ({ book, loaded, operationId }): Decision<{ referral: Referral; isNew: boolean }> => {
      const pointers = { referrerPointer: '', refereePointer: '' };
      const made = attachReferral(book, loaded, { referrerId, metadata, operationId, createdAt }, pointers);
      return { outcome: made.isNew ? 'accepted' : 'unchanged', result: made };
    },
    render,
  });
}

/** Keeps records as they were elsewhere; returns how many were not there yet. Precondition: their customers are there. Throws: unavailable. */
export async function archiveRecords({ db }: Pick<Deps, 'db'>, records: readonly ArchivedRecord[]): Promise<number> {
  return insertArchivedRecords(db, records);
}

/** How many records are kept of customers, by customer and kind. */
export async function countArchived({ db }: Pick<Deps, 'db'>, customerIds: readonly string[]) {
  return countArchivedRecords(db, customerIds);
}

/** Remembers who had a trial elsewhere; returns how many were not known yet. Throws: unavailable. */
export async function archiveTrials({ db }: Pick<Deps, 'db'>, trials: readonly ArchivedTrial[]): Promise<number> {
  return insertArchivedTrials(db, trials);
}
