// All that is held about a customer, section by section (DOMAIN 3.10): the columns of each table as they are, but for hashes of requests, in an order that has an
// index of the customer where there may be much. Nothing else reads the archive of what was moved in.
import type { Row, Tx } from './client.js';
import type { Column, Table } from './table.js';
import * as tables from './tables.js';

/** How a column of a key is written in a position. */
type KeyType = 'uuid' | 'bigint' | 'timestamptz' | 'text';

/** A kind of thing that is held about a customer. */
interface Section {
  /** What is selected of a member, `family.customer_id`. */
  rows: string;
  /** In which order, by columns of it. */
  key: readonly (readonly [name: string, type: KeyType])[];
}

/** Where a page ended. */
export interface ExportPosition {
  section: string;
  /** Of which member of the family. */
  customerId: string;
  /** The key of the last record, or none where the section has not begun. */
  key: readonly string[];
}

export interface ExportedRecord {
  section: string;
  customerId: string;
  key: readonly string[];
  record: Record<string, unknown>;
}

/** Columns as they are told: money as it is written, bytes as base64, hashes of requests not at all. */
function columnsOf(of: Table<unknown>): string {
  const columns = Object.values(of.columns as Record<string, Column<unknown>>);
  return columns
    .filter(({ name }) => name !== 'request_hash')
    .map(({ name, type }) => {
      if (type === 'numeric') return `trim_scale(t.${name})::text AS ${name}`;
      return type === 'bytea' ? `encode(t.${name}, 'base64') AS ${name}` : `t.${name}`;
    })
    .join(', ');
}

function sectionOf(of: Table<unknown>, key: Section['key'], column = 'customer_id'): Section {
  const rows = `SELECT ${columnsOf(of)} FROM ${of.name} t WHERE t.${column} = family.customer_id AND t.${column} = ANY ($1::uuid[])`;
  return { rows, key };
}

const byId = [['id', 'uuid']] as const;

/** All sections, in their order. */
const SECTIONS: Readonly<Record<string, Section>> = {
  customer: sectionOf(tables.customers, byId, 'id'),
  identities: sectionOf(tables.identities, byId),
  former_identities: sectionOf(tables.formerIdentities, [
    ['provider', 'text'],
    ['external_id', 'text'],
  ]),
  merges: sectionOf(tables.customerMerges, [['source_id', 'uuid']]),
  erasures: sectionOf(tables.customerErasures, [['customer_id', 'uuid']]),
  orders: sectionOf(tables.orders, byId),
  order_lines: sectionOf(tables.orderItems, byId),
  payments: sectionOf(tables.payments, [
    ['created_at', 'timestamptz'],
    ['payment_method', 'text'],
    ['payment_id', 'text'],
  ]),
  payment_events: {
    rows: `SELECT ${columnsOf(tables.paymentInbox)} FROM orders o JOIN payment_inbox t ON t.order_id = o.id
    WHERE o.customer_id = family.customer_id AND o.customer_id = ANY ($1::uuid[])
    UNION ALL SELECT ${columnsOf(tables.paymentInbox)} FROM subscriptions s
    JOIN payment_inbox t ON lower(t.subscription_ref) = s.id::text AND t.subscription_ref IS NOT NULL AND t.order_id IS NULL
    WHERE s.moved_to IS NULL AND s.customer_id = family.customer_id AND s.customer_id = ANY ($1::uuid[])`,
    key: byId,
  },
  refunds: sectionOf(tables.refunds, byId),
  disputes: sectionOf(tables.disputes, byId),
  clawbacks: sectionOf(tables.clawbacks, [
    ['cause_id', 'uuid'],
    ['batch_id', 'uuid'],
  ]),
  subscriptions: sectionOf(tables.subscriptions, byId),
  subscription_periods: sectionOf(tables.subscriptionPeriods, [
    ['subscription_id', 'uuid'],
    ['sku', 'text'],
    ['starts_at', 'timestamptz'],
  ]),
  subscription_steps: sectionOf(tables.subscriptionSteps, byId),
  balances: sectionOf(tables.balances, [['product_key', 'text']]),
  batches: sectionOf(tables.batches, byId),
  entries: sectionOf(tables.entries, [['seq', 'bigint']]),
  operations: sectionOf(tables.operations, byId),
  answers: sectionOf(tables.idempotencyRecords, [
    ['name', 'text'],
    ['kind', 'text'],
    ['key', 'text'],
  ]),
  reservations: sectionOf(tables.reservations, byId),
  reservation_legs: sectionOf(tables.reservationLegs, [
    ['reservation_id', 'uuid'],
    ['position', 'bigint'],
  ]),
  usage: sectionOf(tables.usageCounters, [
    ['subject_type', 'text'],
    ['subject', 'text'],
    ['window_name', 'text'],
  ]),
  limits: sectionOf(tables.customerLimits, byId),
  limit_sources: sectionOf(tables.limitSources, [['customer_id', 'uuid']]),
  trials: sectionOf(tables.trialUses, [
    ['scope', 'text'],
    ['pepper_id', 'text'],
    ['identity_hash', 'text'],
  ]),
  signals: sectionOf(tables.customerSignals, [
    ['pepper_id', 'text'],
    ['identity_hash', 'text'],
  ]),
  referrals: sectionOf(tables.referrals, byId),
  /** Whom he brought: of these no more than that. */
  referred: {
    rows: 'SELECT t.id, t.created_at FROM referrals t WHERE t.referrer_id = family.customer_id AND t.referrer_id = ANY ($1::uuid[])',
    key: byId,
  },
  rewards: sectionOf(tables.rewards, byId),
  notices: sectionOf(tables.notices, [
    ['type', 'text'],
    ['subject', 'text'],
  ]),
  events: sectionOf(tables.events, [['number', 'bigint']]),
  deliveries: {
    rows: `SELECT ${columnsOf(tables.webhookDeliveries)} FROM webhook_feeds f JOIN webhook_deliveries t ON t.feed_id = f.id
    WHERE t.lane = family.customer_id::text`,
    key: [
      ['feed_id', 'uuid'],
      ['place', 'bigint'],
    ],
  },
  audit: sectionOf(tables.auditRecords, byId),
  archive: sectionOf(tables.archivedRecords, [
    ['kind', 'text'],
    ['source_id', 'text'],
  ]),
};

/** The names of all sections, in their order. */
export const EXPORT_SECTIONS: readonly string[] = Object.keys(SECTIONS);

const FORMS: Readonly<Record<KeyType, RegExp>> = {
  uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  bigint: /^\d{1,18}$/,
  timestamptz: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?$/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the one character that the database can't store
  text: /^[^\u0000]*$/,
};

/** Whether a position is one that a page may have ended at. */
export function isExportPosition({ section, key }: ExportPosition): boolean {
  const types = Object.hasOwn(SECTIONS, section) ? SECTIONS[section]?.key : undefined;
  if (!types) return false;
  return (
    types.length === key.length &&
    types.every(([, type], index) => {
      const text = key[index] ?? '';
      return FORMS[type].test(text) && (type !== 'timestamptz' || isInstant(text));
    })
  );
}

/** Whether there is such a day and time: 30 February is none, and there is no year 0. */
function isInstant(text: string): boolean {
  const written = text.replace(' ', 'T');
  const at = new Date(`${written}Z`);
  return !Number.isNaN(at.getTime()) && at.getUTCFullYear() > 0 && at.toISOString().startsWith(written.slice(0, 19));
}

/** One page: the records behind a position, or the first ones. The members of the family come in the order in which they are given, in each section. */
export async function exportRecords(
  tx: Tx,
  familyIds: readonly string[],
  after: ExportPosition | undefined,
  limit: number,
): Promise<ExportedRecord[]> {
  const records: ExportedRecord[] = [];
  const first = after ? EXPORT_SECTIONS.indexOf(after.section) : 0;
  for (const section of EXPORT_SECTIONS.slice(first)) {
    const member = after && section === after.section ? familyIds.indexOf(after.customerId) : -1;
    if (after && member >= 0)
      records.push(...(await readSection(tx, section, [after.customerId], limit - records.length, after.key)));
    const others = familyIds.slice(member + 1);
    if (records.length < limit && others.length > 0)
      records.push(...(await readSection(tx, section, others, limit - records.length)));
    if (records.length >= limit) break;
  }
  return records;
}

/** Text of a position as a value, and the other way round; instants in UTC, whatever the session's zone is. */
function readKey(text: string, type: KeyType): string {
  return type === 'timestamptz' ? `${text}::timestamp AT TIME ZONE 'UTC'` : `${text}::${type}`;
}

function writtenKey(name: string, type: KeyType): string {
  return type === 'timestamptz' ? `(${name} AT TIME ZONE 'UTC')::text` : `${name}::text`;
}

async function readSection(
  tx: Tx,
  section: string,
  memberIds: readonly string[],
  limit: number,
  behind?: readonly string[],
): Promise<ExportedRecord[]> {
  const { rows, key } = SECTIONS[section] as Section;
  const names = key.map(([name]) => name);
  const given = key.map(([, type], index) => readKey(`($3::text[])[${index + 1}]`, type));
  const condition = behind ? `WHERE (${names.join(', ')}) > (${given.join(', ')})` : '';
  const read = await tx.query<Row & { exported_of: string; exported_key: string[] }>(
    `SELECT family.customer_id AS exported_of, page.* FROM unnest($1::uuid[]) WITH ORDINALITY AS family (customer_id, nth) CROSS JOIN LATERAL (
  SELECT *, ARRAY[${key.map(([name, type]) => writtenKey(name, type)).join(', ')}] AS exported_key FROM (${rows}) s ${condition}
  ORDER BY ${names.join(', ')} LIMIT $2::int
) page ORDER BY family.nth, ${names.map((name) => `page.${name}`).join(', ')} LIMIT $2::int`,
    [memberIds, limit, ...(behind ? [behind] : [])],
  );
  return read.map(({ exported_of: customerId, exported_key: own, ...record }) => ({
    section,
    customerId,
    key: own,
    record,
  }));
}
