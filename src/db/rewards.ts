// Rewards of referrals. A reward is written by transactions of the referee, and by those of who gets it: its row is locked after customers, several in the
// order of their ids.
import type { Changes } from '../ledger/changes.js';
import type { TrialTrace } from '../ledger/customer-entities.js';
import type { ReferralProgram, Reward, RewardSide, RewardStatus, RewardTrigger } from '../ledger/reward-entities.js';
import { required } from '../lib/assert.js';
import type { Row, Tx } from './client.js';
import { Conditions } from './conditions.js';
import { findWholeFamily } from './merges.js';
import { findOwnersIn, type Owner } from './owners.js';
import { findProgramInForce } from './referral-programs.js';
import { claims, inserts, updates } from './statements.js';
import { arraysOf, given, listOf, readerOf, written } from './table.js';
import { customerSignals, rewards } from './tables.js';

const readReward = readerOf(rewards, written(rewards));
const SELECT = `SELECT ${listOf(rewards)} FROM rewards`;
const rewardsOf = claims(rewards);
const stepsOf = updates(
  rewards,
  ['id'],
  [
    ...(['status', 'isDisputed', 'holdReason', 'actAt', 'heldAt', 'releasedAt', 'grantedAt', 'grantedBy'] as const),
    ...(['ordinal', 'cancelledAt', 'cancelReason', 'clawedBackAt', 'clawedBackBy'] as const),
  ],
);
const signalsOf = inserts(customerSignals, 'ON CONFLICT DO NOTHING');

/** Inserts rewards. Throws BC001 in the statement when their referral and side have one: a defect, which the next attempt sees. */
export function insertRewards(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return rewardsOf(
    tx,
    customers.flatMap(({ changes }) => changes.newRewards),
  );
}

/** Writes what became of rewards; of several steps of one the last. Precondition: they are locked. */
export function updateRewards(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const steps = customers.flatMap(({ changes }) => changes.rewardSteps);
  return stepsOf(tx, [...new Map(steps.map(({ after }) => [after.id, after])).values()]);
}

/** Remembers by what else customers are known. */
export function insertSignals(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return signalsOf(
    tx,
    customers.flatMap(({ customerId, now: createdAt, changes }) =>
      changes.signals.map((signal) => ({ ...signal, customerId, createdAt })),
    ),
  );
}

/** A referral that may earn something: those that were moved in don't. */
export interface EarningReferral {
  referralId: string;
  referrerId: string;
  refereeId: string;
}

/** The referral of a family, if it may earn something. */
export async function findEarningReferral(tx: Tx, familyIds: readonly string[]): Promise<EarningReferral | undefined> {
  const [row] = await tx.query<Row & { id: string; referrer_id: string; customer_id: string }>(
    `SELECT r.id, r.referrer_id, r.customer_id FROM referrals r CROSS JOIN LATERAL (
       SELECT o.acting_key FROM operations o
       WHERE o.customer_id = r.customer_id AND o.customer_id = ANY ($1::uuid[]) AND o.id = r.operation_id OFFSET 0
     ) o WHERE r.customer_id = ANY ($1::uuid[]) AND r.dropped_at IS NULL AND o.acting_key <> 'import'`,
    [familyIds],
  );
  return row && { referralId: row.id, referrerId: row.referrer_id, refereeId: row.customer_id };
}

/** Whether a family has paid something, in another order than this one, that neither went back nor is contested as a whole. */
async function hasPaidBefore(tx: Tx, familyIds: readonly string[], orderId: string | null): Promise<boolean> {
  const [row] = await tx.query<Row & { has_paid: boolean }>(
    `SELECT EXISTS (
       SELECT FROM orders WHERE customer_id = ANY ($1::uuid[]) AND id IS DISTINCT FROM $2::uuid AND status IN ('paid', 'partially_refunded')
         AND total_amount > 0 AND refunded_amount + disputed_amount < total_amount
     ) AS has_paid`,
    [familyIds, orderId],
  );
  return required(row, 'it was asked').has_paid;
}

const SIGNAL = ['pepperId', 'identityHash'] as const;
const HASHES_OF = (family: string) => `
  SELECT pepper_id, identity_hash FROM trial_uses WHERE customer_id = ANY (${family}::uuid[])
  UNION ALL SELECT pepper_id, identity_hash FROM customer_signals WHERE customer_id = ANY (${family}::uuid[])`;

/** Whether both sides, each with his family, are known by a common hash: of an identity of a trial, of a payment, or of these of the second one. */
export async function shareSignals(
  tx: Tx,
  { referrerId, refereeId }: Pick<Reward, 'referrerId' | 'refereeId'>,
  passed: readonly TrialTrace[] = [],
): Promise<boolean> {
  const [referrerIds, refereeIds] = await Promise.all([
    findWholeFamily(tx, referrerId),
    findWholeFamily(tx, refereeId),
  ]);
  const [row] = await tx.query<Row & { is_shared: boolean }>(
    `SELECT EXISTS (
       SELECT FROM (${HASHES_OF('$1')}) referrer JOIN (
         ${HASHES_OF('$2')} UNION ALL SELECT * FROM ${given(customerSignals, SIGNAL, { first: 3 })}
       ) referee USING (pepper_id, identity_hash)
     ) AS is_shared`,
    [referrerIds, refereeIds, ...arraysOf(customerSignals, SIGNAL, passed)],
  );
  return required(row, 'it was asked').is_shared;
}

/** What is known when something may arm rewards: on attaching, or of an order. */
export interface KnownTrigger {
  program: ReferralProgram | undefined;
  hasPaidBefore: boolean;
  isShared: boolean;
  rewards: Reward[];
  orderId: string | null;
}

/** Loads what arming rewards looks at. Where no programme is in force nothing else is. Precondition: the referee's family is locked. */
export async function loadTrigger(
  tx: Tx,
  trigger: RewardTrigger,
  asked: Pick<Reward, 'referrerId' | 'refereeId' | 'orderId'> & {
    familyIds: readonly string[];
    passed: readonly TrialTrace[];
  },
  now: Date,
): Promise<KnownTrigger> {
  const { familyIds, orderId, passed } = asked;
  const program = await findProgramInForce(tx, trigger, now);
  if (!program) return { program, orderId, hasPaidBefore: false, isShared: false, rewards: [] };
  const [paid, isShared, known] = await Promise.all([
    hasPaidBefore(tx, familyIds, orderId),
    shareSignals(tx, asked, passed),
    lockRewardsOfFamily(tx, familyIds),
  ]);
  return { program, orderId, hasPaidBefore: paid, isShared, rewards: known };
}

/** Locks the rewards of all referrals of a family, as who was brought. */
export async function lockRewardsOfFamily(tx: Tx, familyIds: readonly string[]): Promise<Reward[]> {
  const sql = `${SELECT} WHERE referee_id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE`;
  return (await tx.query(sql, [familyIds])).map(readReward);
}

const LOCK_BETWEEN = `${SELECT}
WHERE (referee_id = ANY ($1::uuid[]) AND referrer_id = ANY ($2::uuid[]) OR referee_id = ANY ($2::uuid[]) AND referrer_id = ANY ($1::uuid[]))
  AND status IN ('armed', 'held') ORDER BY id FOR UPDATE`;

/** Locks the rewards that are not granted yet where one of a family brought one of the other. Precondition: whom both lead to are locked. */
export async function lockRewardsBetween(
  tx: Tx,
  family: readonly string[],
  other: readonly string[],
): Promise<Reward[]> {
  return (await tx.query(LOCK_BETWEEN, [family, other])).map(readReward);
}

/** Locks the rewards of customers that wait to be granted. */
export async function lockOpenRewards(tx: Tx, customerIds: readonly string[]): Promise<Reward[]> {
  const sql = `${SELECT} WHERE customer_id = ANY ($1::uuid[]) AND status IN ('armed', 'held') ORDER BY id FOR UPDATE`;
  return (await tx.query(sql, [customerIds])).map(readReward);
}

/** Locks a reward. Precondition: its customer is locked. */
export async function lockReward(tx: Tx, id: string): Promise<Reward> {
  const [row] = await tx.query(`${SELECT} WHERE id = $1::uuid FOR UPDATE`, [id]);
  return readReward(required(row, 'rewards are kept'));
}

/** How many rewards a referrer was granted of a programme, clawed back or not, and how many his family was. Precondition: whom he leads to is locked. */
export async function countRewards(
  tx: Tx,
  { customerId, programKey }: Reward,
  familyIds: readonly string[],
): Promise<{ own: number; family: number }> {
  const [row] = await tx.query<Row & { own: number; family: number }>(
    `SELECT count(*) FILTER (WHERE customer_id = $1::uuid) AS own, count(*) AS family
     FROM rewards WHERE customer_id = ANY ($3::uuid[]) AND program_key = $2 AND ordinal IS NOT NULL`,
    [customerId, programKey, familyIds],
  );
  return required(row, 'there is a count');
}

/** Whose rewards these are; an id that there is none of is left out. */
export async function findRewardOwners(tx: Tx, ids: readonly string[]): Promise<Map<string, Owner>> {
  return findOwnersIn(tx, 'rewards', ids);
}

/** Rewards about which something is to be done by now, the longest due first; those of `except` are left out. */
export async function listRewardsToAct(tx: Tx, now: Date, except: readonly string[], limit: number): Promise<Reward[]> {
  const rows = await tx.query(
    `${SELECT} WHERE act_at <= $1::timestamptz AND id <> ALL ($2::uuid[]) ORDER BY act_at, id LIMIT $3::int`,
    [now.toISOString(), except, limit],
  );
  return rows.map(readReward);
}

/** The first instant up to `until` at which something is to be done about a reward; undefined when nothing is. */
export async function findFirstReward(tx: Tx, until: Date): Promise<Date | undefined> {
  const [row] = await tx.query<Row & { act_at: Date }>(
    'SELECT act_at FROM rewards WHERE act_at <= $1::timestamptz ORDER BY act_at LIMIT 1',
    [until.toISOString()],
  );
  return row?.act_at;
}

export interface RewardsAsked {
  customerIds: readonly string[] | undefined;
  status: RewardStatus | undefined;
  side: RewardSide | undefined;
  programKey: string | undefined;
  referralId: string | undefined;
  orderId: string | undefined;
  after: { createdAt: Date; id: string } | undefined;
  limit: number;
}

/** The status as it is shown: what a dispute holds is held. */
const SHOWN_STATUS = `CASE WHEN status = 'armed' AND is_disputed THEN 'held' ELSE status END`;

/** One page of rewards, newest first. */
export async function listRewards(tx: Tx, asked: RewardsAsked): Promise<Reward[]> {
  const { customerIds, status, side, programKey, referralId, orderId, after, limit } = asked;
  const where = new Conditions();
  if (customerIds) where.add('customer_id = ANY (?::uuid[])', customerIds);
  if (status !== undefined) where.add(`${SHOWN_STATUS} = ?`, status);
  if (side !== undefined) where.add('side = ?', side);
  if (programKey !== undefined) where.add('program_key = ?', programKey);
  if (referralId !== undefined) where.add('referral_id = ?::uuid', referralId);
  if (orderId !== undefined) where.add('order_id = ?::uuid', orderId);
  if (after) where.add('(created_at, id) < (?::timestamptz, ?::uuid)', after.createdAt.toISOString(), after.id);
  const sql = `${SELECT} WHERE ${where.text()} ORDER BY created_at DESC, id DESC LIMIT ${where.parameter(limit)}::int`;
  return (await tx.query(sql, where.parameters)).map(readReward);
}
