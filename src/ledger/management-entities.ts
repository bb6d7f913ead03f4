// What the service is run with: who is told of events, and who is let in. Types alone.
import type { Metadata } from '../lib/metadata.js';
import type { Scope } from '../lib/scopes.js';

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
