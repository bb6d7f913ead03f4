// Operations: under which names what changes something is recorded, and what is true of each kind. One table, from which the engine and
// the give-back take theirs.

/** The acting key of what nobody called. */
export const SYSTEM_KEY = 'system';

/** What begins the transaction of an operation: the pool, whose statements need no answer before the next is sent, or Prisma. */
export type Opener = 'pool' | 'prisma';

interface OperationKind {
  opener: Opener;
  /** Whether what it took can be given back by its id. */
  isReversible: boolean;
}

/** Uses, and what a busy customer does many times a second: these may share a transaction. */
const use: OperationKind = { opener: 'pool', isReversible: true };
const ofUse: OperationKind = { opener: 'pool', isReversible: false };
const other: OperationKind = { opener: 'prisma', isReversible: false };

/** The names under which operations and their keys are recorded; an alias route has its native route's name. */
export const OPERATIONS = {
  identify: other,
  'customer.update': other,
  'customer.merge': other,
  'customer.erase': other,
  /** What moves on by itself to whom a customer leads to who was merged. */
  'customer.transfer': ofUse,
  'identity.link': other,
  'identity.unlink': other,
  'order.create': other,
  'order.confirm': other,
  'order.cancel': other,
  'order.refund': other,
  'order.dispute': other,
  'quota.consume': use,
  'quota.consume.item': use,
  'quota.release': ofUse,
  'reservation.create': ofUse,
  'reservation.commit': use,
  'reservation.release': ofUse,
  'reservation.extend': ofUse,
  'credits.add': ofUse,
  'credits.deduct': use,
  grant: other,
  exchange: other,
  'referral.attach': other,
  'reward.grant': ofUse,
  'reward.claw_back': ofUse,
  'reward.release': other,
  'reward.refuse': other,
  'limit.set': other,
  'limit.change': other,
  'limit.remove': other,
  'limit.share': other,
  'limit.follow': other,
  'batch.notice': ofUse,
  'subscription.create': other,
  'subscription.change': other,
  'subscription.cancel': other,
  'subscription.resume': other,
  'subscription.renew': other,
  'subscription.turn': ofUse,
} as const satisfies Record<string, OperationKind>;

export type OperationName = keyof typeof OPERATIONS;

/** Whether units that an operation of this name took can be given back. */
export function isReversible(name: string): boolean {
  return Object.hasOwn(OPERATIONS, name) && OPERATIONS[name as OperationName].isReversible;
}
