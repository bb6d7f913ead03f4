// Payment providers without a file of their own.
import type { Changes } from '../ledger/changes.js';
import type { PaymentSource } from '../ledger/payment-entities.js';
import type { Tx } from './client.js';
import { deletes, upserts } from './statements.js';
import { listOf, readerOf, written } from './table.js';
import { paymentSources } from './tables.js';

const readSource = readerOf(paymentSources, written(paymentSources));
const SELECT = `SELECT ${listOf(paymentSources)} FROM payment_sources`;
const sourcesOf = upserts(paymentSources, ['name'], ['createdAt']);
const removedOf = deletes(paymentSources, ['name']);

/** All of them, by name: a bounded number. */
export async function listPaymentSources(tx: Tx): Promise<PaymentSource[]> {
  return (await tx.query(`${SELECT} ORDER BY name`)).map(readSource);
}

export async function findPaymentSource(tx: Tx, name: string): Promise<PaymentSource | undefined> {
  const [row] = await tx.query(`${SELECT} WHERE name = $1`, [name]);
  return row && readSource(row);
}

/** Serialises changes of sources. Locks: the table against others who change it. */
export async function lockPaymentSources(tx: Tx): Promise<void> {
  await tx.query('LOCK TABLE payment_sources IN SHARE ROW EXCLUSIVE MODE');
}

/** Inserts, replaces and deletes sources. Precondition: they are locked. */
export function writePaymentSources(tx: Tx, { paymentSources: changed }: Changes): Promise<unknown> | undefined {
  const kept = changed.flatMap(({ after }) => after ?? []);
  const removed = changed.flatMap(({ before, after }) => (before && !after ? [before] : []));
  const writes = [sourcesOf(tx, kept), removedOf(tx, removed)].filter(Boolean);
  return writes.length === 0 ? undefined : Promise.all(writes);
}
