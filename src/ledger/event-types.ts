// Which events there are, and what every one of them has.
import type { Metadata } from '../lib/metadata.js';

/** What is told at most once of a customer and a subject in a window of time. */
export type NoticeType = 'trial.refused' | 'batch.expiring' | 'quota.limit_reached' | 'quota.limit_exceeded';

/** All types, with the version of their data. */
export const EVENT_VERSIONS = {
  'customer.created': 1,
  'customer.merged': 1,
  'customer.erased': 1,
  'order.created': 1,
  'order.paid': 1,
  'order.payment_failed': 1,
  'order.cancelled': 1,
  'order.expired': 1,
  'order.refunded': 1,
  'order.refund_failed': 1,
  'order.disputed': 1,
  'order.dispute_closed': 1,
  'payment.unmatched': 1,
  'payment.quarantined': 1,
  'batch.granted': 1,
  'batch.expiring': 1,
  'batch.expired': 1,
  'batch.revoked': 1,
  'quota.consumed': 1,
  'quota.low': 1,
  'quota.exhausted': 1,
  'quota.limit_reached': 1,
  'quota.limit_exceeded': 1,
  'trial.activated': 1,
  'trial.refused': 1,
  'referral.attached': 1,
  'referral.reward_armed': 1,
  'referral.reward_held': 1,
  'referral.reward_cancelled': 1,
  'referral.rewarded': 1,
  'referral.revoked': 1,
  'reservation.created': 1,
  'reservation.committed': 1,
  'reservation.released': 1,
  'reservation.expired': 1,
  'exchange.completed': 1,
  'subscription.created': 1,
  'subscription.allocated': 1,
  'subscription.allocation_begun': 1,
  'subscription.renewed': 1,
  'subscription.skipped': 1,
  'subscription.trial_ending': 1,
  'subscription.renewal_due': 1,
  'subscription.past_due': 1,
  'subscription.changed': 1,
  'subscription.updated': 1,
  'subscription.moved': 1,
  'subscription.cancelled': 1,
  'subscription.expired': 1,
  'product.activated': 1,
  'product.deactivated': 1,
  'product.changed': 1,
  'offer.activated': 1,
  'offer.deactivated': 1,
  'webhook_endpoint.disabled': 1,
} as const satisfies Record<string, number>;

export type EventType = keyof typeof EVENT_VERSIONS;

const ALL = '*';

/** The types that an endpoint asks for, written as `*`, `order.*` or whole; none where it asks for all of them. */
export function typesAsked(patterns: readonly string[]): EventType[] {
  if (patterns.includes(ALL)) return [];
  const types = Object.keys(EVENT_VERSIONS) as EventType[];
  return types.filter((type) => patterns.includes(type) || patterns.includes(`${type.split('.')[0]}.*`));
}

/** An event to write. `data` has our names; what is free JSON is its `metadata`. */
export interface NewEvent {
  id: string;
  /** Null when it is about none. */
  customerId: string | null;
  /** Its place among the customer's events, 1 upwards without gaps; of those about nobody, among those of its transaction. */
  number: number;
  type: EventType;
  schemaVersion: number;
  /** What it is about; where that is no customer's, the record of the audit trail. */
  subjectId: string;
  operationId: string | null;
  data: Metadata;
  recordedAt: Date;
}

/** What one change tells. */
export type Told = Pick<NewEvent, 'type' | 'subjectId' | 'operationId'> & {
  data: Record<string, unknown>;
  id?: string;
};
