// Writes the rows beside the book that an operation decided upon: orders, payments, profiles. Claims come last.
import type { Metadata } from '../ledger/book.js';
import type { Order, PaymentChange } from '../ledger/orders.js';
import type { Tx } from './client.js';
import { type IdentityKey, setIdentityProfile } from './customers.js';
import { insertOrder, updateOrderStatus, writePayment } from './orders.js';

export interface Records {
  newOrder?: Order;
  /** An order whose status moved; written whole as far as it may change. */
  changedOrder?: Order;
  profile?: { identity: IdentityKey; profile: Metadata };
  payment?: PaymentChange | null;
}

/** A claim was taken between its look-up and its write: the operation must start again and decide on what is true now. */
export class ClaimLost extends Error {
  constructor(claim: string) {
    super(`claim lost: ${claim}`);
    this.name = 'ClaimLost';
  }
}

/** Writes the records of one operation, claims last. Throws ClaimLost. Precondition: the customer is locked, its book written. */
export async function writeRecords(tx: Tx, records: Records, now: Date): Promise<void> {
  if (records.newOrder) await insertOrder(tx, records.newOrder);
  if (records.changedOrder) await updateOrderStatus(tx, records.changedOrder);
  if (records.profile) await setIdentityProfile(tx, records.profile.identity, records.profile.profile, now);
  if (records.payment && !(await writePayment(tx, records.payment, now))) {
    throw new ClaimLost(`payment ${records.payment.payment.paymentMethod} ${records.payment.payment.paymentId}`);
  }
}
