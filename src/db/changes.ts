// Writes whatever a transaction changes. One table says what writes each kind of change: a kind that nothing writes does not compile, and none can be
// left out on one path. The statements are sent together, in the order of the table: what others refer to first, then where the customers stand, claims last.
import type { Changes, CustomerChanges } from '../ledger/changes.js';
import { writeApiKeys } from './api-keys.js';
import { insertAuditRecords } from './audit-trail.js';
import { writeOffers, writeProducts } from './catalog.js';
import type { Tx } from './client.js';
import { claimIdentities, deleteIdentities, updateMetadata, updateProfiles } from './customers.js';
import { writeEndpoints } from './endpoints.js';
import { writeErasures } from './erasures.js';
import { insertEvents } from './events.js';
import { writePassedNotices } from './expiring.js';
import { insertRecords } from './idempotency.js';
import { claimKeyedAnswers } from './keyed-calls.js';
import { writeLimitSources } from './limit-sources.js';
import { writeCommonLimits, writeCustomerLimits } from './limits.js';
import { writeMerges } from './merges.js';
import { writeNotices } from './notices.js';
import { claimPayments, insertOrders, updateOrders } from './orders.js';
import { writeInboxRecords } from './payment-inbox.js';
import { writePaymentSources } from './payment-sources.js';
import { writeReferralPrograms } from './referral-programs.js';
import { dropReferrals, insertReferrals } from './referrals.js';
import { claimDisputes, claimRefunds, insertClawbacks, updateClawbacks } from './refunds.js';
import { writeReservations } from './reservations.js';
import { insertRewards, insertSignals, updateRewards } from './rewards.js';
import { writeSandboxClock } from './sandbox-clock.js';
import { endPeriods, insertPeriods, insertSteps, writeSubscriptions } from './subscriptions.js';
import { claimTrials } from './trials.js';
import { writeCounters } from './usage-windows.js';
import {
  insertBatches,
  insertEntries,
  insertMovedBatches,
  insertOperations,
  updateBatches,
  updateStandings,
  updateValidity,
  writeBalances,
  writeEndedAccess,
} from './write-books.js';

/** Sends the statements that write some kinds of change, and returns what tells that all of them are done; undefined when there is nothing to write. */
type Writer = (tx: Tx, changes: Changes) => Promise<unknown> | undefined;

/** In the order in which they are sent. First sights are not here: their transaction begins with them, because all that follows reads their rows. */
const WRITERS: Readonly<Record<keyof CustomerChanges | Exclude<keyof Changes, 'customers' | 'firstSights'>, Writer>> = {
  products: writeProducts,
  offers: writeOffers,
  endpoints: writeEndpoints,
  commonLimits: writeCommonLimits,
  clock: writeSandboxClock,
  apiKeys: writeApiKeys,
  paymentSources: writePaymentSources,
  referralPrograms: writeReferralPrograms,
  inboxRecords: writeInboxRecords,
  accessNotes: () => undefined, // the audit trail is all there is of them
  operations: insertOperations,
  records: insertRecords,
  newOrders: insertOrders,
  orderSteps: updateOrders,
  newBatches: insertBatches,
  movedBatches: insertMovedBatches,
  changedBatches: updateBatches,
  changedValidity: updateValidity,
  endedAccess: writeEndedAccess,
  newClawbacks: insertClawbacks,
  changedClawbacks: updateClawbacks,
  changedSubscriptions: writeSubscriptions,
  newPeriods: insertPeriods,
  endedPeriods: endPeriods,
  subscriptionSteps: insertSteps,
  changedHoldings: writeBalances,
  entries: insertEntries,
  newReservations: writeReservations,
  changedReservations: writeReservations,
  limits: writeCustomerLimits,
  limitSources: writeLimitSources,
  changedWindows: writeCounters,
  settled: updateStandings,
  merges: writeMerges,
  erasures: writeErasures,
  metadata: updateMetadata,
  profiles: updateProfiles,
  newReferrals: insertReferrals,
  droppedReferrals: dropReferrals,
  signals: insertSignals,
  newRewards: insertRewards,
  rewardSteps: updateRewards,
  removedIdentities: deleteIdentities,
  newIdentities: claimIdentities,
  trialUses: claimTrials,
  payments: claimPayments,
  refunds: claimRefunds,
  disputes: claimDisputes,
  notices: writeNotices,
  passedNotices: writePassedNotices,
  keyedAnswers: claimKeyedAnswers,
  audit: insertAuditRecords,
  // Last: by then the transaction has a number, and so is waited for by who reads events.
  events: insertEvents,
};

const writers: readonly Writer[] = [...new Set(Object.values(WRITERS))];

/**
 * Sends the writes of all changes and returns them under way; a failed one makes the transaction a rollback. Precondition: the customers are locked by
 * this transaction. Throws in them: BC001 when somebody else made a claim first.
 */
export function writeChanges(tx: Tx, changes: Changes): Promise<unknown>[] {
  const writing = writers.flatMap((write) => write(tx, changes) ?? []);
  for (const write of writing) write.catch(() => undefined); // whoever commits looks at them
  return writing;
}
