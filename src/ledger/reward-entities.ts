// Referral programmes and rewards as they are stored. Types alone.

/** When a programme promises its rewards. */
export type RewardTrigger = 'on_attach' | 'on_first_paid_order';
/** Who earns it: who brought somebody, or who was brought. */
export type RewardSide = 'referrer' | 'referee';
/**
 * `armed` waits for its time, or for a dispute that is open; `held` for an operator. `clawing_back` waits for its customer's own operation. A `cancelled` one
 * may be followed by another of its referral and side; after a `refused` one there is none.
 */
export type RewardStatus = 'armed' | 'held' | 'granted' | 'clawing_back' | 'clawed_back' | 'cancelled' | 'refused';

/** What is promised to who brings somebody, and to who is brought. One side may get nothing. */
export interface ReferralProgram {
  key: string;
  description: string;
  trigger: RewardTrigger;
  referrerSku: string | null;
  referrerQuantity: number | null;
  refereeSku: string | null;
  refereeQuantity: number | null;
  holdDays: number;
  maxRewardsPerReferrer: number | null;
  /** From when on, and before when, it arms rewards. */
  startsAt: Date | null;
  endsAt: Date | null;
  clawsBack: boolean;
  createdAt: Date;
  updatedAt: Date;
}

/** What a side of a referral earns, on the terms that its programme had at the trigger. */
export interface Reward {
  id: string;
  /** Who gets it. */
  customerId: string;
  referralId: string;
  side: RewardSide;
  referrerId: string;
  refereeId: string;
  programKey: string;
  /** The order that earned it; null where attaching did. */
  orderId: string | null;
  /** Whose that order is, where it is of somebody with whom the referee was merged; null where it is his own. */
  orderCustomerId: string | null;
  /** The operation that armed it: of the referee, or of whose the order is. */
  armedBy: string;
  sku: string;
  quantity: number;
  /** How many a referrer may earn of the programme; null for any number. */
  maxRewards: number | null;
  clawsBack: boolean;
  status: RewardStatus;
  /** A dispute of its order is open. */
  isDisputed: boolean;
  /** Why it is held: `shared_signal`, or the code by which granting it was refused. */
  holdReason: string | null;
  dueAt: Date;
  /** When something is to be done about it by itself; null while nothing is. */
  actAt: Date | null;
  /** When granting it held it for the first time. */
  heldAt: Date | null;
  /** When an operator released it: signals don't hold it any more. */
  releasedAt: Date | null;
  grantedAt: Date | null;
  grantedBy: string | null;
  /** Of a referrer's: the how many-th it is of those that he was granted of the programme. */
  ordinal: number | null;
  cancelledAt: Date | null;
  cancelReason: string | null;
  clawedBackAt: Date | null;
  clawedBackBy: string | null;
  createdAt: Date;
}

/** What becomes of a reward; `reason` is an operator's. */
export interface RewardStep {
  kind: 'followed' | 'cancelled' | 'held' | 'granted' | 'clawed_back' | 'released' | 'refused';
  before: Reward;
  after: Reward;
  operationId: string;
  reason?: string | undefined;
}
