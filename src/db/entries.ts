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
  return rows.map((row) => ({ ...toEntry(row), customerId: row.customer_id }));
}

/** An entry, and in whose ledger it is. */
export type OwnedEntry = Entry & { customerId: string };

const SELECT_RANGE = `SELECT ${listOf(entries)} FROM entries
WHERE customer_id = $1::uuid AND seq BETWEEN $2::bigint AND $3::bigint ORDER BY seq LIMIT $4::int`;

/** The first entries of a customer from one sequence number to another, oldest first. */
export async function listRange(
  tx: Tx,
  customerId: string,
  { first, last }: { first: number; last: number },
  limit: number,
): Promise<Entry[]> {
  return (await tx.query(SELECT_RANGE, [customerId, first, last, limit])).map(toEntry);
}

const SELECT_OF_BATCH = `SELECT ${listOf(entries)} FROM entries
WHERE customer_id = ANY ($1::uuid[]) AND batch_id = $2::uuid AND product_key = $3 AND seq < $4::bigint ORDER BY seq DESC LIMIT $5::int`;

/** One page of the entries of a batch of a family, newest first, before a sequence number. Reads the ledger of its product. */
export async function listEntriesOfBatch(
  tx: Tx,
  { familyIds, id, productKey }: { familyIds: readonly string[]; id: string; productKey: string },
  page: { beforeSeq: number | undefined; limit: number },
): Promise<Entry[]> {
  const before = page.beforeSeq ?? Number.MAX_SAFE_INTEGER;
  return (await tx.query(SELECT_OF_BATCH, [familyIds, id, productKey, before, page.limit])).map(toEntry);
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
