// The books as they are written: the only statements that write operations, batches, balances and entries. What their rows refer to is not looked up by the
// database: it was read, or is written, under the same locks, and the auditor compares (ADR 0019).

import type { Changes, CustomerChanges } from '../ledger/changes.js';
import { BATCH_PARTS } from './book-rows.js';
import type { Tx } from './client.js';
import { inserts, updates, upserts } from './statements.js';
import { arraysOf, bigint, boolean, given, instant, listOf, nullable, table, uuid, written } from './table.js';
import { balances, batches, entries, operations } from './tables.js';

const operationsOf = inserts(operations);
const batchesOf = inserts(batches);
const batchPartsOf = updates(batches, ['customerId', 'id'], [...BATCH_PARTS, 'recovered', 'unrecovered']);
const validityOf = updates(
  batches,
  ['customerId', 'id'],
  ['validFrom', 'expiresAt', 'revokedAt', 'anchorDay', 'noticeAt'],
);
const endedOf = updates(batches, ['customerId', 'id'], ['revokedAt', 'noticeAt']);

/** What a batch has of the one that it goes on for. */
const INHERITED = ['source', 'sku', 'orderItemId', 'metadata'] as const;
const MOVED = written(batches).filter((key) => !INHERITED.some((own) => own === key)) as Exclude<
  ReturnType<typeof written<typeof batches.columns>>[number],
  (typeof INHERITED)[number]
>[];
const INSERT_MOVED = `
WITH moved AS (
  INSERT INTO batches (${listOf(batches, MOVED)}, ${listOf(batches, INHERITED)})
  SELECT ${listOf(batches, MOVED, 'given')}, ${listOf(batches, INHERITED, 'p')} FROM ${given(batches, MOVED)}
  JOIN batches p ON p.customer_id = given.predecessor_customer_id AND p.id = given.predecessor_id
    AND p.customer_id = ANY ($${MOVED.indexOf('predecessorCustomerId') + 1}::uuid[]) AND p.id = ANY ($${MOVED.indexOf('predecessorId') + 1}::uuid[])
  RETURNING 1
) SELECT assert_whole(count(*) = $${MOVED.length + 1}::bigint) FROM moved`;

const balancesOf = upserts(balances, ['customerId', 'productKey']);
const entriesOf = inserts(entries);

/** Where the ledger and the events of a customer stand, and when he falls due next: anew if that was settled, else by what was made or changed. */
const standings = table('customers', {
  id: uuid('id'),
  nextSeq: bigint('next_seq'),
  nextEvent: bigint('next_event'),
  lastRecordedAt: nullable(instant('last_recorded_at')),
  dueAt: nullable(instant('due_at')),
  isSettled: boolean('is_settled'),
});
const STANDING = written(standings);
const UPDATE_STANDINGS = `
WITH changed AS (
  UPDATE customers own
  SET next_seq = given.next_seq, next_event = given.next_event, last_recorded_at = coalesce(given.last_recorded_at, own.last_recorded_at),
      due_at = CASE WHEN given.is_settled THEN least(
        (SELECT min(b.expires_at) FROM batches b
         WHERE b.customer_id = own.id AND b.customer_id = ANY ($1::uuid[]) AND b.is_open AND b.available > 0),
        (SELECT min(r.expires_at) FROM reservations r
         WHERE r.customer_id = own.id AND r.customer_id = ANY ($1::uuid[]) AND r.status = 'held'),
        (SELECT min(o.expires_at) FROM orders o
         WHERE o.customer_id = own.id AND o.customer_id = ANY ($1::uuid[]) AND o.status = 'pending'),
        own.turns_at,
        CASE WHEN own.merged_ids <> '[]' THEN (
          SELECT min(m.due_at) FROM customers m WHERE m.id IN (SELECT jsonb_array_elements_text(own.merged_ids)::uuid)
        ) END
      ) ELSE least(own.due_at, given.due_at) END
  FROM ${given(standings, STANDING)}
  WHERE own.id = given.id AND own.id = ANY ($1::uuid[])
  RETURNING 1
) SELECT assert_whole(count(*) = $${STANDING.length + 1}::bigint) FROM changed`;

/** Inserts operations. */
export function insertOperations(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return operationsOf(
    tx,
    customers.flatMap(({ customerId, now, changes }) =>
      changes.operations.map((operation) => ({ ...operation, customerId, recordedAt: now })),
    ),
  );
}

/** Inserts the batches that were granted, as they are in the end. Precondition: the orders that they are of are written. */
export function insertBatches(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return batchesOf(
    tx,
    customers.flatMap(({ customerId, changes }) =>
      changes.newBatches.map((batch) => ({ ...batch, customerId, revokedAt: null, predecessorCustomerId: null })),
    ),
  );
}

/** Inserts batches in which others go on, with what those say of where they came from. Precondition: these are written. */
export function insertMovedBatches(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const moved = customers.flatMap(({ customerId, changes }) =>
    changes.movedBatches.map((batch) => ({ ...batch, customerId, revokedAt: null, offerQuantity: null })),
  );
  return moved.length === 0 ? undefined : tx.query(INSERT_MOVED, [...arraysOf(batches, MOVED, moved), moved.length]);
}

/** Writes that access has ended here, because it goes on in another batch. Fails when one is not there. */
export function writeEndedAccess(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return endedOf(
    tx,
    customers.flatMap(({ customerId, changes }) =>
      [...changes.endedAccess].map(([id, revokedAt]) => ({ customerId, id, revokedAt, noticeAt: null })),
    ),
  );
}

/** Writes the parts of batches that there were before. Fails when one is not there. */
export function updateBatches(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return batchPartsOf(
    tx,
    customers.flatMap(({ customerId, changes }) => {
      const made = new Set([...changes.newBatches, ...changes.movedBatches].map((batch) => batch.id));
      const changed = [...changes.changedBatches.values()].filter((batch) => !made.has(batch.id));
      return changed.map((batch) => ({ ...batch, customerId }));
    }),
  );
}

/** Writes when batches are valid that there were before. Fails when one is not there. */
export function updateValidity(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return validityOf(
    tx,
    customers.flatMap(({ customerId, changes }) =>
      [...changes.changedValidity].map(({ batch: { id, validFrom, expiresAt }, revokedAt, anchorDay, noticeAt }) => ({
        customerId,
        id,
        validFrom,
        expiresAt,
        revokedAt,
        anchorDay,
        noticeAt,
      })),
    ),
  );
}

/** Writes balances as they are now. */
export function writeBalances(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return balancesOf(
    tx,
    customers.flatMap(({ customerId, changes }) =>
      [...changes.changedHoldings].map((holding) => ({ ...holding, customerId })),
    ),
  );
}

/** Appends entries to the ledger. */
export function insertEntries(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return entriesOf(
    tx,
    customers.flatMap(({ customerId, now, changes }) =>
      changes.entries.map((entry) => ({ ...entry, customerId, recordedAt: now })),
    ),
  );
}

/**
 * Writes where the ledgers and events of customers stand who have new operations, entries or events, and when something of theirs falls due next.
 * Precondition: batches, reservations and orders are written before. Fails when a customer is not there.
 */
export function updateStandings(tx: Tx, { customers, events }: Changes): Promise<unknown> | undefined {
  const lastTold = new Map(events.map(({ customerId, number }) => [customerId, number]));
  const rows = customers.flatMap(({ customerId: id, nextSeq, nextEvent: next, now, changes }) => {
    const isRecorded = changes.entries.length > 0 || changes.operations.length > 0;
    const isSettled = changes.settled.length > 0;
    const told = lastTold.get(id);
    if (!isRecorded && !isSettled && told === undefined) return [];
    const nextEvent = told === undefined ? next : told + 1;
    return [
      { id, nextSeq, nextEvent, lastRecordedAt: isRecorded ? now : null, dueAt: earliestEnd(changes), isSettled },
    ];
  });
  return rows.length === 0
    ? undefined
    : tx.query(UPDATE_STANDINGS, [...arraysOf(standings, STANDING, rows), rows.length]);
}

/** The first end among what was made or changed: the customer falls due then, if not before. Null when nothing of it ends. */
function earliestEnd({
  newBatches,
  movedBatches,
  changedBatches,
  newReservations,
  changedReservations,
  newOrders,
}: CustomerChanges): Date | null {
  const batches = [...newBatches, ...movedBatches, ...changedBatches.values()].filter(({ available }) => available > 0);
  const holds = [...newReservations, ...changedReservations].filter(({ status }) => status === 'held');
  const orders = newOrders.filter(({ status }) => status === 'pending');
  let first: Date | null = null;
  for (const { expiresAt } of [...batches, ...holds, ...orders]) {
    if (expiresAt !== null && (first === null || expiresAt < first)) first = expiresAt;
  }
  return first;
}
