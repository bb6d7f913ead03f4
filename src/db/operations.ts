// Operations: the record of each request that changed something, and with a key the memory of its answer.
import type { Tx } from './client.js';

/** An operation's stored answer, and the hash of the request that it answered. */
export interface RecordedOperation {
  id: string;
  requestHash: string | null;
  requestHashVersion: number | null;
  status: number | null;
  answer: string | null;
}

export interface NewOperation {
  customerId: string;
  id: string;
  name: string;
  actingKey: string;
  idempotencyKey: string | null;
  requestHash: string | null;
  requestHashVersion: number | null;
  status: number | null;
  answer: string | null;
  recordedAt: Date;
}

interface OperationRow extends Record<string, unknown> {
  id: string;
  request_hash: string | null;
  request_hash_version: number | null;
  status: number | null;
  answer: string | null;
}

function toRecorded(row: OperationRow): RecordedOperation {
  return {
    id: row.id,
    requestHash: row.request_hash,
    requestHashVersion: row.request_hash_version,
    status: row.status,
    answer: row.answer,
  };
}

const COLUMNS = 'id, request_hash, request_hash_version, status, answer';

/** The operation recorded under a key. Precondition: the customer is locked, else an answer may be missed. */
export async function findOperationByKey(
  tx: Tx,
  customerId: string,
  name: string,
  key: string,
): Promise<RecordedOperation | undefined> {
  const rows = await tx.query<OperationRow>(
    `SELECT ${COLUMNS} FROM operations WHERE customer_id = $1::uuid AND name = $2 AND idempotency_key = $3`,
    [customerId, name, key],
  );
  return rows[0] && toRecorded(rows[0]);
}

/** The operation of an id. */
export async function findOperation(tx: Tx, customerId: string, id: string): Promise<RecordedOperation | undefined> {
  const rows = await tx.query<OperationRow>(
    `SELECT ${COLUMNS} FROM operations WHERE customer_id = $1::uuid AND id = $2::uuid`,
    [customerId, id],
  );
  return rows[0] && toRecorded(rows[0]);
}
