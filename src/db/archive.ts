// What was moved in from another system and is no row of ours: its records as they were, and the hashes of those who had a trial there. Only added to.
import type { ArchivedRecord, ArchivedTrial } from '../ledger/customer-entities.js';
import type { Row, Tx } from './client.js';
import { inserts } from './statements.js';
import { archivedRecords, archivedTrials } from './tables.js';

const recordsOf = inserts(archivedRecords, 'ON CONFLICT DO NOTHING RETURNING 1');
const trialsOf = inserts(archivedTrials, 'ON CONFLICT DO NOTHING RETURNING 1');

/** Inserts records that are not there yet, and returns how many. Precondition: their customers are there. */
export async function insertArchivedRecords(tx: Tx, records: readonly ArchivedRecord[]): Promise<number> {
  return (await recordsOf(tx, records))?.length ?? 0;
}

/** Inserts used trials that are not known yet, and returns how many. */
export async function insertArchivedTrials(tx: Tx, trials: readonly ArchivedTrial[]): Promise<number> {
  return (await trialsOf(tx, trials))?.length ?? 0;
}

/** How many records of each kind there are of these customers, by customer and kind; without those of whom there are none. */
export async function countArchivedRecords(
  tx: Tx,
  customerIds: readonly string[],
): Promise<{ customerId: string; kind: string; count: number }[]> {
  return tx.query<Row & { customerId: string; kind: string; count: number }>(
    `SELECT customer_id AS "customerId", kind, count(*) AS count FROM archived_records WHERE customer_id = ANY ($1::uuid[]) GROUP BY 1, 2`,
    [customerIds],
  );
}
