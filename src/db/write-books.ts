// The books as they are written: the only statements that write operations, batches, balances and entries. What their rows refer to is not looked up by the
// database: it was read, or is written, under the same locks, and the auditor compares (ADR 0019).

import type { ChangedCustomer, Changes } from '../ledger/changes.js';
import type { BatchParts } from '../ledger/entities.js';
import type { Tx } from './client.js';
import { inserts, updates, upserts } from './statements.js';
import { balances, batches, customers as customersTable, entries, operations } from './tables.js';

const PARTS = [
  'available',
  'held',
  'consumed',
  'expired',
  'revoked',
  'transferred',
] as const satisfies (keyof BatchParts)[];

const operationsOf = inserts(operations);
const batchesOf = inserts(batches);
const batchPartsOf = updates(batches, ['customerId', 'id'], PARTS);
const balancesOf = upserts(balances, ['customerId', 'productKey']);
const entriesOf = inserts(entries);
const standingsOf = updates(customersTable, ['id'], ['nextSeq', 'lastRecordedAt']);

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
      changes.newBatches.map((batch) => ({ ...batch, customerId, revokedAt: null })),
    ),
  );
}

/** Writes the parts of batches that there were before. Fails when one is not there. */
export function updateBatches(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return batchPartsOf(
    tx,
    customers.flatMap(({ customerId, changes }) => {
      const made = new Set(changes.newBatches.map((batch) => batch.id));
      const changed = [...changes.changedBatches.values()].filter((batch) => !made.has(batch.id));
      return changed.map((batch) => ({ ...batch, customerId }));
    }),
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

/** Writes where the ledgers of customers stand who have new operations or entries; others are not touched. Fails when one is not there. */
export function updateStandings(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const hasRecords = ({ changes }: ChangedCustomer) => changes.entries.length > 0 || changes.operations.length > 0;
  return standingsOf(
    tx,
    customers.filter(hasRecords).map(({ customerId: id, nextSeq, now }) => ({ id, nextSeq, lastRecordedAt: now })),
  );
}
