// Erasures of customers: what one looks at, what it writes in its own transaction, and the pieces in which what is personal is blanked behind it. Precondition of
// the first two: the customer and all who lead to him are locked by an earlier statement.
import type { Changes } from '../ledger/changes.js';
import type { IdentityKey, StoredErasure } from '../ledger/customer-entities.js';
import type { Batch } from '../ledger/entities.js';
import type { Order } from '../ledger/order-entities.js';
import type { Reward } from '../ledger/reward-entities.js';
import { required } from '../lib/assert.js';
import { groupBy } from '../lib/group-by.js';
import type { Row, Tx } from './client.js';
import { listIdentityKeys } from './customers.js';
import { findMovable, type MovingBalance } from './merges.js';
import { listOrders } from './orders.js';
import { lockOpenRewards } from './rewards.js';
import { inserts } from './statements.js';
import { arraysOf, given, listOf, readerOf, written } from './table.js';
import { customerErasures, trialUses } from './tables.js';

/** Orders that wait for a payment, of a family: more than may be open. */
const ORDERS_MAX = 100_000;

/** What there is to close of one member of a family. */
export interface Open {
  customerId: string;
  balances: MovingBalance[];
  batches: Batch[];
  orders: Order[];
  rewards: Reward[];
  reservationIds: string[];
}

/** What an erasure looks at, as of an instant. Locks: the rewards of the family that were not granted, in the order of their ids. */
export async function loadOpen(
  tx: Tx,
  familyIds: readonly string[],
  now: Date,
): Promise<{ open: Open[]; identities: IdentityKey[]; mergedIds: string[] }> {
  const [finalId = ''] = familyIds;
  const [movable, orders, rewards, held, identities, family] = await Promise.all([
    findMovable(tx, familyIds, now),
    listOrders(tx, { ...EVERY_ORDER, customerIds: familyIds, status: 'pending', limit: ORDERS_MAX }, now),
    lockOpenRewards(tx, familyIds),
    tx.query<Row & { customer_id: string; id: string }>(
      `SELECT customer_id, id FROM reservations WHERE customer_id = ANY ($1::uuid[]) AND status = 'held' ORDER BY id`,
      [familyIds],
    ),
    listIdentityKeys(tx, finalId),
    tx.query<Row & { merged_ids: string[] }>('SELECT merged_ids FROM customers WHERE id = $1::uuid', [finalId]),
  ]);
  const ordersOf = groupBy(orders, ({ customerId }) => customerId);
  const rewardsOf = groupBy(rewards, ({ customerId }) => customerId);
  const heldOf = groupBy(held, ({ customer_id: customerId }) => customerId);
  const open = familyIds.map((customerId) => ({
    customerId,
    balances: movable.balances.get(customerId) ?? [],
    batches: movable.batches.get(customerId) ?? [],
    orders: ordersOf.get(customerId) ?? [],
    rewards: rewardsOf.get(customerId) ?? [],
    reservationIds: (heldOf.get(customerId) ?? []).map(({ id }) => id),
  }));
  return { open, identities, mergedIds: family[0]?.merged_ids ?? [] };
}

const EVERY_ORDER = {
  sku: undefined,
  paymentId: undefined,
  paymentMethod: undefined,
  from: undefined,
  until: undefined,
  after: undefined,
} as const;

const ERASE = `WITH changed AS (
  UPDATE customers own SET erased_at = $2::timestamptz WHERE own.id = ANY ($1::uuid[]) AND own.erased_at IS NULL RETURNING 1
) SELECT assert_whole(count(*) = cardinality($1::uuid[])) FROM changed`;
const TRACE = ['pepperId', 'identityHash', 'identityType'] as const;
/** Who had a trial had it under all of his identities: those, too, that he was given later. */
const CLAIM_TRIALS = `
INSERT INTO trial_uses (scope, ${listOf(trialUses, TRACE)}, customer_id, operation_id, used_at)
SELECT used.scope, ${listOf(trialUses, TRACE, 'given')}, used.customer_id, used.operation_id, used.used_at FROM (
  SELECT DISTINCT ON (scope) scope, customer_id, operation_id, used_at FROM trial_uses WHERE customer_id = ANY ($1::uuid[]) ORDER BY scope, used_at, operation_id
) used CROSS JOIN ${given(trialUses, TRACE, { first: 2 })}
ORDER BY used.scope, given.pepper_id, given.identity_hash ON CONFLICT DO NOTHING`;
/** He shares nobody's limits any more; who shares his goes on. */
const REMOVE = [
  'DELETE FROM identities WHERE customer_id = ANY ($1::uuid[])',
  'DELETE FROM former_identities WHERE customer_id = ANY ($1::uuid[])',
  'UPDATE batches SET notice_at = NULL WHERE customer_id = ANY ($1::uuid[]) AND notice_at IS NOT NULL',
  'DELETE FROM customer_limits WHERE customer_id = ANY ($1::uuid[]) AND is_copied',
  'DELETE FROM limit_sources WHERE customer_id = ANY ($1::uuid[])',
  `UPDATE customers own SET has_limits = EXISTS (SELECT FROM customer_limits l WHERE l.customer_id = own.id AND l.customer_id = ANY ($1::uuid[]))
WHERE own.id = ANY ($1::uuid[])`,
];
const erasuresOf = inserts(customerErasures);

/** Writes erasures: from then on nothing else is written of the family, and nobody is known by its identities. */
export function writeErasures(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const all = customers.flatMap(({ customerId, now, changes }) =>
    changes.erasures.map((erasure) => ({ finalId: customerId, erasedAt: now, ...erasure })),
  );
  if (all.length === 0) return undefined;
  return Promise.all(
    all.flatMap(({ finalId, erasedAt, memberIds, operationId, closed, traces }) => [
      tx.query(ERASE, [memberIds, erasedAt.toISOString()]),
      tx.query(CLAIM_TRIALS, [memberIds, ...arraysOf(trialUses, TRACE, traces)]),
      ...REMOVE.map((sql) => tx.query(sql, [memberIds])),
      erasuresOf(
        tx,
        memberIds.map((customerId) => ({
          ...{ customerId, finalId, operationId, closed, erasedAt },
          blanked: {},
          blankedAt: null,
        })),
      ),
    ]),
  );
}

const SELECT = `SELECT ${listOf(customerErasures)} FROM customer_erasures`;
const readErasure = readerOf(customerErasures, written(customerErasures));

/** The erasures of a family, by the customer that all of it leads to. */
export async function listErasures(tx: Tx, finalId: string): Promise<StoredErasure[]> {
  return (await tx.query(`${SELECT} WHERE final_id = $1::uuid ORDER BY customer_id`, [finalId])).map(readErasure);
}

/** Erasures of which something is left to blank, the oldest first; `except` are left out. */
export async function listUnfinished(tx: Tx, except: readonly string[], limit: number): Promise<StoredErasure[]> {
  const rows = await tx.query(
    `${SELECT} WHERE blanked_at IS NULL AND customer_id <> ALL ($1::uuid[]) ORDER BY erased_at, customer_id LIMIT $2::int`,
    [except, limit],
  );
  return rows.map(readErasure);
}

/**
 * What is blanked in pieces, by table: first what answers and events are made of, so that nothing personal is told anew. What each is blanked to, the function of
 * the database says.
 */
export const BLANKED_STEPS = [
  'customers',
  'orders',
  'order_items',
  'refunds',
  'subscriptions',
  'batches',
  'reservations',
  'entries',
  'archived_records',
  'payment_inbox',
  'idempotency_records',
  'events',
  'webhook_deliveries',
  'audit_records',
] as const;

/** Blanks a piece, in a transaction of its own; the key behind which the next begins, null behind the last. Locks: the customer. */
export async function blankPiece(
  tx: Tx,
  customerId: string,
  step: (typeof BLANKED_STEPS)[number],
  behind: string | null,
  most: number,
): Promise<string | null> {
  const [row] = await tx.query<Row & { last: string | null }>(
    'SELECT blank_erased($1::uuid, $2::text, $3::text, $4::int) AS last',
    [customerId, step, behind, most],
  );
  return required(row, 'it answers').last;
}

/** Ends an erasure: nothing is blanked behind it. */
export async function finishErasure(tx: Tx, customerId: string, at: Date): Promise<void> {
  await tx.query(
    'UPDATE customer_erasures SET blanked_at = $2::timestamptz WHERE customer_id = $1::uuid AND blanked_at IS NULL',
    [customerId, at.toISOString()],
  );
}
