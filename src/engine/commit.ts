// The end of a write (DOMAIN 3.0): all changes are written in one go, with their audit rows and events, and committed; of a COMMIT without an answer it is found out
// whether it took place.
import { writeChanges } from '../db/changes.js';
import { awaitFirstSights, findIdentityOwners, lockCustomers } from '../db/customers.js';
import { isOfMovedData } from '../db/errors.js';
import { findRecordedIds } from '../db/operations.js';
import { begin, CommitUncertain, orAbandon, type Transaction } from '../db/transactions.js';
import type { Foundations } from '../foundations.js';
import { auditOf } from '../ledger/audit.js';
import { type Changes, hasChanges } from '../ledger/changes.js';
import { eventsOf } from '../ledger/events.js';
import { persist } from './attempts.js';
import { guardPlaces } from './horizon.js';

/** Writes all changes and commits. Throws when that was rolled back. */
export async function writeAndCommit(
  deps: Foundations,
  tx: Transaction,
  changes: Changes,
  isSweep = false,
): Promise<void> {
  if (!hasChanges(changes, isSweep)) {
    await tx.abandon();
    return;
  }
  const writing = await orAbandon(tx, async () => {
    changes.audit = auditOf(changes, deps.ids);
    changes.events = eventsOf(changes, deps.ids);
    return { all: writeChanges(tx, changes) };
  });
  await commitAndCount(deps, tx, changes, writing.all);
}

/** Commits, with the writes of these changes under way; events that were told are counted. Throws when it was rolled back. */
export async function commitAndCount(
  deps: Foundations,
  tx: Transaction,
  changes: Changes,
  writing: readonly Promise<unknown>[],
): Promise<void> {
  try {
    await tx.commit(writing);
  } catch (error) {
    if (isOfMovedData(error)) await guardPlaces(deps);
    const isUnknown = error instanceof CommitUncertain;
    // Without an answer neither success nor failure would be true.
    if (!isUnknown || !(await persist(() => areRecorded(deps, changes), { isPatient: true }))) throw error;
  }
  for (const { type } of changes.events) deps.metrics.events.add(type, '');
}

/** Whether a transaction is committed that was cut off. What it locked or made is waited for until it has ended. */
async function areRecorded(deps: Foundations, { customers, firstSights }: Changes): Promise<boolean> {
  const operations = customers.flatMap(({ customerId, changes }) =>
    changes.operations.map(({ id }) => ({ customerId, id })),
  );
  if (operations.length + firstSights.length === 0) return false;
  const tx = await begin(deps.db, 'pool');
  try {
    await tx.begun;
    await awaitFirstSights(tx, firstSights);
    await lockCustomers(tx, [...new Set(operations.map(({ customerId }) => customerId))], { skipLocked: false });
    const owners = firstSights.length > 0 ? await findIdentityOwners(tx, firstSights) : [];
    const made = new Set(owners.map(({ customerId }) => customerId));
    if (!firstSights.every(({ customerId }) => made.has(customerId))) return false;
    return operations.length === 0 || (await findRecordedIds(tx, operations)).size === operations.length;
  } finally {
    await tx.abandon();
  }
}
