// A customer's plans: what he subscribed to, its periods, and what became of it. Types alone.
import type { Metadata } from '../lib/metadata.js';
import type { Micros } from '../lib/money.js';
import type { OrderedPlan, Term } from './catalog-entities.js';
import type { Batch } from './entities.js';
import type { Order } from './order-entities.js';
import type { SoldBatch } from './sold-entities.js';

export type SubscriptionStatus = 'incomplete' | 'trialing' | 'active' | 'past_due' | 'cancelled' | 'expired';

/** A plan as it was when it was subscribed; later changes of its offer change nothing of it. `price` is of one period. */
export interface SubscribedPlan extends OrderedPlan {
  sku: string;
  name: string;
  price: Micros;
  currency: string;
  terms: Term[];
}

/** What becomes of units of the plan before when a change takes effect: they stay, or are taken away. */
export type OldUnits = 'carry' | 'reset';

/** Another plan, at the end of the period, or as soon as its order is paid. */
export interface SubscriptionChange {
  plan: SubscribedPlan;
  oldUnits: OldUnits;
  /** The order that pays it; null where it takes effect at the end of the period. */
  orderId: string | null;
}

export interface Subscription {
  id: string;
  customerId: string;
  status: SubscriptionStatus;
  plan: SubscribedPlan;
  /** From where its periods are counted; null while nothing is paid. */
  anchorAt: Date | null;
  /** The day of the month that they begin on, or on the last one of a shorter month. */
  anchorDay: number | null;
  /** Of the present period, counted from the anchor; -1 of a trial. */
  periodNumber: number;
  periodStartsAt: Date | null;
  periodEndsAt: Date | null;
  /** The order that pays the first or the next period, if one was made. */
  orderId: string | null;
  change: SubscriptionChange | null;
  /** It ends with its period. */
  cancelsAtEnd: boolean;
  /** The end of its present period was told ahead. */
  renewalTold: boolean;
  /** When its present period allocates again; null where it does not. */
  allocatesAt: Date | null;
  /** How many steps it has made. */
  stepCount: number;
  /** When settling has something to do for it; null once it has ended. */
  turnsAt: Date | null;
  endedAt: Date | null;
  metadata: Metadata;
  createdAt: Date;
  /** In whose ledger it goes on since a merge, under the same id; null of one that is here, or ended here. */
  movedTo: string | null;
  /** In whose ledgers it was before, in their order: its earlier periods, and orders, are there. */
  formerIds: readonly string[];
}

/** `skipped` are periods of which nothing could have been usable once they were looked at. */
export type PeriodKind = 'trial' | 'free' | 'paid' | 'skipped';

/** What a subscription allocated of a plan, from its scheduled start. Unique by subscription, plan and start. */
export interface Period {
  /** In whose ledger it is recorded. */
  customerId: string;
  subscriptionId: string;
  planGroup: string;
  sku: string;
  startsAt: Date;
  endsAt: Date;
  kind: PeriodKind;
  /** How many periods were skipped; else 1. */
  count: number;
  /** Units by product; 1 for access. */
  granted: Record<string, number>;
  orderId: string | null;
  orderItemId: string | null;
  /** In whose ledger its order is, where that is another: who was merged paid it. */
  orderCustomerId: string | null;
  operationId: string;
  /** When it was ended by a refund or a dispute of its order. */
  endedAt: Date | null;
  createdAt: Date;
}

export type StepKind =
  | 'created'
  | 'allocated'
  | 'allocation_begun'
  | 'renewed'
  | 'skipped'
  | 'trial_ending'
  | 'renewal_due'
  | 'past_due'
  | 'changed'
  | 'updated'
  | 'moved'
  | 'cancelled'
  | 'expired';

/** Why nothing was allocated: the period was over with all that it would have given, or more of a product could not have been counted. */
export type SkipReason = 'over' | 'no_room';

/** What became of a subscription, with what it was afterwards. */
export interface SubscriptionStep {
  id: string;
  number: number;
  kind: StepKind;
  subscription: Subscription;
  /** What was allocated or skipped. */
  period: Period | null;
  /** Of what was skipped. */
  reason: SkipReason | null;
  operationId: string;
  occurredAt: Date;
}

/** A batch that ended while units of it were held: of which plan it is, and how many units of its product went over at its end and since. */
export interface EndedBatch {
  id: string;
  sku: string | null;
  goneOn: number;
}

/** A batch that ended with a period that nobody followed by paying, with the units that refunds and disputes claim of it. */
export interface ExpiredBatch {
  batch: Batch;
  claimed: number;
}

/** A subscription with what settling it looks at. */
export interface KnownSubscription {
  subscription: Subscription;
  /** Of its own, those that were paid and begin later, soonest first; in whichever ledger they are recorded. */
  ahead: Period[];
  /** The lines that paid its periods, by their orders. */
  lines: Map<string, { id: string; sku: string }>;
  /** Its orders, of what comes next and of a change, where they were asked for. */
  orders?: readonly Order[];
  /** Batches that have ended, and of which all that is left is held; read only where a period turns. */
  held?: readonly Batch[];
  /** Batches that ended while units of them were held; read only where such units may be freed. */
  ended?: readonly EndedBatch[];
  /** What ended with its present period while nobody had paid the next one; read only where that may be paid. */
  expired?: readonly ExpiredBatch[];
  /** What it allocated and is still there; read only where a change takes it away. */
  allocated: SoldBatch[];
}

/** A period that is not over, whether or not its subscription has ended. */
export interface RunningPeriod extends Period {
  /** The day of the month that its subscription keeps. */
  anchorDay: number | null;
}

/** What a book knows of a customer's plans. */
export interface KnownPlans {
  /** One of each group at most. */
  subscriptions: KnownSubscription[];
  running: readonly RunningPeriod[];
  /** Those whose starts may be taken: of these subscriptions those that began with the present one, those that run, and those that were paid. */
  periods: readonly Period[];
  /** All that were paid of these subscriptions, and of others what is not over. */
  paid: readonly Period[];
}
