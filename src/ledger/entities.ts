// What the ledger knows of one customer: batches, entries, holdings, reservations, operations and their answers. Types alone; who decides about them,
// loads or writes them imports them from here.
import type { Metadata } from '../lib/metadata.js';
import type { Subject } from './catalog-entities.js';
import type { NoticeType } from './event-types.js';
import type { CheckedLimit } from './limit-entities.js';
import type { OperationName } from './operations.js';
import type { Anchored } from './periods.js';

export type BatchSource =
  | 'purchase'
  | 'bonus'
  | 'trial'
  | 'adjustment'
  | 'migration'
  | 'exchange'
  | 'metered'
  | 'subscription';

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
  /** The order that it is of. */
  orderId: string | null;
  granted: number | null;
  /** The subscription in whose period it was allocated, or goes on. */
  subscriptionId: string | null;
  /** What refunds and disputes took of it: a part of `revoked`. */
  recovered: number;
  /** What they claim of it, and have neither taken nor turned into debt. */
  unrecovered: number;
  priority: number;
  validFrom: Date;
  expiresAt: Date | null;
  createdAt: Date;
}

/** A batch that this operation makes: what was granted, and why. */
export interface NewBatch extends Batch {
  source: BatchSource;
  sku: string | null;
  orderItemId: string | null;
  operationId: string;
  /** The day of the month that its access keeps when it is extended; null when it is counted or never ends. */
  anchorDay: number | null;
  /** When it is to be told that it ends soon; null when it is not. */
  noticeAt: Date | null;
  /** Of what was granted or exchanged by an offer: how many of it. */
  offerQuantity: number | null;
  /** The batch that it goes on for, whose units or time came back after it had ended. */
  predecessorId: string | null;
  metadata: Metadata;
}

/** A batch in which one of another customer of the family goes on; where that came from, it keeps. */
export interface MovedBatch extends Batch {
  operationId: string;
  predecessorId: string;
  /** Whose that is. */
  predecessorCustomerId: string;
  anchorDay: number | null;
  noticeAt: Date | null;
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
  | 'forgive'
  | 'adjust'
  | 'transfer_out'
  | 'transfer_in';

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
  /** Debts of which something may be forgiven, while anything is owed: those that refunds made, and those of operations that were asked for. */
  debts: KnownDebt[];
  /** Of a customer that was merged: the holding of the one whom he leads to. */
  into?: Holding;
  /** What of his debts that one owes by now. */
  owedElsewhere?: number;
}

/** A debt. The oldest is repaid first, so that what is owed is owed of the newest. */
export interface KnownDebt {
  /** Of its entry. */
  seq: number;
  /** The batch of which a refund claimed what became the debt; null of an overdraft. */
  batchId: string | null;
  /** What was not forgiven of it. */
  left: number;
  /** What was not forgiven of all debts that are newer. */
  newer: number;
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

/** What is told at most once of a customer, a type and a subject in a window of time, whether or not what asked for it was refused. */
export interface Notice {
  /** The id of its event. */
  id: string;
  type: NoticeType;
  subject: string;
  windowStart: Date;
  data: Metadata;
}

/** A batch of which it is time to tell that it ends. */
export type ExpiringBatch = Pick<NewBatch, 'id' | 'productKey' | 'granted' | 'available' | 'expiresAt' | 'noticeAt'>;
