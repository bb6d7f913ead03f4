// Writes the rows beside the book that an operation decided upon: orders, payments, profiles. Claims come last.
import type { Metadata } from '../ledger/book.js';
import type { Order, PaymentChange } from '../ledger/orders.js';
import type { TrialClaim } from '../ledger/trials.js';
import type { Tx } from './client.js';
import {
  deleteIdentity,
  type Identity,
  type IdentityKey,
  insertIdentity,
  setCustomerMetadata,
  setIdentityProfile,
} from './customers.js';
import { insertMigrationSource, type MigrationSource } from './operations.js';
import { insertOrder, updateOrderStatus, writePayment } from './orders.js';
import { insertReferral, type Referral } from './referrals.js';
import { claimTrials } from './trials.js';

export interface Records {
  newOrder?: Order;
  /** An order whose status moved; written whole as far as it may change. */
  changedOrder?: Order;
  profile?: { identity: IdentityKey; profile: Metadata };
  customerMetadata?: { customerId: string; metadata: Metadata };
  newIdentity?: Identity;
  removedIdentity?: IdentityKey;
  newReferral?: Referral;
  migrationSource?: MigrationSource;
  trialClaims?: { claims: readonly TrialClaim[]; customerId: string; operationId: string };
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
  if (records.customerMetadata)
    await setCustomerMetadata(tx, records.customerMetadata.customerId, records.customerMetadata.metadata);
  if (records.newReferral) await insertReferral(tx, records.newReferral);
  if (records.migrationSource) await insertMigrationSource(tx, records.migrationSource);
  if (records.removedIdentity) await deleteIdentity(tx, records.removedIdentity);
  if (records.newIdentity && !(await insertIdentity(tx, records.newIdentity, now))) throw new ClaimLost('identity');
  if (records.trialClaims) {
    const { claims, customerId, operationId } = records.trialClaims;
    if (!(await claimTrials(tx, claims, { customerId, operationId, now }))) throw new ClaimLost('trial');
  }
  if (records.payment && !(await writePayment(tx, records.payment, now))) {
    throw new ClaimLost(`payment ${records.payment.payment.paymentMethod} ${records.payment.payment.paymentId}`);
  }
}
