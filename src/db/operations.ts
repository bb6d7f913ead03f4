// Operations: the record of each request that changed something.
import type { Row, Tx } from './client.js';
import { findOwnersIn, type Owner } from './owners.js';
import { amongGiven, arraysOf, given, listOf, readerOf, written } from './table.js';
import { operations } from './tables.js';

/** Whose operations these are; an id that there is none of is left out. */
export async function findOperationOwners(tx: Tx, ids: readonly string[]): Promise<Map<string, Owner>> {
  return findOwnersIn(tx, 'operations', ids);
}

/** What an operation was, by which key, when, and which entries it made. */
export type StoredOperation = ReturnType<typeof readOperation>;

const readOperation = readerOf(operations, written(operations));
const SELECT_OPERATION = `SELECT ${listOf(operations)} FROM operations WHERE customer_id = $1::uuid AND id = $2::uuid`;

/** An operation of a customer. */
export async function findOperation(tx: Tx, customerId: string, id: string): Promise<StoredOperation | undefined> {
  const [row] = await tx.query(SELECT_OPERATION, [customerId, id]);
  return row && readOperation(row);
}

const KEY = ['customerId', 'id'] as const;
const SELECT_RECORDED = `
SELECT o.id FROM ${given(operations, KEY)} JOIN operations o USING (customer_id, id) WHERE ${amongGiven(operations, KEY, 'o')}`;

/** Which of these operations are recorded. Precondition: the customers are locked: their earlier transactions have ended. */
export async function findRecordedIds(
  tx: Tx,
  those: readonly { customerId: string; id: string }[],
): Promise<Set<string>> {
  const rows = await tx.query<Row & { id: string }>(SELECT_RECORDED, arraysOf(operations, KEY, those));
  return new Set(rows.map((row) => row.id));
}
