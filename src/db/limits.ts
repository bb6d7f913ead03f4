// Limits as they are set: of customers, copied ones among them, of plans, and of all. What is in force of them is in usage-windows.ts.
import type { Subject } from '../ledger/catalog-entities.js';
import type { Changes } from '../ledger/changes.js';
import type { Limit, LimitScope } from '../ledger/limit-entities.js';
import type { Row, Tx } from './client.js';
import { tellFollowers } from './limit-sources.js';
import { deletes, upserts } from './statements.js';
import { ofSubject, toSubject } from './subjects.js';
import { listOf, readerOf } from './table.js';
import { customerLimits, limits } from './tables.js';

const TERMS = ['id', 'windows', 'enforcement', 'ownerTag', 'createdAt', 'updatedAt', 'subjectType', 'subject'] as const;
const readTerms = readerOf(limits, TERMS);
const OF_CUSTOMER = `SELECT ${listOf(customerLimits, TERMS)}, customer_id, is_copied, NULL AS plan_sku FROM customer_limits`;
const COMMON = `SELECT ${listOf(limits, TERMS)}, NULL::uuid AS customer_id, false AS is_copied, plan_sku FROM limits`;

interface LimitRow extends Row {
  customer_id: string | null;
  is_copied: boolean;
  plan_sku: string | null;
}

function toLimit(row: LimitRow): Limit {
  const { subjectType, subject, ...terms } = readTerms(row);
  return { ...terms, subject: toSubject(subjectType, subject), scope: scopeOf(row) };
}

function scopeOf({ customer_id: customerId, is_copied: isCopied, plan_sku: planSku }: LimitRow): LimitScope {
  if (customerId !== null) return { customerId, isCopied };
  return planSku === '' || planSku === null ? 'default' : { planSku };
}

/** What there is of a customer before one of his own limits is changed. */
export interface CustomerLimits {
  /** His own limit of the subject. */
  own: Limit | undefined;
  /** How many of his own there are. */
  count: number;
  isKnownSubject: boolean;
}

const IS_KNOWN = `CASE WHEN $1 = 'feature' THEN EXISTS (SELECT FROM product_features WHERE feature = $2)
  ELSE EXISTS (SELECT FROM products WHERE product_key = $2) END AS is_known`;

/** Whether there is a product of that key, or one that provides the feature. */
export async function isKnownSubject(tx: Tx, subject: Subject): Promise<boolean> {
  const { subjectType, subject: name } = ofSubject(subject);
  const [row] = await tx.query<Row & { is_known: boolean }>(`SELECT ${IS_KNOWN}`, [subjectType, name]);
  return row?.is_known ?? false;
}

/** A customer's own limit of a subject, and how many he has. */
export async function findCustomerLimits(tx: Tx, customerId: string, subject: Subject): Promise<CustomerLimits> {
  const [rows, isKnown] = await Promise.all([
    tx.query<LimitRow>(`${OF_CUSTOMER} WHERE customer_id = $1::uuid AND NOT is_copied`, [customerId]),
    isKnownSubject(tx, subject),
  ]);
  const { subjectType, subject: name } = ofSubject(subject);
  const own = rows.find((row) => row.subject_type === subjectType && row.subject === name);
  return { own: own && toLimit(own), count: rows.length, isKnownSubject: isKnown };
}

/** The limits of a plan, or of all (`planSku` ''), on a subject, and how many of these there are. */
export async function findCommonLimits(
  tx: Tx,
  planSku: string,
  subject: Subject,
): Promise<CustomerLimits & { isKnownPlan: boolean }> {
  const { subjectType, subject: name } = ofSubject(subject);
  const [rows, isKnown, plans, counts] = await Promise.all([
    tx.query<LimitRow>(`${COMMON} WHERE plan_sku = $1 AND subject_type = $2 AND subject = $3`, [
      planSku,
      subjectType,
      name,
    ]),
    isKnownSubject(tx, subject),
    tx.query('SELECT FROM offers WHERE sku = $1 AND recurrence IS NOT NULL', [planSku]),
    tx.query<Row & { count: number }>('SELECT count(*)::bigint AS count FROM limits', []),
  ]);
  const [own] = rows;
  return {
    own: own && toLimit(own),
    count: counts[0]?.count ?? 0,
    isKnownSubject: isKnown,
    isKnownPlan: planSku === '' || plans.length > 0,
  };
}

/** Serialises changes of limits that are of no customer. Locks: the table of them against other writers, until the transaction ends. */
export async function lockCommonLimits(tx: Tx): Promise<void> {
  await tx.query('LOCK TABLE limits IN SHARE ROW EXCLUSIVE MODE');
}

/** A limit by its id. */
export async function findLimit(tx: Tx, id: string): Promise<Limit | undefined> {
  const [row] = await tx.query<LimitRow>(`${OF_CUSTOMER} WHERE id = $1::uuid UNION ALL ${COMMON} WHERE id = $1::uuid`, [
    id,
  ]);
  return row && toLimit(row);
}

/** Which limits are asked for; all where nothing is named. */
export interface LimitsAsked {
  customerId: string | undefined;
  /** '' asks for those of all customers. */
  planSku: string | undefined;
  subject: Subject | undefined;
  ownerTag: string | undefined;
  after: { createdAt: Date; id: string } | undefined;
  limit: number;
}

const LIST = `
SELECT * FROM (${OF_CUSTOMER} UNION ALL ${COMMON}) l
WHERE ($1::uuid IS NULL OR customer_id = $1::uuid) AND ($2::text IS NULL OR plan_sku = $2::text)
  AND ($3::text IS NULL OR subject_type = $3::text AND subject = $4::text) AND ($5::text IS NULL OR owner_tag = $5::text)
  AND ($6::timestamptz IS NULL OR (created_at, id) < ($6::timestamptz, $7::uuid))
ORDER BY created_at DESC, id DESC LIMIT $8::int`;

/** One page of limits, newest first. */
export async function listLimits(
  tx: Tx,
  { customerId, planSku, subject, ownerTag, after, limit }: LimitsAsked,
): Promise<Limit[]> {
  const named = subject && ofSubject(subject);
  const rows = await tx.query<LimitRow>(LIST, [
    customerId ?? null,
    planSku ?? null,
    named?.subjectType ?? null,
    named?.subject ?? null,
    ownerTag ?? null,
    after?.createdAt.toISOString() ?? null,
    after?.id ?? null,
    limit,
  ]);
  return rows.map(toLimit);
}

const commonOf = upserts(limits, ['planSku', 'subjectType', 'subject'], ['id', 'createdAt']);
const removedCommonOf = deletes(limits, ['planSku', 'subjectType', 'subject']);

/** Writes and removes limits of plans, and of all customers. Precondition: they are locked. */
export function writeCommonLimits(tx: Tx, { commonLimits: changed }: Changes): Promise<unknown> | undefined {
  const rowOf = ({ scope, subject, ...terms }: Limit) => ({
    ...terms,
    ...ofSubject(subject),
    planSku: scope !== 'default' && 'planSku' in scope ? scope.planSku : '',
  });
  const written = changed.flatMap(({ after }) => after ?? []);
  const removed = changed.flatMap(({ before, after }) => (before && !after ? [before] : []));
  const writes = [commonOf(tx, written.map(rowOf)), removedCommonOf(tx, removed.map(rowOf))].filter(Boolean);
  return writes.length === 0 ? undefined : Promise.all(writes);
}

const ownOf = upserts(customerLimits, ['customerId', 'subjectType', 'subject', 'isCopied'], ['id', 'createdAt']);
const removedOwnOf = deletes(customerLimits, ['customerId', 'subjectType', 'subject', 'isCopied']);
/** Whoever has none, and for whom there is no default, pays for none. */
const MARK = `UPDATE customers SET has_limits = EXISTS (
  SELECT FROM customer_limits l WHERE l.customer_id = customers.id AND l.customer_id = ANY ($1::uuid[])
) WHERE id = ANY ($1::uuid[])`;

/** Writes and removes limits of customers. Precondition: the customers are locked. */
export function writeCustomerLimits(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const changed = customers.flatMap(({ customerId, changes }) =>
    changes.limits.map((limit) => ({ ...limit, customerId })),
  );
  if (changed.length === 0) return undefined;
  const rowOf = ({ customerId, limit }: { customerId: string; limit: Limit }) => ({
    ...limit,
    ...ofSubject(limit.subject),
    customerId,
    isCopied: isCopied(limit),
  });
  const written = changed.flatMap(({ customerId, after }) => (after ? [{ customerId, limit: after }] : []));
  const removed = changed.flatMap(({ customerId, before, after }) =>
    before && !after ? [{ customerId, limit: before }] : [],
  );
  return Promise.all([
    ownOf(tx, written.map(rowOf)),
    removedOwnOf(tx, removed.map(rowOf)),
    tx.query(MARK, [[...new Set(changed.map(({ customerId }) => customerId))]]),
    tellFollowers(tx, sourcesIn(changed)),
  ]);
}

/** All limits of customers, their own and copied ones: a bounded number of each. */
export async function listLimitsOf(tx: Tx, customerIds: readonly string[]): Promise<Limit[]> {
  const rows = await tx.query<LimitRow>(`${OF_CUSTOMER} WHERE customer_id = ANY ($1::uuid[])`, [customerIds]);
  return rows.map(toLimit);
}

/** Whose own limits change. */
function sourcesIn(
  changed: readonly { customerId: string; before: Limit | undefined; after: Limit | undefined }[],
): string[] {
  const isOwn = ({ before, after }: (typeof changed)[number]) =>
    [before, after].some((limit) => limit && !isCopied(limit));
  return [...new Set(changed.filter(isOwn).map(({ customerId }) => customerId))];
}

function isCopied({ scope }: Limit): boolean {
  return scope !== 'default' && 'isCopied' in scope && scope.isCopied;
}
