// Whose things are that requests name by their ids.
import type { Row, Tx } from './client.js';

/** In whose ledger a thing is, and whom that customer leads to: himself, if he was not merged. */
export interface Owner {
  customerId: string;
  finalId: string;
}

/** Tables whose rows are named by their ids alone. */
type Named = 'operations' | 'orders' | 'reservations' | 'rewards' | 'subscriptions';

/** The owners of rows, by their ids, of those that `only` names; an id that there is none of is left out. */
export async function findOwnersIn(
  tx: Tx,
  table: Named,
  ids: readonly string[],
  only = '',
): Promise<Map<string, Owner>> {
  const rows = await tx.query<Row & { id: string; customer_id: string; merged_into: string | null }>(
    `SELECT t.id, t.customer_id, c.merged_into FROM ${table} t LEFT JOIN customers c ON c.id = t.customer_id WHERE t.id = ANY ($1::uuid[]) ${only}`,
    [ids],
  );
  // What an operation of a customer that was merged made in another ledger has its id there: it is his.
  const ownFirst = rows.sort((a, b) => Number(a.merged_into !== null) - Number(b.merged_into !== null));
  return new Map(
    ownFirst.map(({ id, customer_id: customerId, merged_into: finalId }) => [
      id,
      { customerId, finalId: finalId ?? customerId },
    ]),
  );
}
