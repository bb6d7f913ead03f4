// Subscriptions, their periods and their steps, as they are written and listed.
import type { Changes } from '../ledger/changes.js';
import type {
  Period,
  RunningPeriod,
  StepKind,
  Subscription,
  SubscriptionStatus,
} from '../ledger/subscription-entities.js';
import type { Row, Tx } from './client.js';
import { Conditions } from './conditions.js';
import { findOwnersIn, type Owner } from './owners.js';
import { toPeriod, toSubscription, toSubscriptionRow } from './plan-rows.js';
import { inserts, updates, upserts } from './statements.js';
import { listOf, readerOf, written } from './table.js';
import { subscriptionPeriods, subscriptionSteps, subscriptions } from './tables.js';

const subscriptionsOf = upserts(subscriptions, ['customerId', 'id']);
const periodsOf = inserts(subscriptionPeriods);
const endedOf = updates(subscriptionPeriods, ['customerId', 'subscriptionId', 'sku', 'startsAt'], ['endedAt']);
const stepsOf = inserts(subscriptionSteps);

const inUtc = (instant: string) => `to_char(${instant} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const PLAN = `jsonb_build_object('sku', s.sku, 'startsAt', ${inUtc('s.period_starts_at')}, 'endsAt', CASE WHEN s.status <> 'past_due' THEN ${inUtc('s.period_ends_at')} END)`;

/**
 * When something of customers' subscriptions turns next, which is a part of when they fall due; and which plans they have, whose limits are in force, oldest first. A
 * period that was not followed by another is open until one begins.
 */
const SCHEDULE = `
WITH changed AS (
  UPDATE customers own SET turns_at = next.turns_at, due_at = least(own.due_at, next.turns_at), plans = next.plans
  FROM (SELECT c.id, min(s.turns_at) AS turns_at, coalesce(jsonb_agg(${PLAN} ORDER BY s.created_at, s.id) FILTER (WHERE s.period_starts_at IS NOT NULL), '[]') AS plans
        FROM unnest($1::uuid[]) AS c (id)
        LEFT JOIN subscriptions s ON s.customer_id = c.id AND s.customer_id = ANY ($1::uuid[]) AND s.ended_at IS NULL GROUP BY c.id) next
  WHERE own.id = next.id AND own.id = ANY ($1::uuid[]) RETURNING 1
) SELECT assert_whole(count(*) = $2::bigint) FROM changed`;

/**
 * Writes subscriptions as they are now, and when they turn next. Those that have ended go first: another one of their group may begin. Fails when somebody is not
 * there.
 */
export function writeSubscriptions(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const changed = customers.flatMap(({ changes }) => [...changes.changedSubscriptions]);
  if (changed.length === 0) return undefined;
  const ids = [...new Set(changed.map(({ customerId }) => customerId))];
  const [ended, current] = [true, false].map((isEnded) =>
    changed.filter(({ endedAt }) => (endedAt !== null) === isEnded).map(toSubscriptionRow),
  );
  return Promise.all([
    subscriptionsOf(tx, ended ?? []),
    subscriptionsOf(tx, current ?? []),
    tx.query(SCHEDULE, [ids, ids.length]),
  ]);
}

/** Inserts periods. Precondition: their subscriptions are written. */
export function insertPeriods(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return periodsOf(
    tx,
    customers.flatMap(({ changes }) => changes.newPeriods),
  );
}

/** Writes that periods ended before their end, in whichever ledger of the family: the lock of whom all lead to guards them. Fails when one is not there. */
export function endPeriods(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return endedOf(
    tx,
    customers.flatMap(({ changes }) => changes.endedPeriods),
  );
}

/** Appends steps. */
export function insertSteps(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return stepsOf(
    tx,
    customers.flatMap(({ customerId, now: recordedAt, changes }) =>
      changes.subscriptionSteps.map(({ subscription, period: _, reason: __, ...step }) => ({
        ...step,
        customerId,
        subscriptionId: subscription.id,
        recordedAt,
      })),
    ),
  );
}

const COLUMNS = listOf(subscriptions, written(subscriptions), 's');

/** A subscription of a customer, or of one of a family, in whose ledger it is. */
export async function findSubscription(
  tx: Tx,
  customerIds: string | readonly string[],
  id: string,
): Promise<Subscription | undefined> {
  const [row] = await tx.query(
    `SELECT ${COLUMNS} FROM subscriptions s WHERE s.customer_id = ANY ($1::uuid[]) AND s.id = $2::uuid AND s.moved_to IS NULL`,
    [typeof customerIds === 'string' ? [customerIds] : customerIds, id],
  );
  return row && toSubscription(row);
}

/** The subscriptions of customers that have not ended. */
export async function listCurrent(tx: Tx, customerIds: readonly string[]): Promise<Subscription[]> {
  const rows = await tx.query(
    `SELECT ${COLUMNS} FROM subscriptions s WHERE s.customer_id = ANY ($1::uuid[]) AND s.ended_at IS NULL ORDER BY s.created_at, s.id`,
    [customerIds],
  );
  return rows.map(toSubscription);
}

/** Periods of customers that are not over at an instant, each with the day that its subscription keeps. */
export async function listRunning(tx: Tx, customerIds: readonly string[], at: Date): Promise<RunningPeriod[]> {
  if (customerIds.length === 0) return [];
  const rows = await tx.query<Row & { anchor_day: number | null }>(
    `SELECT ${listOf(subscriptionPeriods, written(subscriptionPeriods), 'p')}, s.anchor_day FROM subscription_periods p
     JOIN subscriptions s ON s.customer_id = p.customer_id AND s.id = p.subscription_id
     WHERE p.customer_id = ANY ($1::uuid[]) AND s.customer_id = ANY ($1::uuid[]) AND p.kind <> 'skipped' AND p.ended_at IS NULL
       AND p.ends_at > $2::timestamptz ORDER BY p.starts_at, p.sku`,
    [customerIds, at.toISOString()],
  );
  return rows.map((row) => ({ ...toPeriod(row), anchorDay: row.anchor_day }));
}

/** Which subscriptions are asked for; all where nothing is named. */
export interface SubscriptionsAsked {
  customerIds: readonly string[] | undefined;
  status: SubscriptionStatus | undefined;
  sku: string | undefined;
  planGroup: string | undefined;
  after: { createdAt: Date; id: string } | undefined;
  limit: number;
}

/** One page of subscriptions, newest first. */
export async function listSubscriptions(tx: Tx, asked: SubscriptionsAsked): Promise<Subscription[]> {
  const { customerIds, status, sku, planGroup, after, limit } = asked;
  const where = new Conditions();
  where.add('s.moved_to IS NULL');
  if (customerIds) where.add('s.customer_id = ANY (?::uuid[])', customerIds);
  if (after) where.add('(s.created_at, s.id) < (?::timestamptz, ?::uuid)', after.createdAt.toISOString(), after.id);
  if (status !== undefined) where.add('s.status = ?', status);
  if (sku !== undefined) where.add('s.sku = ?', sku);
  if (planGroup !== undefined) where.add('s.plan_group = ?', planGroup);
  const sql = `SELECT ${COLUMNS} FROM subscriptions s WHERE ${where.text()} ORDER BY s.created_at DESC, s.id DESC LIMIT ${where.parameter(limit)}::int`;
  return (await tx.query(sql, where.parameters)).map(toSubscription);
}

/** The ledgers in which a subscription is, and was before. */
function ledgersOf({ customerId, formerIds }: Subscription): string[] {
  return [customerId, ...formerIds];
}

/** A step as it is shown. */
export interface StoredStep {
  kind: StepKind;
  occurredAt: Date;
  recordedAt: Date;
  operationId: string;
}

const readStep = readerOf(subscriptionSteps, ['kind', 'occurredAt', 'recordedAt', 'operationId']);
/** Periods and steps of one subscription that are shown: the last ones. */
const SHOWN_MAX = 200;

/** The last periods of a subscription, newest first. */
export async function listPeriods(tx: Tx, subscription: Subscription): Promise<Period[]> {
  const rows = await tx.query(
    `SELECT ${listOf(subscriptionPeriods)} FROM subscription_periods WHERE customer_id = ANY ($1::uuid[]) AND subscription_id = $2::uuid
     ORDER BY starts_at DESC, created_at DESC, sku LIMIT $3::int`,
    [ledgersOf(subscription), subscription.id, SHOWN_MAX],
  );
  return rows.map(toPeriod);
}

/** The last steps of a subscription, newest first. */
export async function listSteps(tx: Tx, subscription: Subscription): Promise<StoredStep[]> {
  const rows = await tx.query(
    `SELECT ${listOf(subscriptionSteps, ['kind', 'occurredAt', 'recordedAt', 'operationId'])} FROM subscription_steps
     WHERE customer_id = ANY ($1::uuid[]) AND subscription_id = $2::uuid ORDER BY number DESC LIMIT $3::int`,
    [ledgersOf(subscription), subscription.id, SHOWN_MAX],
  );
  return rows.map(readStep);
}

/** Whose subscriptions these are, where they went on last; an id that there is none of is left out. */
export async function findSubscriptionOwners(tx: Tx, ids: readonly string[]): Promise<Map<string, Owner>> {
  return findOwnersIn(tx, 'subscriptions', ids, 'AND t.moved_to IS NULL');
}
