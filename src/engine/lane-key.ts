// Lane keys: what shares a transaction, or a statement, is of one key, which a customer's id gives by Postgres' own hash of it. With a distributed engine
// there are as many as it has shards, so that a transaction meets one of them; on one Postgres there is one.
import type { Foundations } from '../foundations.js';
import { groupBy } from '../lib/group-by.js';
import { uuidHash } from '../lib/uuid-hash.js';

const HASH_VALUES = 2 ** 32;

/** Customers that share a transaction, or whose reads share a statement, at most. */
export const CUSTOMERS_MAX = 64;

/** The lane key of a customer, 0 to `laneKeys` - 1. */
export function laneKeyOf({ config: { laneKeys } }: Pick<Foundations, 'config'>, customerId: string): number {
  return laneKeys === 1 ? 0 : Math.floor(uuidHash(customerId) / (HASH_VALUES / laneKeys));
}

/** Splits what is about customers into what is of one lane key each. */
export function byLaneKey<T extends { customerId: string }>(
  deps: Pick<Foundations, 'config'>,
  those: readonly T[],
): (readonly T[])[] {
  return [...groupBy(those, ({ customerId }) => laneKeyOf(deps, customerId)).values()];
}
