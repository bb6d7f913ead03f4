// What a random workload of subscriptions asks for, and what is compared of who answers. Places are counted from 0 in the order in which things were made. No
// behaviour.

export type OldUnits = 'carry' | 'reset';
export type When = 'now' | 'period_end';

export type PlanRequest =
  | { kind: 'subscribe'; sku: string }
  /** Orders one period of a plan. */
  | { kind: 'order'; sku: string }
  | { kind: 'pay'; order: number }
  | { kind: 'change'; subscription: number; sku: string; when: When; oldUnits: OldUnits }
  | { kind: 'cancel'; subscription: number; when: When }
  | { kind: 'resume'; subscription: number }
  | { kind: 'renew'; subscription: number }
  /** So much of its money goes back, or all that is left of it (null), or its dispute is lost. */
  | { kind: 'return'; order: number; as: 'refund' | 'dispute'; amount: string | null }
  | { kind: 'grant'; product: string; quantity: number; until: number | null }
  | { kind: 'consume'; product: string; amount: number }
  /** Also beyond what there is. */
  | { kind: 'overdraw'; amount: number }
  | { kind: 'reserve'; product: string; amount: number; seconds: number }
  | { kind: 'end hold'; hold: number; as: 'commit' | 'release' };

/** What an answer comes to. An order or a hold that was made, or waits, is named as whoever answers names it. */
export interface PlanAnswer<Name> {
  outcome: 'accepted' | 'unchanged' | 'refused';
  code?: string;
  order?: Name | undefined;
  hold?: Name;
}

export interface SubscriptionState {
  id: string;
  sku: string;
  status: string;
  startsAt: number | null;
  endsAt: number | null;
  cancelsAtEnd: boolean;
  change: { sku: string; oldUnits: string; isOrdered: boolean } | null;
  /** The order that pays what comes next, while it can be paid. */
  order: string | null;
  endedAt: number | null;
  /** Oldest first. */
  periods: PeriodState[];
}

export interface PeriodState {
  sku: string;
  kind: string;
  startsAt: number;
  endsAt: number;
  count: number;
  granted: Record<string, number>;
  isEnded: boolean;
}

/** A batch, with what distinguishes it. */
export interface AllocatedBatch {
  id: string;
  product: string;
  order: string | null;
  subscription: string | null;
  isSuccessor: boolean;
  madeAt: number;
  validFrom: number;
  expiresAt: number | null;
  granted: number | null;
  available: number;
  held: number;
  consumed: number;
  expired: number;
  revoked: number;
  transferred: number;
  isRevoked: boolean;
}

export interface PlanState {
  /** In the order in which they were made. */
  subscriptions: SubscriptionState[];
  batches: AllocatedBatch[];
  /** By product, of what is owed. */
  owed: Record<string, number>;
}

/** Who is asked: the pure functions, or a running service. */
export interface PlanSystem {
  setClock(now: number): void;
  run(request: PlanRequest, names: { subscription: string; order: string; hold: string }): Promise<PlanAnswer<string>>;
  /** As it is now, what fell due settled. */
  state(): Promise<PlanState>;
  /** Throws where what is stored contradicts itself. */
  audit(): Promise<void>;
}
