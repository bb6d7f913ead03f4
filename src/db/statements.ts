// The ways in which rows are written: inserted, put in place of others, changed or deleted by their key, claimed. Each makes one plain statement of a table's description, for any number
// of rows; no rows are no statement. The functions `assert_…` of the database fail inside the statement, so that a COMMIT behind it is a rollback.
import type { Row, Tx } from './client.js';
import {
  amongGiven,
  arraysOf,
  given,
  insertOf,
  listOf,
  namesOf,
  type RecordOf,
  type Table,
  type Written,
  written,
} from './table.js';

/** Sends a statement that writes rows; undefined when there are none. */
export type Write<R> = (tx: Tx, rows: readonly R[]) => Promise<Row[]> | undefined;

/** Inserts rows. `onConflict` is what follows the insert. */
export function inserts<C>(of: Table<C>, onConflict = ''): Write<RecordOf<Table<C>, Written<C>>> {
  const keys = written(of);
  const sql = `${insertOf(of)} ${onConflict}`;
  return (tx, rows) => (rows.length === 0 ? undefined : tx.query(sql, arraysOf(of, keys, rows)));
}

/** Inserts rows, or replaces those that there are by these keys; what is `kept` keeps its value then. */
export function upserts<C>(
  of: Table<C>,
  by: readonly Written<C>[],
  kept: readonly Written<C>[] = [],
): Write<RecordOf<Table<C>, Written<C>>> {
  const replaced = written(of).filter((key) => !by.includes(key) && !kept.includes(key));
  const set = namesOf(of, replaced).map((name) => `${name} = excluded.${name}`);
  return inserts(of, `ON CONFLICT (${listOf(of, by)}) DO UPDATE SET ${set.join(', ')}`);
}

/**
 * Changes rows that are found by their whole key, the customer first where one owns them. Fails when one is not there.
 * Throws in the statement: a defect.
 */
export function updates<C, K extends keyof C>(
  of: Table<C>,
  by: readonly K[],
  changed: readonly K[],
): Write<RecordOf<Table<C>, K>> {
  const keys = [...by, ...changed];
  const set = namesOf(of, changed).map((name) => `${name} = given.${name}`);
  const found = namesOf(of, by).map((name) => `own.${name} = given.${name}`);
  const sql = `WITH changed AS (
  UPDATE ${of.name} own SET ${set.join(', ')} FROM ${given(of, keys)}
  WHERE ${found.join(' AND ')} AND ${amongGiven(of, by, 'own')}
  RETURNING 1
) SELECT assert_whole(count(*) = $${keys.length + 1}::bigint) FROM changed`;
  return (tx, rows) => (rows.length === 0 ? undefined : tx.query(sql, [...arraysOf(of, keys, rows), rows.length]));
}

/** Deletes rows that are found by all of these columns. Fails when one is not there. Throws in the statement: a defect. */
export function deletes<C, K extends keyof C>(of: Table<C>, by: readonly K[]): Write<RecordOf<Table<C>, K>> {
  const found = namesOf(of, by).map((name) => `own.${name} = given.${name}`);
  const sql = `WITH removed AS (
  DELETE FROM ${of.name} own USING ${given(of, by)} WHERE ${found.join(' AND ')} AND ${amongGiven(of, by, 'own')} RETURNING 1
) SELECT assert_whole(count(*) = $${by.length + 1}::bigint) FROM removed`;
  return (tx, rows) => (rows.length === 0 ? undefined : tx.query(sql, [...arraysOf(of, by, rows), rows.length]));
}

/**
 * Inserts rows that others may insert first, in the order given, which is that in which claims meet. Waits for rivals that have not ended. Throws in the
 * statement: BC001 when somebody else was first.
 */
export function claims<C>(of: Table<C>): Write<RecordOf<Table<C>, Written<C>>> {
  const keys = written(of);
  const sql = `WITH claimed AS (
  INSERT INTO ${of.name} (${listOf(of, keys)}) SELECT ${listOf(of, keys)} FROM ${given(of, keys, { isNumbered: true })}
  ORDER BY place ON CONFLICT DO NOTHING RETURNING 1
) SELECT assert_claimed(count(*) = $${keys.length + 1}::bigint) FROM claimed`;
  return (tx, rows) => (rows.length === 0 ? undefined : tx.query(sql, [...arraysOf(of, keys, rows), rows.length]));
}
