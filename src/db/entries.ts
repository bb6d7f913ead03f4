// The ledger as readers see it, in pages. Who writes it is write-books.ts.
import type { Entry } from '../ledger/entities.js';
import type { Row, Tx } from './client.js';
import { familyPage } from './family.js';
import { findEndSeqs, type LedgerPosition } from './ledger-position.js';
import { listOf, readerOf, written } from './table.js';
import { entries } from './tables.js';

export interface EntryFilter {
  productKey?: string | undefined;
  kind?: string | undefined;
  actionType?: string | undefined;
  operationId?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
}

/** The refund, or the dispute, by which something was taken back, or given back again; as providers call them. */
export interface EntryCause {
  refundId: string | null;
  disputeId: string | null;
}

/** An entry, and because of what money that went back it is. */
export type CausedEntry = Entry & EntryCause;

/** All columns but whose it is and when it was recorded, by which pages are ordered. */
const ENTRY = written(entries).filter((key) => key !== 'customerId' && key !== 'recordedAt');
const toEntry = readerOf(entries, ENTRY) as (row: Row) => Entry;

/** `recorded_at` never goes back along `seq`, so that a single member's entries stay in the order of `seq`. */
const SELECT_ENTRIES = familyPage(
  `SELECT ${listOf(entries)} FROM entries
   WHERE customer_id = family.customer_id AND customer_id = ANY ($1::uuid[]) AND ($2::text IS NULL OR product_key = $2) AND ($3::text IS NULL OR kind = $3)
     AND ($4::text IS NULL OR action_type = $4) AND ($5::uuid IS NULL OR operation_id = $5::uuid)
     AND ($6::timestamptz IS NULL OR occurred_at >= $6::timestamptz) AND ($7::timestamptz IS NULL OR occurred_at < $7::timestamptz)
     AND seq < family.end_seq`,
  'seq DESC',
  '$9::int',
  'recorded_at DESC, customer_id DESC, seq DESC',
  'unnest($1::uuid[], $8::bigint[]) AS family (customer_id, end_seq)',
);

/** One page of a family's ledger, newest first, before a position. `from` is inclusive, `to` exclusive. */
export async function listEntries(
  tx: Tx,
  customerIds: readonly string[],
  filter: EntryFilter,
  page: { before: LedgerPosition | undefined; limit: number },
): Promise<OwnedEntry[]> {
  const rows = await tx.query<Row & { customer_id: string }>(SELECT_ENTRIES, [
    customerIds,
    filter.productKey ?? null,
    filter.kind ?? null,
    filter.actionType ?? null,
    filter.operationId ?? null,
    filter.from?.toISOString() ?? null,
    filter.to?.toISOString() ?? null,
    await findEndSeqs(tx, customerIds, page.before),
    page.limit,
  ]);
  return withCauses(
    tx,
    customerIds,
    rows.map((row) => ({ ...toEntry(row), customerId: row.customer_id })),
  );
}

/** An entry, and in whose ledger it is. */
export type OwnedEntry = CausedEntry & { customerId: string };

/** Those by which refunds and disputes take back and give back; others are, too. */
const OF_CAUSES: ReadonlySet<Entry['kind']> = new Set(['revoke', 'reverse', 'adjust', 'debt', 'forgive']);
const SELECT_REVERSED = `
SELECT e.customer_id, e.seq, e.operation_id FROM unnest($2::uuid[], $3::bigint[]) AS asked (customer_id, seq)
JOIN entries e ON e.customer_id = asked.customer_id AND e.customer_id = ANY ($1::uuid[]) AND e.seq = asked.seq`;
const SELECT_CAUSES = `
SELECT operation_id, refund_id, NULL AS dispute_id FROM refunds WHERE customer_id = ANY ($1::uuid[]) AND operation_id = ANY ($2::uuid[])
UNION ALL
SELECT operation_id, NULL, dispute_id FROM disputes WHERE customer_id = ANY ($1::uuid[]) AND operation_id = ANY ($2::uuid[])`;

/** Names what entries of a family are because of. What gives back again is because of what had taken it. */
async function withCauses<E extends Entry & { customerId: string }>(
  tx: Tx,
  familyIds: readonly string[],
  all: readonly E[],
): Promise<(E & EntryCause)[]> {
  const asked = all.filter(({ kind }) => OF_CAUSES.has(kind));
  const reversing = asked.filter(({ reversesSeq }) => reversesSeq !== null);
  const reversed =
    reversing.length === 0
      ? []
      : await tx.query<Row & { customer_id: string; seq: number; operation_id: string | null }>(SELECT_REVERSED, [
          familyIds,
          reversing.map(({ customerId }) => customerId),
          reversing.map(({ reversesSeq }) => reversesSeq),
        ]);
  const operationOf = ({ customerId, reversesSeq, operationId }: E): string | null => {
    const of = reversed.find((row) => row.customer_id === customerId && row.seq === reversesSeq);
    return of ? of.operation_id : operationId;
  };
  const operationIds = new Set(asked.flatMap((entry) => operationOf(entry) ?? []));
  const causes =
    operationIds.size === 0
      ? []
      : await tx.query<Row & { operation_id: string; refund_id: string | null; dispute_id: string | null }>(
          SELECT_CAUSES,
          [familyIds, [...operationIds]],
        );
  const causeOf = new Map(
    causes.map((row) => [row.operation_id, { refundId: row.refund_id, disputeId: row.dispute_id }]),
  );
  return all.map((entry) => {
    const operationId = OF_CAUSES.has(entry.kind) ? operationOf(entry) : null;
    const cause = operationId === null ? undefined : causeOf.get(operationId);
    return { ...entry, refundId: cause?.refundId ?? null, disputeId: cause?.disputeId ?? null };
  });
}

const SELECT_RANGE = `SELECT ${listOf(entries)} FROM entries
WHERE customer_id = $1::uuid AND seq BETWEEN $2::bigint AND $3::bigint ORDER BY seq LIMIT $4::int`;

/** The first entries of a customer, one of a family, from one sequence number to another, oldest first. */
export async function listRange(
  tx: Tx,
  { customerId, familyIds }: { customerId: string; familyIds: readonly string[] },
  { first, last }: { first: number; last: number },
  limit: number,
): Promise<CausedEntry[]> {
  const rows = await tx.query(SELECT_RANGE, [customerId, first, last, limit]);
  return withCauses(
    tx,
    familyIds,
    rows.map((row) => ({ ...toEntry(row), customerId })),
  );
}

const SELECT_OF_BATCH = `SELECT ${listOf(entries)} FROM entries
WHERE customer_id = ANY ($1::uuid[]) AND batch_id = $2::uuid AND product_key = $3 AND seq < $4::bigint ORDER BY seq DESC LIMIT $5::int`;

/** One page of the entries of a batch of a family, newest first, before a sequence number. Reads the ledger of its product. */
export async function listEntriesOfBatch(
  tx: Tx,
  { familyIds, id, productKey }: { familyIds: readonly string[]; id: string; productKey: string },
  page: { beforeSeq: number | undefined; limit: number },
): Promise<CausedEntry[]> {
  const before = page.beforeSeq ?? Number.MAX_SAFE_INTEGER;
  const parameters = [familyIds, id, productKey, before, page.limit];
  const rows = await tx.query<Row & { customer_id: string }>(SELECT_OF_BATCH, parameters);
  return withCauses(
    tx,
    familyIds,
    rows.map((row) => ({ ...toEntry(row), customerId: row.customer_id })),
  );
}

/** Whether the ledger of a customer, or of all, has more than `count` entries. Reads no further than that. */
export async function hasMoreEntriesThan(tx: Tx, count: number, customerId: string | undefined): Promise<boolean> {
  const rows =
    customerId === undefined
      ? await tx.query('SELECT 1 FROM entries OFFSET $1::bigint LIMIT 1', [count])
      : await tx.query('SELECT 1 FROM customers WHERE id = $1::uuid AND next_seq > $2::bigint + 1', [
          customerId,
          count,
        ]);
  return rows.length > 0;
}
