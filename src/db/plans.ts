// Loads what a book knows of a customer's plans. Precondition: the customer is locked by an earlier statement.
import { groupBy } from '../lib/group-by.js';
import { BATCH } from './book-rows.js';
import type { Row, Tx } from './client.js';
import type { AllocatedRow, PeriodRow, PlanRows } from './plan-rows.js';
import { SOLD_BATCH } from './sold-rows.js';
import { listOf, written } from './table.js';
import { batches, subscriptionPeriods, subscriptions } from './tables.js';

const COLUMNS = listOf(subscriptions, written(subscriptions), 's');

/** Subscriptions that have not ended: of customers who ask for them, and of those of whom something is due ($2) such as turn by an instant, each with the others of his. */
const LOAD_SUBSCRIPTIONS = `
SELECT ${COLUMNS} FROM subscriptions s WHERE s.customer_id = ANY ($1::uuid[]) AND s.ended_at IS NULL
  AND (s.customer_id <> ALL ($2::uuid[]) OR EXISTS (
    SELECT FROM subscriptions t WHERE t.customer_id = s.customer_id AND t.customer_id = ANY ($2::uuid[]) AND t.turns_at <= $3::timestamptz))
ORDER BY s.created_at, s.id`;

/** Periods that are not over, of whichever subscription; and of these those that were paid, and those that began with the present one, or just before. */
const LOAD_PERIODS = `
SELECT ${listOf(subscriptionPeriods, written(subscriptionPeriods), 'p')}, s.anchor_day FROM subscription_periods p
JOIN subscriptions s ON s.customer_id = p.customer_id AND s.id = p.subscription_id
WHERE p.customer_id = ANY ($1::uuid[]) AND s.customer_id = ANY ($1::uuid[])
  AND (p.ends_at > $2::timestamptz OR (p.subscription_id = ANY ($3::uuid[]) AND (p.order_id IS NOT NULL OR p.starts_at >= s.period_starts_at - interval '1 second')))
ORDER BY p.starts_at, p.sku`;

/** What subscriptions allocated and has not ended: units that are left, and access. */
const LOAD_ALLOCATED = `
SELECT b.customer_id, ${listOf(batches, BATCH, 'b')}, ${listOf(batches, SOLD_BATCH, 'b')} FROM batches b
WHERE b.customer_id = ANY ($1::uuid[]) AND b.subscription_id = ANY ($2::uuid[]) AND b.revoked_at IS NULL
  AND (b.expires_at IS NULL OR b.expires_at > $3::timestamptz) AND (b.granted IS NULL OR (b.is_open AND b.available > 0))
ORDER BY b.id`;

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
    Row & { customer_id: string; id: string; change: { oldUnits: string } | null; turns_at: Date | null }
  >(LOAD_SUBSCRIPTIONS, [ids, onlyDue, at]);
  const owners = [...new Set([...asking, ...found.map((row) => row.customer_id)])];
  if (owners.length === 0) return new Map();
  const resetting = found.filter(({ id, change }) => change?.oldUnits === 'reset' || resettingIds.includes(id));
  const [periods, allocated] = await Promise.all([
    tx.query<PeriodRow & { customer_id: string }>(LOAD_PERIODS, [owners, at, found.map(({ id }) => id)]),
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
  const periodsOf = byCustomer(periods);
  const allocatedOf = byCustomer(allocated);
  return new Map(
    owners.map((id) => [id, { subscriptions: ofCustomer(id), periods: periodsOf(id), allocated: allocatedOf(id) }]),
  );
}

function byCustomer<R extends { customer_id: string }>(rows: readonly R[]): (customerId: string) => readonly R[] {
  const groups = groupBy(rows, (row) => row.customer_id);
  return (customerId) => groups.get(customerId) ?? [];
}

/** A change that is late takes effect at its instant: what ended since then is looked at as well. */
function earliestOf(instants: readonly (Date | null)[], now: Date): Date {
  return new Date(Math.min(now.getTime(), ...instants.flatMap((at) => (at ? [at.getTime()] : []))));
}
