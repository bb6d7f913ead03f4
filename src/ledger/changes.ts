// The record of a change: all that a transaction decides upon, before any of it is written. Decisions fill it, db/ writes whatever is in it, and
// who tells of changes or audits them reads it. A kind of change that is not here can't happen.
import type { Metadata } from '../lib/metadata.js';
import type { AuditRecord } from './audit-record.js';
import type { Offer, Product } from './catalog-entities.js';
import type {
  DroppedReferral,
  Erasure,
  FirstSight,
  Identity,
  IdentityKey,
  KeyedAnswer,
  Merge,
  Referral,
  TrialTrace,
  TrialUse,
} from './customer-entities.js';
import type {
  Batch,
  Entry,
  Holding,
  IdempotencyRecord,
  MovedBatch,
  NewBatch,
  NewOperation,
  Notice,
  Reservation,
} from './entities.js';
import type { NewEvent } from './event-types.js';
import type { Limit, LimitSource, UsageWindow } from './limit-entities.js';
import type { AccessNote, ApiKey, Endpoint } from './management-entities.js';
import type { Clawback, Dispute, Order, OrderStep, PaymentChange, Refund, Reported } from './order-entities.js';
import type { InboxRecord, PaymentSource } from './payment-entities.js';
import type { ReferralProgram, Reward, RewardStep } from './reward-entities.js';
import type { SoldBatch } from './sold-entities.js';
import type { Period, Subscription, SubscriptionStep } from './subscription-entities.js';

/** What changes of one customer. Claims that others may take first are payments, trial uses and new identities. */
export interface CustomerChanges {
  operations: NewOperation[];
  newBatches: NewBatch[];
  /** Those in which batches of other customers of the family go on. */
  movedBatches: MovedBatch[];
  changedBatches: Map<string, Batch>;
  changedHoldings: Set<Holding>;
  entries: Entry[];
  newReservations: Reservation[];
  changedReservations: Set<Reservation>;
  /** Up to when what had fallen due was settled, as far as it was settled at once. */
  settled: Date[];
  newOrders: Order[];
  /** Those by which it is paid are whole, as they are told. */
  orderSteps: (OrderStep | Order)[];
  /** His metadata as a whole; the last counts. */
  metadata: { before: Metadata; after: Metadata; operationId: string }[];
  profiles: (IdentityKey & { profile: Metadata })[];
  newReferrals: Referral[];
  droppedReferrals: DroppedReferral[];
  /** Customers that were merged into this one. */
  merges: Merge[];
  /** That he was erased. */
  erasures: Erasure[];
  /** What his referral, as who was brought, is to earn; of both sides. */
  newRewards: Reward[];
  rewardSteps: RewardStep[];
  /** Hashes by which he is known from now on. */
  signals: TrialTrace[];
  /** The answers of the operations, as far as they are kept. */
  records: IdempotencyRecord[];
  removedIdentities: (Identity & { operationId: string })[];
  newIdentities: (Identity & { operationId: string })[];
  trialUses: TrialUse[];
  payments: PaymentChange[];
  /** What was told of refunds and disputes; claims. */
  refunds: Reported<Refund>[];
  disputes: Reported<Dispute>[];
  newClawbacks: Clawback[];
  changedClawbacks: Set<Clawback>;
  /** Batches that are valid at another time than before, or no longer. */
  changedValidity: Set<SoldBatch>;
  /** Access that goes on in another batch, by id, with the instant at which it ended here. */
  endedAccess: Map<string, Date>;
  notices: Notice[];
  limits: ChangedLimit[];
  limitSources: ChangedLimitSource[];
  /** Windows of limits that were counted on. */
  changedWindows: Set<UsageWindow>;
  /** Batches of which nothing more is to be told ahead, by id. */
  passedNotices: string[];
  changedSubscriptions: Set<Subscription>;
  newPeriods: Period[];
  /** Periods that ended before their end. */
  endedPeriods: Period[];
  subscriptionSteps: SubscriptionStep[];
}

/** A limit of a customer that is set, replaced or removed. */
export interface ChangedLimit {
  before: Limit | undefined;
  after: Limit | undefined;
  operationId: string;
}

/** Whose limits a customer shares, or shares no longer. */
export interface ChangedLimitSource {
  before: LimitSource | undefined;
  after: LimitSource | undefined;
  operationId: string;
}

/** A customer, what changes of him, and where his ledger stands afterwards. A book is one. */
export interface ChangedCustomer {
  readonly customerId: string;
  /** The instant of the changes. */
  readonly now: Date;
  readonly nextSeq: number;
  /** The number of his next event, before these changes. */
  readonly nextEvent: number;
  readonly changes: CustomerChanges;
}

/** A change of management: what there was before, and is afterwards, at an instant, by whom. */
export interface Managed<T> {
  before: T | undefined;
  after: T | undefined;
  at: Date;
  actingKey: string;
}

/** What one transaction changes. */
export interface Changes {
  customers: ChangedCustomer[];
  firstSights: FirstSight[];
  /** Replaced as a whole; never deleted. */
  products: (Managed<Product> & { after: Product })[];
  offers: (Managed<Offer> & { after: Offer })[];
  endpoints: Managed<Endpoint>[];
  /** Of plans, and of all customers. */
  commonLimits: Managed<Limit>[];
  /** The test clock. A step on the way to where it is moved is no change of its own. */
  clock: (Managed<Date> & { after: Date; isStep: boolean })[];
  keyedAnswers: KeyedAnswer[];
  /** What changes nothing but is audited. */
  accessNotes: AccessNote[];
  apiKeys: (Managed<ApiKey> & { after: ApiKey })[];
  paymentSources: Managed<PaymentSource>[];
  referralPrograms: Managed<ReferralProgram>[];
  /** Events of payment providers that somebody has to look at, or did. */
  inboxRecords: (Managed<InboxRecord> & { before: InboxRecord; after: InboxRecord })[];
  /** What is audited, and told, of all that; made of it just before it is written. */
  audit: AuditRecord[];
  events: NewEvent[];
}

/** A record without any change, of a customer. */
export function noCustomerChanges(): CustomerChanges {
  return {
    operations: [],
    newBatches: [],
    movedBatches: [],
    changedBatches: new Map(),
    changedHoldings: new Set(),
    entries: [],
    newReservations: [],
    changedReservations: new Set(),
    settled: [],
    newOrders: [],
    orderSteps: [],
    metadata: [],
    profiles: [],
    newReferrals: [],
    droppedReferrals: [],
    merges: [],
    erasures: [],
    newRewards: [],
    rewardSteps: [],
    signals: [],
    records: [],
    removedIdentities: [],
    newIdentities: [],
    trialUses: [],
    payments: [],
    refunds: [],
    disputes: [],
    newClawbacks: [],
    changedClawbacks: new Set(),
    changedValidity: new Set(),
    endedAccess: new Map(),
    notices: [],
    limits: [],
    limitSources: [],
    changedWindows: new Set(),
    passedNotices: [],
    changedSubscriptions: new Set(),
    newPeriods: [],
    endedPeriods: [],
    subscriptionSteps: [],
  };
}

/** A record without any change, of a transaction. */
export function noChanges(): Changes {
  return {
    customers: [],
    firstSights: [],
    products: [],
    offers: [],
    endpoints: [],
    commonLimits: [],
    clock: [],
    keyedAnswers: [],
    accessNotes: [],
    apiKeys: [],
    paymentSources: [],
    referralPrograms: [],
    inboxRecords: [],
    audit: [],
    events: [],
  };
}

/** What is left behind where no operation is recorded: a payment that failed or matched nothing, and what is told by itself (DOMAIN 3.17). */
const KEPT_BY_REFUSALS: ReadonlySet<string> = new Set<keyof CustomerChanges>(['payments', 'notices', 'passedNotices']);

/** How many changes there are of a customer; of those that a refusal must not leave only, with `isRefusal`. */
export function countChanges(changes: CustomerChanges, isRefusal = false): number {
  let count = 0;
  for (const kind in changes) {
    if (isRefusal && KEPT_BY_REFUSALS.has(kind)) continue;
    count += sizeOf(changes[kind as keyof CustomerChanges]);
  }
  return count;
}

function sizeOf(made: CustomerChanges[keyof CustomerChanges]): number {
  return 'size' in made ? made.size : made.length;
}

/** Whether there is no change of a kind. */
export function isEmpty(made: CustomerChanges[keyof CustomerChanges]): boolean {
  return sizeOf(made) === 0;
}

/** Whether there is anything to write. That something was settled is, by itself, only for who came to settle. */
export function hasChanges(
  { customers, firstSights, products, offers, endpoints, commonLimits, clock, ...others }: Changes,
  isSweep = false,
): boolean {
  const { keyedAnswers, apiKeys, accessNotes, paymentSources, referralPrograms, inboxRecords } = others;
  const catalogued = [products, offers, referralPrograms];
  const managed = [...catalogued, endpoints, commonLimits, clock, apiKeys, paymentSources, inboxRecords];
  const kinds = [firstSights, keyedAnswers, accessNotes, ...managed];
  const own = kinds.reduce((sum, made) => sum + made.length, 0);
  return own > 0 || customers.some(({ changes }) => countChanges(changes) > (isSweep ? 0 : changes.settled.length));
}
