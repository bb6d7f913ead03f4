// Who a customer is, by which names, and what is known of him beside the ledger. Types alone.
import type { Metadata } from '../lib/metadata.js';
import type { RecordedRequest } from './entities.js';
import type { SubscriptionStatus } from './subscription-entities.js';

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

/** Why a merge leaves a referral out: the target has a referrer, both sides became one customer, or it would close a ring. */
export type DroppedReason = 'target_has_referrer' | 'joins_both' | 'closes_ring';

/** A referral that a merge leaves out. */
export interface DroppedReferral {
  id: string;
  refereeId: string;
  reason: DroppedReason;
}

/** A reward that was not granted by the time that its two sides became one customer. */
export interface CancelledReward {
  id: string;
  referralId: string;
  customerId: string;
  programKey: string;
  reason: string;
}

/** What a merge moves, and what it leaves out. */
export interface Merged {
  identities: number;
  batches: number;
  /** Units by product. */
  units: Record<string, number>;
  owed: Record<string, number>;
  /** What stays the source's own, and leads to the target: it ends there. */
  openOrders: number;
  openReservations: number;
  /** Customers that were merged into the source before, and lead to the target from now on. */
  mergedBefore: number;
  /** Subscriptions that go on in the target's ledger; merges of an older build name none. */
  subscriptions: MovedSubscription[];
  droppedReferrals: (DroppedReferral & { referrerId: string })[];
  /** Merges of an older build name none. */
  cancelledRewards: CancelledReward[];
  /** Limits of the source's own, which are not in force any more. */
  droppedLimits: number;
  /** Of two of a group the one that ends sooner; merges of an older build name none. */
  endedSubscriptions: EndedByMerge[];
}

/** A subscription that goes on in the ledger of whom its customer was merged into. */
export interface MovedSubscription {
  id: string;
  sku: string;
  planGroup: string;
  status: SubscriptionStatus;
}

/** A subscription that a merge ended, because another one of the family ends later. */
export interface EndedByMerge {
  id: string;
  customerId: string;
  sku: string;
  planGroup: string;
  staysId: string;
}

/** That one customer was merged into another. */
export interface Merge {
  sourceId: string;
  /** All that lead to the target from now on by it: the source, and those that led to it. */
  memberIds: readonly string[];
  /** All that lead to the target. */
  familyIds: readonly string[];
  operationId: string;
  moved: Merged;
}

/** What erasing a customer closed, over his family. */
export interface Closed {
  identities: number;
  orders: number;
  reservations: number;
  subscriptions: number;
  rewards: number;
  /** Those of which something was left. */
  batches: number;
  /** Units that were revoked, by product. */
  units: Record<string, number>;
}

/** That a customer was erased, with his family. */
export interface Erasure {
  /** He, and those that were merged into him. */
  memberIds: readonly string[];
  operationId: string;
  closed: Closed;
  /** By what he is known: where the family used a trial, none of these gets it again. */
  traces: readonly TrialTrace[];
}

/** An erasure as it is kept, of one member of the family. */
export interface StoredErasure {
  customerId: string;
  finalId: string;
  operationId: string;
  closed: Closed;
  /** How many rows were blanked so far, by table. */
  blanked: Record<string, number>;
  erasedAt: Date;
  /** When the last of them was; null while some are left. */
  blankedAt: Date | null;
}

/** An identity, known by its keyed hash alone. */
export interface TrialTrace {
  pepperId: string;
  identityHash: string;
  identityType: string;
}

/** One row to claim. */
export interface TrialClaim extends TrialTrace {
  /** `any`: one in a lifetime. `offer:<SKU>`: one of that offer. The scopes don't see each other. */
  scope: string;
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
