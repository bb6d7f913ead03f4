// Ceilings on usage, and what was used below them. Types alone.
import type { Subject } from './catalog-entities.js';
import type { NoticeType } from './event-types.js';

/** A window of time in which uses are counted. `billing_period` is that of a subscription, or the month where there is none. */
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
  /** Null of `total`, which has none, and of a billing period that nothing has followed yet. */
  end: Date | null;
  /** Whether it is a period of a subscription; else it is one of the calendar. */
  isOfPlan?: boolean;
  /** Null where there is none, and the use is asked for all the same. */
  limit: number | null;
  enforcement: Enforcement;
  level: LimitLevel;
  used: number;
  /** What of it those used who were merged into the customer. */
  usedByMerged: number;
  /** How much of that reservations hold: of a feature's `total`, where units of it may come back. */
  held: number;
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
