// What Bursar keeps of a customer and of the catalogue: the entities of docs/domain.md as the ledger sees them. Types alone; who decides about them, loads
// or writes them imports them from here.
import type { Micros } from '../lib/money.js';
import type { Scope } from '../lib/scopes.js';
import type { OperationName } from './operations.js';
import type { Anchored, PeriodUnit } from './periods.js';

export type Metadata = Record<string, unknown>;

/** `metered` is counted without being granted: limits alone govern it. */
export type ProductType = 'quantity' | 'period' | 'unlimited' | 'metered';

/** What is asked for: a product itself, or any product that provides a feature. */
export type Subject = { productKey: string } | { feature: string };

export type BatchSource = 'purchase' | 'bonus' | 'trial' | 'adjustment' | 'migration' | 'exchange' | 'metered';

/** The parts of a batch into which `granted` is divided. */
export interface BatchParts {
  available: number;
  held: number;
  consumed: number;
  expired: number;
  revoked: number;
  transferred: number;
}

/** A batch of the book. `granted` is null for uncounted products. Quantities are whole product units. */
export interface Batch extends BatchParts {
  id: string;
  productKey: string;
  granted: number | null;
  priority: number;
  validFrom: Date;
  expiresAt: Date | null;
  createdAt: Date;
}

/** A batch that this operation makes: what was granted, and why. */
export interface NewBatch extends Batch {
  source: BatchSource;
  sku: string | null;
  orderId: string | null;
  orderItemId: string | null;
  operationId: string;
  /** The day of the month that its access keeps when it is extended; null when it is counted or never ends. */
  anchorDay: number | null;
  /** When it is to be told that it ends soon; null when it is not. */
  noticeAt: Date | null;
  metadata: Metadata;
}

export type EntryKind =
  | 'grant'
  | 'consume'
  | 'expire'
  | 'revoke'
  | 'hold'
  | 'release'
  | 'commit'
  | 'reverse'
  | 'debt'
  | 'repay'
  | 'forgive';

/** One line of the ledger. `amount` is in whole product units. */
export interface Entry {
  id: string;
  seq: number;
  operationId: string | null;
  kind: EntryKind;
  direction: 'credit' | 'debit' | 'none';
  productKey: string;
  batchId: string | null;
  amount: number;
  balanceAfter: number;
  feature: string | null;
  /** Product units of one feature unit; null when the product itself was asked for. */
  unitCost: number | null;
  actionType: string | null;
  actionId: string | null;
  orderId: string | null;
  reservationId: string | null;
  /** The entry that this one corrects. */
  reversesSeq: number | null;
  metadata: Metadata | null;
  occurredAt: Date;
  /** In which windows of limits it counts; null where it counts in none. */
  countedAt: Date | null;
  /** How much it counts, in the unit of its call: a feature's units where it names one, product units else; below 0 where units came back. */
  counted: number | null;
  /** What a use came to in the windows of limits, on the last of its entries. */
  checkedLimits: CheckedLimit[] | null;
}

/** A window of time in which uses are counted. `billing_period` is the month until there are subscriptions. */
export type LimitWindow = 'hour' | 'day' | 'month' | 'billing_period' | 'total';

/** What comes of a use above the limit: HARD refuses it, SOFT tells of it, NONE counts. */
export type Enforcement = 'HARD' | 'SOFT' | 'NONE';

/** A ceiling on the usage of a subject. Of a window that is left out something farther says; null is unlimited, 0 is blocked. */
export interface LimitTerms {
  subject: Subject;
  windows: { [W in LimitWindow]?: number | null | undefined };
  enforcement: Enforcement;
  /** Who set it, in the caller's words. */
  ownerTag: string | null;
}

/** Whose limit it is; the nearest wins: a customer's own, that of the source he shares, a plan's, that of all. */
export type LimitScope = { customerId: string; isCopied: boolean } | { planSku: string } | 'default';

export interface Limit extends LimitTerms {
  id: string;
  scope: LimitScope;
  createdAt: Date;
  updatedAt: Date;
}

/** Whose limits a customer shares. */
export interface LimitSource {
  customerId: string;
  sourceId: string;
  /** As of when his copies are. */
  copiedAt: Date;
  /** How often the source's limits changed since he shares them, and up to which change they were copied. */
  changes: number;
  copied: number;
}

/** How far away a limit was set. */
export type LimitLevel = 'customer' | 'source' | 'plan' | 'default';

/** A window in force of a customer: what was used in it, and how much may be. */
export interface UsageWindow {
  subject: Subject;
  window: LimitWindow;
  start: Date;
  /** Null of `total`, which has none. */
  end: Date | null;
  /** Null where there is none, and the use is asked for all the same. */
  limit: number | null;
  enforcement: Enforcement;
  level: LimitLevel;
  used: number;
  /** The last entry that is counted; null where all are. Nothing is decided by a window that lacks some. */
  countedTo: number | null;
  /** What was told of it. */
  told: Set<NoticeType>;
}

/** A window that a use would take above its limit. Amounts are in the subject's unit. */
export interface Violation {
  productKey?: string;
  feature?: string;
  window: LimitWindow;
  current: number;
  requested: number;
  limit: number;
  enforcement: Enforcement;
  resetsAt: Date | null;
}

/** What a use came to in a window. */
export interface CheckedLimit {
  subject: Subject;
  window: LimitWindow;
  windowStart: Date;
  usedAfter: number;
  limit: number;
  enforcement: Enforcement;
}

/** Product units of one batch that a reservation holds. */
export interface Leg {
  batch: Batch;
  amount: number;
}

export type ReservationStatus = 'held' | 'committed' | 'released' | 'expired';

/** Units held for work in progress. Amounts are in the unit of its subject. */
export interface Reservation {
  id: string;
  operationId: string;
  subject: Subject;
  amount: number;
  /** Product units of one unit of the subject, by product, as they were when it was made. */
  costs: Record<string, number>;
  status: ReservationStatus;
  committedAmount: number;
  actionType: string;
  actionId: string | null;
  metadata: Metadata;
  expiresAt: Date;
  createdAt: Date;
  endedAt: Date | null;
  /** The operation that ended it; null while it is open, and when it lapsed. */
  endedBy: string | null;
  /** In the order of use. */
  legs: Leg[];
}

/** What a customer holds of one product. */
export interface Holding {
  productKey: string;
  /** At or below it a balance is low, if the product says. */
  lowBalanceThreshold: number | null;
  /** How many days before a batch ends that is told, if the product says. */
  expiringDays: number | null;
  /** The balance row: sums of the stored parts of all counted batches. */
  available: number;
  held: number;
  owed: number;
  /** Usable counted batches in burn order; only the first of them when the need was covered earlier. */
  usable: Batch[];
  /** Running uncounted batches in burn order. */
  running: Batch[];
  /** Latest end among running and future uncounted batches; null when there is none. */
  accessEnd: Anchored | 'forever' | null;
  /** Units in batches whose validity begins later; not spendable yet. */
  notYetValid: number;
  /** The batches of `notYetValid`, soonest first; loaded only for an overdraft, which takes from every batch. */
  pending: Batch[];
}

/** An entry by which an operation took something. `reversed` is what was given back of it so far. */
export interface TakenEntry {
  seq: number;
  productKey: string;
  /** Null for a debt. */
  batch: Batch | null;
  amount: number;
  reversed: number;
  feature: string | null;
  unitCost: number | null;
  actionType: string | null;
  actionId: string | null;
  /** In which windows of limits it was counted. */
  countedAt: Date;
}

/** What an operation took, in the order of use. */
export interface TakenOperation {
  id: string;
  name: string;
  /** How many entries it has; of one with more than TAKEN_ENTRIES_MAX none are read. */
  size: number;
  entries: TakenEntry[];
}

/** An operation to record. */
export interface NewOperation {
  id: string;
  name: OperationName;
  actingKey: string;
  /** Its entries follow one another in the customer's ledger; null when it has none. */
  firstSeq: number | null;
  lastSeq: number | null;
  /** It used something, and tells it, because somebody asked for that when its customer was locked. */
  tellsUse: boolean;
}

/** Under a key of the caller's, or under what the operation is about: those never age. */
export type RecordKind = 'client' | 'natural';

/** What is known by a key: the answer, and the hash of the request that it answered, in hexadecimal. */
export interface RecordedRequest {
  requestHash: string;
  requestHashVersion: number;
  status: number;
  /** JSON text. */
  answer: string;
}

/** An operation's answer, and under which key of its name it is kept. */
export interface IdempotencyRecord extends RecordedRequest {
  name: OperationName;
  kind: RecordKind;
  key: string;
  operationId: string;
}

export type Stacking = 'extend' | 'parallel';

/** What an offer gives of one product, as it stood when the offer was ordered or granted. */
export interface Term {
  productKey: string;
  productType: ProductType;
  quantity: number;
  periodUnit: PeriodUnit;
  periodValue: number | null;
  priority: number;
  stacking: Stacking;
}

export interface ProductFeature {
  feature: string;
  unitCost: number;
}

export interface Product {
  productKey: string;
  name: string;
  description: string;
  type: ProductType;
  isCurrency: boolean;
  isActive: boolean;
  features: ProductFeature[];
  lowBalanceThreshold: number | null;
  expiringDays: number | null;
  metadata: Metadata;
  createdAt: Date;
}

export interface OfferItem {
  productKey: string;
  quantity: number;
  periodUnit: PeriodUnit;
  periodValue: number | null;
  priority: number;
  stacking: Stacking;
}

/** An item together with the product that it gives. */
export interface OfferItemWithProduct extends OfferItem {
  product: Product;
}

export type TrialScope = 'any' | 'offer';

export interface Recurrence {
  unit: Exclude<PeriodUnit, 'forever'>;
  count: number;
}

export interface Offer<Item = OfferItem> {
  sku: string;
  name: string;
  description: string;
  image: string | null;
  price: Micros;
  currency: string;
  isActive: boolean;
  isTrial: boolean;
  trialScope: TrialScope | null;
  recurrence: Recurrence | null;
  planGroup: string | null;
  items: Item[];
  metadata: Metadata;
  createdAt: Date;
}

/** What is told at most once of a customer, a type and a subject in a window of time, whether or not what asked for it was refused. */
export interface Notice {
  /** The id of its event. */
  id: string;
  type: NoticeType;
  subject: string;
  windowStart: Date;
  data: Metadata;
}

export type NoticeType = 'trial.refused' | 'batch.expiring' | 'quota.limit_reached' | 'quota.limit_exceeded';

/** A batch of which it is time to tell that it ends. */
export type ExpiringBatch = Pick<NewBatch, 'id' | 'productKey' | 'granted' | 'available' | 'expiresAt' | 'noticeAt'>;

/** Who asks for events: of some types, `*` for all, `order.*` for all of a group. */
export interface Endpoint {
  id: string;
  description: string;
  types: string[];
  isEnabled: boolean;
  /** Where events are sent; null of one that follows the feed. */
  url: string | null;
  /** What is signed with, encrypted; null without a URL. */
  sealedSecret: string | null;
  /** The one before, which signs too until an instant. */
  oldSealedSecret: string | null;
  oldSecretUntil: Date | null;
  /** Why it was disabled by itself; null of one that was not. */
  disabledReason: DisabledReason | null;
  createdAt: Date;
  updatedAt: Date;
}

/** `gone`: the receiver answered 410. `failing`: nothing arrived for a day. */
export type DisabledReason = 'gone' | 'failing';

/** A delivery waits for its attempt, or for those before it; was taken by the receiver; or was given up. */
export type DeliveryStatus = 'waiting' | 'delivered' | 'parked';

export type OrderStatus = 'pending' | 'paid' | 'partially_refunded' | 'refunded' | 'cancelled' | 'expired';

export type PaymentStatus = 'failed' | 'unmatched' | 'paid';

/** A line of an order; `price` is of one, `terms` the snapshot of what the offer gave. */
export interface OrderItem {
  id: string;
  sku: string;
  name: string;
  quantity: number;
  price: Micros;
  terms: Term[];
}

export interface Order {
  id: string;
  customerId: string;
  status: OrderStatus;
  currency: string;
  totalAmount: Micros;
  paymentMethod: string | null;
  paymentId: string | null;
  paidAt: Date | null;
  /** The operation that paid it; its stored answer is what the same payment gets again. */
  paidBy: string | null;
  cancelledAt: Date | null;
  /** The operation that cancelled it. */
  cancelledBy: string | null;
  cancelReason: string | null;
  metadata: Metadata;
  expiresAt: Date;
  createdAt: Date;
  items: OrderItem[];
}

/** What a step of its state machine changes of an order. */
export type OrderStep = Pick<
  Order,
  'id' | 'status' | 'paymentMethod' | 'paymentId' | 'paidAt' | 'paidBy' | 'cancelledAt' | 'cancelledBy' | 'cancelReason'
>;

/** One provider charge and the order it was last reported for. */
export interface Payment {
  paymentMethod: string;
  paymentId: string;
  customerId: string;
  orderId: string;
  status: PaymentStatus;
  /** What the provider was said to have charged; null when nobody told. */
  amount: Micros | null;
  currency: string | null;
  operationId: string | null;
}

/** A payment to write, and the state it was decided upon (null: it was unknown). A write that finds another state starts again. */
export interface PaymentChange {
  payment: Payment;
  seen: { status: PaymentStatus; orderId: string } | null;
}

export interface IdentityKey {
  provider: string;
  externalId: string;
}

export interface Identity extends IdentityKey {
  id: string;
  customerId: string;
  profile: Metadata;
}

export interface Referral {
  id: string;
  referrerId: string;
  refereeId: string;
  operationId: string;
  metadata: Metadata;
  createdAt: Date;
}

/** One row to claim. */
export interface TrialClaim {
  /** `any`: one in a lifetime. `offer:<SKU>`: one of that offer. The scopes don't see each other. */
  scope: string;
  pepperId: string;
  identityHash: string;
  identityType: string;
}

/** An identity that had a trial, and the operation that granted it. */
export interface TrialUse extends TrialClaim {
  operationId: string;
}

/** An identity that had a trial in the system that was moved in, by the plain hash that it kept. */
export interface ArchivedTrial {
  identityType: string;
  /** SHA-256 in hexadecimal. */
  identityHash: string;
  /** The name of what was given. */
  plan: string;
  usedAt: Date;
}

/** What a record of the system that was moved in was there. */
export type ArchivedKind = 'entry' | 'order' | 'batch';

/** A record of the system that was moved in, as it was there. */
export interface ArchivedRecord {
  customerId: string;
  kind: ArchivedKind;
  /** Its id there. */
  sourceId: string;
  happenedAt: Date;
  data: Metadata;
}

/** A customer and the first identity that names him, made together. */
export interface FirstSight extends IdentityKey {
  customerId: string;
  identityId: string;
  at: Date;
}

/** The answer to a keyed call that is about no customer of its own; keys are those of an owner of API keys. */
export interface KeyedAnswer extends RecordedRequest {
  owner: string;
  name: string;
  key: string;
  recordedAt: Date;
}

/** An API key, without its secret. */
export interface ApiKey {
  id: string;
  /** Whose it is: the id of the first of the keys that took each other's place. */
  ownerId: string;
  name: string;
  scopes: Scope[];
  /** SHA-256 of the key, in hexadecimal. */
  tokenHash: string;
  /** The key that made it. */
  createdBy: string;
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  /** To the hour. */
  lastUsedAt: Date | null;
}

/** What happened with a key or a token, for the audit trail. */
export interface AccessNote {
  action: 'api_key.refused' | 'customer_token.issued';
  /** The id of the key, or of the customer whose token it is. */
  subject: string;
  actingKey: string;
  at: Date;
  told: Metadata;
}
