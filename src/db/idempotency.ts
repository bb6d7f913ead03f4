// Idempotency records: what operations answered, by the keys under which it is kept.

import type { Changes } from '../ledger/changes.js';
import type { RecordedRequest, RecordKind } from '../ledger/entities.js';
import { askedTogether } from './asked-together.js';
import type { Tx } from './client.js';
import { inserts } from './statements.js';
import { amongGiven, arraysOf, given, listOf, readerOf } from './table.js';
import { idempotencyRecords } from './tables.js';

/** Where a record is kept: a key of one customer, one operation name and one kind. */
export interface RecordKey {
  customerId: string;
  name: string;
  kind: RecordKind;
  key: string;
}

const KEY = ['customerId', 'name', 'kind', 'key'] as const;
const STORED = [...KEY, 'requestHash', 'requestHashVersion', 'status', 'answer'] as const;
const SELECT_RECORDS = `
SELECT ${listOf(idempotencyRecords, STORED, 'r')} FROM ${given(idempotencyRecords, KEY)}
JOIN idempotency_records r USING (customer_id, name, kind, key) WHERE ${amongGiven(idempotencyRecords, KEY, 'r')}`;
const FORGET_RECORDS = `
DELETE FROM idempotency_records r USING (
  SELECT customer_id, name, key FROM idempotency_records WHERE recorded_at < $1::timestamptz AND kind = 'client' LIMIT $2::int
) old
WHERE r.customer_id = old.customer_id AND r.name = old.name AND r.kind = 'client' AND r.key = old.key RETURNING 1`;
const readRecord = readerOf(idempotencyRecords, STORED);
const recordsOf = inserts(idempotencyRecords);

/** What is recorded under keys. Precondition: the customers are locked, else an answer may be missed. */
export async function findRecords(tx: Tx, keys: readonly RecordKey[]): Promise<(RecordKey & RecordedRequest)[]> {
  if (keys.length === 0) return [];
  return (await tx.query(SELECT_RECORDS, arraysOf(idempotencyRecords, KEY, keys))).map(readRecord);
}

/** A record has the instant of its operation, by which it is found. */
const SELECT_OF_OPERATION = `
SELECT ${listOf(idempotencyRecords, STORED)} FROM idempotency_records
WHERE customer_id = $1::uuid AND recorded_at = $2::timestamptz AND operation_id = $3::uuid ORDER BY kind, key`;

/** What is kept of the answer of an operation, under each of its keys. */
export async function findRecordsOf(
  tx: Tx,
  { customerId, id, recordedAt }: { customerId: string; id: string; recordedAt: Date },
): Promise<(RecordKey & RecordedRequest)[]> {
  return (await tx.query(SELECT_OF_OPERATION, [customerId, recordedAt.toISOString(), id])).map(readRecord);
}

const textOf = ({ customerId, name, kind, key }: RecordKey): string => JSON.stringify([customerId, name, kind, key]);

/** What is recorded under a key. Precondition: the customer is locked. */
export const findRecord = askedTogether(
  async (tx, keys: readonly RecordKey[]): Promise<((RecordKey & RecordedRequest) | undefined)[]> => {
    const found = new Map((await findRecords(tx, keys)).map((record) => [textOf(record), record]));
    return keys.map((key) => found.get(textOf(key)));
  },
);

/** Deletes what was recorded under keys of callers before an instant, at most so many records; how many they were. */
export async function forgetOldKeys(tx: Tx, before: Date, limit: number): Promise<number> {
  const parameters = [before.toISOString(), limit];
  const [records, calls] = await Promise.all([
    tx.query(FORGET_RECORDS, parameters),
    tx.query(
      `DELETE FROM keyed_calls WHERE (owner, name, idempotency_key) IN (
         SELECT owner, name, idempotency_key FROM keyed_calls WHERE recorded_at < $1::timestamptz LIMIT $2::int) RETURNING 1`,
      parameters,
    ),
  ]);
  return records.length + calls.length;
}

/** Inserts records. Throws the violation of `idempotency_records_pk` when there is one: a defect, because keys are looked up under the lock. */
export function insertRecords(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return recordsOf(
    tx,
    customers.flatMap(({ customerId, now, changes }) =>
      changes.records.map((record) => ({ ...record, customerId, recordedAt: now })),
    ),
  );
}
