// Loads what a book knows of a customer's plans. Precondition: the customer is locked by an earlier statement.
import type { Order } from '../ledger/order-entities.js';
import { groupBy } from '../lib/group-by.js';
import { BATCH } from './book-rows.js';
import type { Row, Tx } from './client.js';
import { findOrder } from './orders.js';
import type { AllocatedRow, EndedRow, ExpiredRow, PeriodRow, PlanRows } from './plan-rows.js';
import { SOLD_BATCH } from './sold-rows.js';
import { listOf, written } from './table.js';
import { batches, type PlanJson, subscriptionPeriods, subscriptions } from './tables.js';

const COLUMNS = listOf(subscriptions, written(subscriptions), 's');

/** Subscriptions that have not ended: of customers who ask for them, and of those of whom something is due ($2) such as turn by an instant, each with the others of his. */
const LOAD_SUBSCRIPTIONS = `
SELECT ${COLUMNS} FROM subscriptions s WHERE s.customer_id = ANY ($1::uuid[]) AND s.ended_at IS NULL
  AND (s.customer_id <> ALL ($2::uuid[]) OR EXISTS (
    SELECT FROM subscriptions t WHERE t.customer_id = s.customer_id AND t.customer_id = ANY ($2::uuid[]) AND t.turns_at <= $3::timestamptz))
ORDER BY s.created_at, s.id`;

/**
 * Periods that are not over, of whichever subscription; and of these those that were paid, and those that began with the present one, or just before. Of a subscription
 * that a merge brought, those of the ledgers that it was in before too.
 */
const LOAD_PERIODS = `
SELECT ${listOf(subscriptionPeriods, written(subscriptionPeriods), 'p')}, s.anchor_day FROM subscription_periods p
JOIN subscriptions s ON s.customer_id = p.customer_id AND s.id = p.subscription_id
WHERE p.customer_id = ANY ($1::uuid[]) AND s.customer_id = ANY ($1::uuid[])
  AND (p.ends_at > $2::timestamptz OR (p.subscription_id = ANY ($3::uuid[]) AND (p.order_id IS NOT NULL OR p.starts_at >= s.period_starts_at - interval '1 second')))
ORDER BY p.starts_at, p.sku`;

/** What subscriptions allocated and has not ended: units that are left, or held and may be freed before they are looked at, and access. */
const LOAD_ALLOCATED = `
SELECT b.customer_id, ${listOf(batches, BATCH, 'b')}, ${listOf(batches, SOLD_BATCH, 'b')} FROM batches b
WHERE b.customer_id = ANY ($1::uuid[]) AND b.subscription_id = ANY ($2::uuid[]) AND b.revoked_at IS NULL
  AND (b.expires_at IS NULL OR b.expires_at > $3::timestamptz) AND (b.granted IS NULL OR b.is_open)
ORDER BY b.id`;

/** Batches of which all that is left is held, of subscriptions of which a period turns. */
const LOAD_HELD = `
SELECT b.customer_id, ${listOf(batches, BATCH, 'b')} FROM batches b
WHERE b.customer_id = ANY ($1::uuid[]) AND b.subscription_id = ANY ($2::uuid[]) AND b.available = 0 AND b.held > 0 AND b.expires_at <= $3::timestamptz
ORDER BY b.id`;

/** Batches that have ended ($2), each with how many units of its product went over at its end and since. */
const LOAD_ENDED = `
SELECT b.customer_id, b.id, b.subscription_id, b.sku, (
  SELECT coalesce(sum(n.granted), 0)::bigint FROM batches n
  WHERE n.customer_id = b.customer_id AND n.customer_id = ANY ($1::uuid[]) AND n.subscription_id = b.subscription_id AND n.product_key = b.product_key
    AND n.predecessor_id IS NOT NULL AND n.valid_from = b.expires_at
) AS gone_on FROM batches b WHERE b.customer_id = ANY ($1::uuid[]) AND b.id = ANY ($2::uuid[])`;

/** What ended with the present periods of subscriptions, each with what refunds and disputes claim of it. */
const LOAD_EXPIRED = `
SELECT b.customer_id, ${listOf(batches, BATCH, 'b')}, (
  SELECT coalesce(sum(c.claimed - c.undone), 0)::bigint FROM clawbacks c
  WHERE c.customer_id = b.customer_id AND c.customer_id = ANY ($1::uuid[]) AND c.batch_id = b.id
) AS claimed FROM batches b JOIN subscriptions s ON s.customer_id = b.customer_id AND s.id = b.subscription_id
WHERE b.customer_id = ANY ($1::uuid[]) AND s.customer_id = ANY ($1::uuid[]) AND b.subscription_id = ANY ($2::uuid[])
  AND b.expires_at = s.period_ends_at AND (b.expired > 0 OR b.held > 0)
ORDER BY b.id`;

/** A batch that ended while units of it were held. */
export interface EndedHold {
  customerId: string;
  batchId: string;
}

/** Reads the plans of customers besides those that were read: of whom units are freed that were held beyond the end of their batches. */
export async function loadFreedPlans(
  tx: Tx,
  held: readonly EndedHold[],
  known: ReadonlyMap<string, PlanRows>,
  clock: Date,
): Promise<ReadonlyMap<string, PlanRows>> {
  if (held.length === 0) return known;
  const ids = [...new Set(held.map(({ customerId }) => customerId))];
  const unknown = ids.filter((id) => !known.has(id));
  const [more, ended] = await Promise.all([
    loadPlans(tx, unknown, [], clock),
    tx.query<EndedRow & { customer_id: string }>(LOAD_ENDED, [ids, held.map(({ batchId }) => batchId)]),
  ]);
  const endedOf = byCustomer(ended);
  return new Map([...known, ...more].map(([id, plans]) => [id, { ...plans, ended: endedOf(id) }]));
}

/**
 * Reads the plans of customers: of those who `ask`, and of those of whom something is `due`, if a subscription of theirs turns by now. Nothing is sent where nobody
 * is asked about.
 */
export async function loadPlans(
  tx: Tx,
  asking: readonly string[],
  due: readonly string[],
  clock: Date,
  resettingIds: readonly string[] = [],
): Promise<Map<string, PlanRows>> {
  const ids = [...new Set([...asking, ...due])];
  if (ids.length === 0) return new Map();
  const at = clock.toISOString();
  const onlyDue = due.filter((id) => !asking.includes(id));
  const found = await tx.query<
    Row & {
      customer_id: string;
      id: string;
      status: string;
      plan: Pick<PlanJson, 'rollover'>;
      change: { oldUnits: string } | null;
      order_id: string | null;
      renewal_told: boolean;
      turns_at: Date | null;
      former_ids: readonly string[];
    }
  >(LOAD_SUBSCRIPTIONS, [ids, onlyDue, at]);
  const owners = [...new Set([...asking, ...found.map((row) => row.customer_id)])];
  if (owners.length === 0) return new Map();
  const resetting = found.filter(({ id, change }) => change?.oldUnits === 'reset' || resettingIds.includes(id));
  const turning = found.filter((row) => row.turns_at !== null && row.turns_at <= clock);
  const unpaid = found.filter((row) => row.status === 'past_due' && row.plan.rollover !== 'none');
  const telling = turning.filter((row) => row.order_id !== null && !row.renewal_told);
  const [orders, periods, held, expired, allocated] = await Promise.all([
    findOrders(tx, telling),
    tx.query<PeriodRow>(LOAD_PERIODS, [
      [...new Set([...owners, ...found.flatMap((row) => row.former_ids)])],
      at,
      found.map(({ id }) => id),
    ]),
    turning.length === 0
      ? []
      : tx.query<AllocatedRow & { customer_id: string }>(LOAD_HELD, [
          [...new Set(turning.map((row) => row.customer_id))],
          turning.map(({ id }) => id),
          at,
        ]),
    unpaid.length === 0
      ? []
      : tx.query<ExpiredRow & { customer_id: string }>(LOAD_EXPIRED, [
          [...new Set(unpaid.map((row) => row.customer_id))],
          unpaid.map(({ id }) => id),
        ]),
    resetting.length === 0
      ? []
      : tx.query<AllocatedRow & { customer_id: string }>(LOAD_ALLOCATED, [
          [...new Set(resetting.map((row) => row.customer_id))],
          resetting.map(({ id }) => id),
          earliestOf(
            resetting.map((row) => row.turns_at),
            clock,
          ).toISOString(),
        ]),
  ]);
  const ofCustomer = byCustomer(found);
  const ownerOf = new Map(found.map((row) => [row.id, row.customer_id]));
  const periodsOf = groupBy(
    periods.flatMap((row) => {
      const ownerIds = new Set([row.customer_id, ownerOf.get(row.subscription_id) ?? row.customer_id]);
      return [...ownerIds].map((ownerId) => ({ ownerId, row }));
    }),
    ({ ownerId }) => ownerId,
  );
  const allocatedOf = byCustomer(allocated);
  const heldOf = byCustomer(held);
  const expiredOf = byCustomer(expired);
  return new Map(
    owners.map((id) => [
      id,
      {
        subscriptions: ofCustomer(id),
        periods: (periodsOf.get(id) ?? []).map(({ row }) => row),
        allocated: allocatedOf(id),
        held: heldOf(id),
        expired: expiredOf(id),
        orders: orders.filter((order) => telling.some((row) => row.customer_id === id && row.order_id === order.id)),
        ended: [],
      },
    ]),
  );
}

/** The orders that wait for what these subscriptions tell ahead, in whichever of the ledgers that these were in. */
async function findOrders(
  tx: Tx,
  telling: readonly { customer_id: string; former_ids: readonly string[]; order_id: string | null }[],
): Promise<Order[]> {
  const found = await Promise.all(
    telling.flatMap(({ customer_id: customerId, former_ids: formerIds, order_id: id }) =>
      id === null ? [] : [customerId, ...formerIds].map((ownerId) => findOrder(tx, ownerId, id)),
    ),
  );
  return found.filter((order) => order !== undefined);
}

function byCustomer<R extends { customer_id: string }>(rows: readonly R[]): (customerId: string) => readonly R[] {
  const groups = groupBy(rows, (row) => row.customer_id);
  return (customerId) => groups.get(customerId) ?? [];
}

/** A change that is late takes effect at its instant: what ended since then is looked at as well. */
function earliestOf(instants: readonly (Date | null)[], now: Date): Date {
  return new Date(Math.min(now.getTime(), ...instants.flatMap((at) => (at ? [at.getTime()] : []))));
}
