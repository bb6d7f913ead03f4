// What a process has met of customers that were merged: whom their ids lead to. Nothing rests on it, because the lock says it too; it spares the look-up, and a
// second attempt each time. It never becomes wrong: who was merged stays so, and whoever he leads to may only lead on.
import type { Db } from '../db/client.js';
import type { Foundations } from '../foundations.js';

/** Ids that are remembered; beyond it the oldest goes. */
const REMEMBERED_MAX = 10_000;

const remembered = new WeakMap<Db, Map<string, string>>();

/** Remembers whom a customer leads to. */
export function rememberMerged({ db }: Pick<Foundations, 'db'>, customerId: string, finalId: string): void {
  const known = remembered.get(db) ?? new Map<string, string>();
  remembered.set(db, known);
  known.set(customerId, finalId);
  const [oldest] = known.keys();
  if (known.size > REMEMBERED_MAX && oldest !== undefined) known.delete(oldest);
}

/** Whom a customer leads to, as far as that was met; himself else. */
export function finalOf({ db }: Pick<Foundations, 'db'>, customerId: string): string {
  const known = remembered.get(db);
  let id = customerId;
  for (let next = known?.get(id); next !== undefined; next = known?.get(id)) id = next;
  return id;
}
