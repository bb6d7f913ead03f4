// Batches of which it is to be told that they end soon.
import type { Changes } from '../ledger/changes.js';
import type { ExpiringBatch } from '../ledger/entities.js';
import type { Row, Tx } from './client.js';
import { updates } from './statements.js';
import { listOf, readerOf } from './table.js';
import { batches } from './tables.js';

const EXPIRING = ['id', 'productKey', 'granted', 'available', 'expiresAt', 'noticeAt'] as const;
const readExpiring = readerOf(batches, EXPIRING);
const noticesOf = updates(batches, ['customerId', 'id'], ['noticeAt']);

/** The first instant up to `until` at which something is to be told of a batch; undefined when nothing is. */
export async function findFirstNotice(tx: Tx, until: Date): Promise<Date | undefined> {
  const [row] = await tx.query<Row & { notice_at: Date }>(
    'SELECT notice_at FROM batches WHERE notice_at <= $1::timestamptz ORDER BY notice_at LIMIT 1',
    [until.toISOString()],
  );
  return row?.notice_at;
}

/** Customers of whom something is to be told by now, the longest due first; `except` are left out. */
export async function listCustomersToNotice(
  tx: Tx,
  now: Date,
  except: readonly string[],
  limit: number,
): Promise<string[]> {
  const rows = await tx.query<Row & { customer_id: string }>(
    `SELECT customer_id FROM (
       SELECT customer_id, notice_at FROM batches WHERE notice_at <= $1::timestamptz AND customer_id <> ALL ($2::uuid[])
       ORDER BY notice_at LIMIT $3::int
     ) due GROUP BY customer_id ORDER BY min(notice_at)`,
    [now.toISOString(), except, limit],
  );
  return rows.map((row) => row.customer_id);
}

/** Batches of a customer of which it is to be told by now, soonest first. Precondition: the customer is locked. */
export async function listBatchesToNotice(
  tx: Tx,
  customerId: string,
  now: Date,
  limit: number,
): Promise<ExpiringBatch[]> {
  const rows = await tx.query(
    `SELECT ${listOf(batches, EXPIRING)} FROM batches WHERE customer_id = $1::uuid AND notice_at <= $2::timestamptz
     ORDER BY notice_at, id LIMIT $3::int`,
    [customerId, now.toISOString(), limit],
  );
  return rows.map(readExpiring);
}

/** Writes that nothing more is to be told of batches. */
export function writePassedNotices(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return noticesOf(
    tx,
    customers.flatMap(({ customerId, changes }) =>
      changes.passedNotices.map((id) => ({ customerId, id, noticeAt: null })),
    ),
  );
}
