// What payment providers tell, whoever they are, and what becomes of it. Types alone.
import type { Micros } from '../lib/money.js';

/**
 * What a provider tells. `ignored`: nothing that concerns a payment of ours, or nothing yet. `unreadable`: it is sent by the provider, but not in a form
 * that says what happened.
 */
export type PaymentEventKind =
  | 'paid'
  | 'failed'
  | 'expired'
  | 'cancelled'
  | 'refunded'
  | 'refund_failed'
  | 'dispute_opened'
  | 'dispute_won'
  | 'dispute_lost'
  | 'ignored'
  | 'unreadable';

/** One event of a provider, in the words that all of them share. */
export interface PaymentEvent {
  /** Unique at its provider. */
  eventId: string;
  /** As the provider calls it. */
  type: string;
  kind: PaymentEventKind;
  /** What it names as its order: the id of one of ours, or what somebody else calls his. */
  orderRef: string | null;
  subscriptionRef: string | null;
  /** The provider's id of the charge. */
  paymentId: string | null;
  refundId: string | null;
  disputeId: string | null;
  amount: Micros | null;
  currency: string | null;
  occurredAt: Date | null;
}

/**
 * `waiting`: it is tried by itself. `applied`: it had its effect, which may be that there was nothing left to do. `ignored`: it has none. `quarantined`:
 * somebody has to look at it. `dismissed`: somebody did, and wants no effect. `applied` and `dismissed` are final.
 */
export type InboxStatus = 'waiting' | 'applied' | 'ignored' | 'quarantined' | 'dismissed';

/** An event as the inbox has it. */
export interface InboxRecord extends PaymentEvent {
  id: string;
  provider: string;
  status: InboxStatus;
  /** A code for why it is not applied; null of what is. */
  reason: string | null;
  /** The same for people. */
  detail: string | null;
  /** The order that it is about, once that is known. */
  orderId: string | null;
  /** How often it was begun to apply it; whoever does writes only while nobody began again. */
  attempts: number;
  receivedAt: Date;
  /** When it is tried next; null where it does not wait. */
  nextAt: Date | null;
  /** When it came to a status in which it is not tried by itself. */
  settledAt: Date | null;
}

/** How a source signs its bodies. */
export type SourceSignature =
  | { scheme: 'standard_webhooks' }
  | {
      scheme: 'hmac_sha256';
      /** The header that has the signature, in lower case. */
      header: string;
      encoding: 'hex' | 'base64';
      /** What stands before it, such as `sha256=`. */
      prefix: string;
    };

/** Where in the JSON of a source's bodies things are, as JSON pointers. */
export interface SourceMapping {
  /** Null where the header `webhook-id` names the event. */
  eventId: string | null;
  type: string | null;
  orderId: string | null;
  subscriptionId: string | null;
  paymentId: string;
  refundId: string | null;
  disputeId: string | null;
  amount: string;
  amountUnit: 'major' | 'minor';
  /** A pointer, or the code of the one currency that there is. */
  currency: string;
  status: string;
  /** What the texts at `status` mean; any other is ignored. */
  statuses: Readonly<Record<string, PaymentEventKind>>;
}

/** A provider that has no file of its own: how it signs, and what its bodies mean. */
export interface PaymentSource {
  name: string;
  description: string;
  isEnabled: boolean;
  paymentMethod: string;
  signature: SourceSignature;
  mapping: SourceMapping;
  /** What it signs with, encrypted, and the one before, which counts until an instant. */
  sealedSecret: string;
  oldSealedSecret: string | null;
  oldSecretUntil: Date | null;
  createdAt: Date;
  updatedAt: Date;
}
