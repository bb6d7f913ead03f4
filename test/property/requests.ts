// What a workload asks for and what can be seen of the answer, in the words that the model and the systems under test share. Batches and
// orders are named by their place in the order of creation, because ids differ from run to run. No behaviour.
import type { Person, Subject } from './catalogue.js';

/** A request with everything resolved: instants are absolute, orders are named, so that sending it again repeats it. */
export type Request =
  | ({ kind: 'grant units'; key: string | null; as: GivenAs } & Units)
  | { kind: 'grant offer'; key: string | null; as: GivenAs; sku: string; times: number }
  | { kind: 'take away'; key: string | null; product: string; quantity: number }
  | ({ kind: 'migrate'; key: string | null; source: string } & Units)
  | TrialRequest
  | { kind: 'exchange'; key: string | null; sku: string }
  | { kind: 'identify'; key: string | null; who: Person; profile: Record<string, number> | null }
  | { kind: 'refer'; key: null; referrer: Person; referee: Person }
  | { kind: 'order'; key: string | null; lines: { sku: string; quantity: number }[]; lifetimeS: number }
  | {
      kind: 'confirm';
      key: string | null;
      /** Null is an order that nobody placed. */
      order: number | null;
      status: 'paid' | 'failed';
      payment: string | null;
      /** Hundredths; null leaves it out. */
      amount: number | null;
    }
  | RefundRequest
  | DisputeRequest
  | ConsumeRequest
  | {
      kind: 'consume batch';
      key: string | null;
      mode: 'continue' | 'atomic';
      /** Each with a key of its own. */
      items: ConsumeRequest[];
    }
  | ReserveRequest
  /** `reservation` and `operation` null are such as nobody made; `amount` null is all that there is. */
  | { kind: 'commit'; key: string | null; reservation: number | null; amount: number | null; allowExcess: boolean }
  | { kind: 'release'; key: string | null; reservation: number | null }
  | { kind: 'extend'; key: string | null; reservation: number | null; lifetimeS: number }
  | { kind: 'give back'; key: string | null; operation: number | null; amount: number | null }
  | { kind: 'add credits'; key: string | null; product: string; amount: number; expiresAt: number | null }
  | { kind: 'deduct credits'; key: string | null; product: string; amount: number; allowNegative: boolean }
  | LimitRequest;

/** What is told under one `id` is one; null is one that the provider did not name. Amounts are hundredths. */
export interface RefundRequest {
  kind: 'refund';
  key: string | null;
  order: number | null;
  id: string | null;
  status: 'succeeded' | 'failed';
  /** Lines are named by their place in the order; a `quantity` of null is all that is left of one. */
  what: 'whole' | { amount: number } | { lines: { line: number; quantity: number | null }[] };
  dispute: string | null;
  policy: 'ignore' | 'debt';
}

export interface DisputeRequest {
  kind: 'dispute';
  key: string | null;
  order: number | null;
  id: string;
  status: 'opened' | 'won' | 'lost';
  /** Null is all that was paid. */
  amount: number | null;
  policy: 'ignore' | 'debt';
}

/** What of a refund is of one line; hundredths. */
export interface ToldLine {
  line: number;
  quantity: number;
  amount: bigint;
}

/** How an order stands, with what was refunded and is disputed of its money. */
export interface OrderStanding {
  status: string;
  refunded: string;
  disputed: string;
}

/** What a refund or a dispute came to, and the order after it. */
export interface AfterSaleFacts extends OrderStanding {
  order: number;
  batches: BatchParts[];
  told: { status: string; amount: string; lines: ToldLine[] };
  recovered: Record<string, number>;
  unrecovered: Record<string, number>;
}

/** A customer's own limit that is set, in place of one of the same subject, or removed. */
export type LimitRequest =
  | ({ kind: 'set limit'; key: null } & LimitTerms)
  | { kind: 'remove limit'; key: null; subject: Subject };

export type LimitWindow = 'hour' | 'day' | 'month' | 'billing_period' | 'total';
export type Enforcement = 'HARD' | 'SOFT' | 'NONE';

/** How much of a subject may be used in each window; null is without limit. */
export interface LimitTerms {
  subject: Subject;
  windows: { [W in LimitWindow]?: number | null };
  enforcement: Enforcement;
}

/** A window that a use takes above its limit; it ends never when `resetsAt` is null. */
export interface OverLimit {
  subject: Subject;
  window: LimitWindow;
  current: number;
  requested: number;
  limit: number;
  enforcement: Enforcement;
  resetsAt: number | null;
}

export type GivenAs = 'bonus' | 'adjustment';

/** Units of a product with a validity of their own. */
export interface Units {
  product: string;
  quantity: number;
  priority: number;
  validFrom: number | null;
  expiresAt: number | null;
}

export interface TrialRequest {
  kind: 'trial';
  key: string | null;
  who: Person;
  /** Null asks for every trial offer. */
  sku: string | null;
  /** By the names of their spellings. */
  identities: string[];
  override: boolean;
}

export interface ConsumeRequest {
  kind: 'consume';
  key: string | null;
  subject: Subject;
  amount: number;
}

export interface ReserveRequest {
  kind: 'reserve';
  key: string | null;
  subject: Subject;
  amount: number;
  /** How long it is held, until when, or the default. */
  lifetime: { seconds: number } | { until: number } | null;
}

/** Units of one batch. */
export interface Taking {
  batch: number;
  amount: number;
}

interface GrantedBatch {
  batch: number;
  product: string;
  granted: number | null;
  priority: number;
  validFrom: number;
  expiresAt: number | null;
}

/** What the answer to an accepted request says. */
export type Facts =
  | { batches: GrantedBatch[] }
  | { order: number; total: string }
  | { order: number; status: string; batches: GrantedBatch[] }
  | AfterSaleFacts
  | UseFacts
  | { taken: Taking[] }
  | { spent: Record<string, number>; batches: GrantedBatch[]; balances: Record<string, number>; warnings: OverLimit[] }
  | { results: ItemResult[]; isCommitted: boolean }
  | { reservation: ReservationState; remaining: number | null; warnings: OverLimit[] }
  | { reservation: ReservationState }
  | EndingFacts
  | { amount: number; returned: number; expired: number; revoked: number; restored: Taking[]; remaining: number | null }
  | { batch: number; repaid: number; balance: number }
  | { taken: Taking[]; owed: number; balance: number; warnings: OverLimit[] }
  | { profile: Record<string, number>; isTrialEligible: boolean; isNew: boolean }
  | { isNew: boolean }
  | { limit: LimitTerms; isNew: boolean }
  | { limit: null };

export interface UseFacts {
  remaining: number | null;
  taken: Taking[];
  warnings: OverLimit[];
}

/** What an ending came to; a release takes nothing. */
export interface EndingFacts {
  reservation: ReservationState;
  taken: Taking[];
  returned: number;
  expired: number;
  revoked: number;
  remaining: number | null;
  warnings: OverLimit[];
}

/** Of one item of a batch of consumes; what was allowed in a batch that is not committed took nothing. */
export type ItemResult = { code: string } | UseFacts | 'would be allowed';

/** A reservation as its readers see it. */
export interface ReservationState {
  place: number;
  amount: number;
  status: 'held' | 'committed' | 'released' | 'expired';
  committed: number;
  endsAt: number;
  endedAt: number | null;
  /** What it was made of, also when it has ended. */
  legs: Taking[];
}

/** `codes` holds each code that would be right: which of several faults is named is nobody's promise. */
export type Expected =
  | { outcome: 'accepted' | 'replayed'; facts: Facts }
  | { outcome: 'refused'; codes: string[]; limits?: LimitsAgainst };

/** What is told of limits beside a refusal. `retryAfterS` is null when no wait is known that helps; who does not tell it leaves it out. */
export interface LimitsAgainst {
  violations: OverLimit[];
  retryAfterS?: number | null;
}

export type Observed =
  | { outcome: 'accepted' | 'replayed'; facts: Facts }
  | { outcome: 'refused'; code: string; isVerdict?: boolean; limits?: LimitsAgainst };

/** What a dry run says. `allowedAt` is null when no known future start helps; a system that explains nothing leaves it out. */
export interface CheckFacts {
  allowed: boolean;
  wouldTake: Taking[];
  remaining: number | null;
  violations: OverLimit[];
  warnings: OverLimit[];
  allowedAt?: number | null;
}

/** What a customer holds, as a wallet shows it. */
export interface Holdings {
  /** What can be spent now, minus what is owed. */
  balances: Record<string, number>;
  /** What becomes valid later, where there is something. */
  upcoming: Record<string, number>;
  held: Record<string, number>;
  access: Record<string, { until: number | null }>;
  features: Record<string, { canUse: boolean; remaining: number | null }>;
}

/** What one subject comes to; a system without readers leaves the end out. */
export interface SubjectBalance {
  canUse: boolean;
  remaining: number | null;
  expiresAt?: number | null;
}

/** One batch with its parts; of an uncounted one only `consumed` counts. */
export interface BatchParts extends GrantedBatch {
  available: number;
  held: number;
  consumed: number;
  expired: number;
  revoked: number;
  transferred: number;
  /** Of access. */
  isRevoked: boolean;
}

/** What there is of a product that counts as money. */
export interface CreditsState {
  balance: number;
  available: number;
  held: number;
  owed: number;
  /** What ends within the next week, soonest first; a system without readers leaves it out. */
  expiring?: Taking[];
}

/** What was at an instant of the past. A system tells what it can. */
export interface Past {
  parts: BatchParts[];
  owed: Record<string, number>;
  holdings: Holdings;
  balance: SubjectBalance;
}

/** What a merge says that it moved. */
export interface MergeFacts {
  batches: number;
  /** By product, where there was a batch. */
  units: Record<string, number>;
  /** By product, where something was. */
  owed: Record<string, number>;
  openOrders: number;
  openReservations: number;
  droppedLimits: number;
}
