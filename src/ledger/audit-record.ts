// A record of the audit trail.
import type { Metadata } from '../lib/metadata.js';

/** What can be audited, `<kind of thing>.<what was done to it>`. */
export type AuditAction =
  | `${ManagedKind}.created`
  | `${ManagedKind}.updated`
  | 'endpoint.deleted'
  | 'limit.deleted'
  | 'limit_source.deleted'
  | 'api_key.refused'
  | 'customer_token.issued'
  | 'payment_event.updated'
  | 'payment_source.deleted'
  | 'referral_program.deleted'
  | 'reward.released'
  | 'reward.refused'
  | 'clock.set'
  | 'customer.updated'
  | 'customer.merged'
  | 'customer.erased'
  | 'identity.linked'
  | 'identity.unlinked'
  | 'balance.adjusted'
  | 'trial.overridden'
  | 'order.priced'
  | 'order.refunded'
  | 'order.disputed';

/** What is managed as a whole. */
export type ManagedKind =
  | 'product'
  | 'offer'
  | 'endpoint'
  | 'api_key'
  | 'limit'
  | 'limit_source'
  | 'payment_source'
  | 'referral_program';

/** A snapshot under our names; what is free JSON is its `metadata`, or `profile`. */
type Snapshot = Metadata | null;

/** One change of management: by which key, when, from what to what. */
export interface AuditRecord {
  id: string;
  recordedAt: Date;
  actingKey: string;
  action: AuditAction;
  /** The key, SKU or id of what was changed. */
  subject: string;
  customerId: string | null;
  operationId: string | null;
  before: Snapshot;
  after: Snapshot;
}
