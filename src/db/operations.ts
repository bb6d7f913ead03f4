// Operations: the record of each request that changed something, and with a key the memory of its answer.
import type { Changes } from '../ledger/changes.js';
import type { Row, Tx } from './client.js';
import { inserts } from './statements.js';
import { migrationSources } from './tables.js';

/** An operation's stored answer, and the hash of the request that it answered. */
export interface RecordedOperation {
  id: string;
  requestHash: string | null;
  requestHashVersion: number | null;
  status: number | null;
  answer: string | null;
}

interface OperationRow extends Row {
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

/** A key of one customer and one operation name. */
export interface OperationKey {
  customerId: string;
  name: string;
  key: string;
}

/** The operations recorded under keys. Precondition: the customers are locked, else an answer may be missed. */
export async function findOperationsByKey(
  tx: Tx,
  keys: readonly OperationKey[],
): Promise<(OperationKey & { operation: RecordedOperation })[]> {
  const rows = await tx.query<OperationRow & { customer_id: string; name: string; idempotency_key: string }>(
    `SELECT o.customer_id, o.name, o.idempotency_key, o.id, o.request_hash, o.request_hash_version, o.status, o.answer
     FROM json_to_recordset($1::json) AS k (customer_id uuid, name text, key text)
     JOIN operations o ON o.customer_id = k.customer_id AND o.name = k.name AND o.idempotency_key = k.key`,
    [JSON.stringify(keys.map(({ customerId, name, key }) => ({ customer_id: customerId, name, key })))],
  );
  return rows.map((row) => ({
    customerId: row.customer_id,
    name: row.name,
    key: row.idempotency_key,
    operation: toRecorded(row),
  }));
}

/** Whose an operation is; undefined when there is none of this id. */
export async function findOperationOwners(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.query<Row & { id: string; customer_id: string }>(
    'SELECT id, customer_id FROM operations WHERE id = ANY ($1::uuid[])',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.customer_id]));
}

/** Which of these operations are recorded. Precondition: the customers are locked: their earlier transactions have ended. */
export async function findRecordedIds(
  tx: Tx,
  operations: readonly { customerId: string; id: string }[],
): Promise<Set<string>> {
  const rows = await tx.query<Row & { id: string }>(
    `SELECT o.id FROM json_to_recordset($1::json) AS k (customer_id uuid, id uuid)
     JOIN operations o ON o.customer_id = k.customer_id AND o.id = k.id`,
    [JSON.stringify(operations.map(({ customerId, id }) => ({ customer_id: customerId, id })))],
  );
  return new Set(rows.map((row) => row.id));
}

/** The stored answers of operations, by their ids. */
export async function findAnswers(
  tx: Tx,
  operations: readonly { customerId: string; id: string }[],
): Promise<Map<string, RecordedOperation>> {
  const rows = await tx.query<OperationRow>(
    `SELECT o.id, o.request_hash, o.request_hash_version, o.status, o.answer
     FROM json_to_recordset($1::json) AS k (customer_id uuid, id uuid)
     JOIN operations o ON o.customer_id = k.customer_id AND o.id = k.id`,
    [JSON.stringify(operations.map(({ customerId, id }) => ({ customer_id: customerId, id })))],
  );
  return new Map(rows.map((row) => [row.id, toRecorded(row)]));
}

/** The operation that migrated what has this id elsewhere. Precondition: the customer is locked. */
export async function findMigration(
  tx: Tx,
  customerId: string,
  sourceId: string,
): Promise<RecordedOperation | undefined> {
  const rows = await tx.query<OperationRow>(
    `SELECT o.id, o.request_hash, o.request_hash_version, o.status, o.answer
     FROM migration_sources m JOIN operations o ON o.customer_id = m.customer_id AND o.id = m.operation_id
     WHERE m.customer_id = $1::uuid AND m.source_id = $2`,
    [customerId, sourceId],
  );
  return rows[0] && toRecorded(rows[0]);
}

const sourcesOf = inserts(migrationSources);

/** Remembers what operations migrated. */
export function insertMigrationSources(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return sourcesOf(
    tx,
    customers.flatMap(({ customerId, changes }) =>
      changes.migrationSources.map((source) => ({ ...source, customerId })),
    ),
  );
}
