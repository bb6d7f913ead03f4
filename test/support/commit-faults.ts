// Faults of a transaction, made by the database itself: triggers that fail a write, or that, deferred, run when everything is written and
// only the commit is missing. They are removed when the test ends.
import { onTestFinished } from 'vitest';
import { ask, type HeldTransaction, holdTransaction } from './parallel.js';

/** Tables on which a fault can be placed; each is written by the operations that its tests run. */
type Table = 'entries' | 'identities' | 'payments' | 'operations' | 'reservations' | 'keyed_calls';

const GATE_KEY = 4_711;

async function addTrigger(url: string, table: Table, body: string, atCommit: boolean): Promise<void> {
  await ask(
    url,
    `CREATE FUNCTION test_fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NULL; END $$`,
  );
  await ask(
    url,
    `CREATE CONSTRAINT TRIGGER test_fault AFTER INSERT OR UPDATE ON ${table} ${atCommit ? 'DEFERRABLE INITIALLY DEFERRED' : ''}
     FOR EACH ROW EXECUTE FUNCTION test_fault()`,
  );
  onTestFinished(async () => {
    await ask(url, 'DROP FUNCTION test_fault() CASCADE');
  });
}

/** Holds up every commit that wrote to the table until the returned transaction ends. Its waiters are seen by `untilWaiting`. */
export async function gateCommits(url: string, table: Table): Promise<HeldTransaction> {
  return gate(url, table, true);
}

/** Like `gateCommits`, but at the statement that writes. */
export async function gateWrites(url: string, table: Table): Promise<HeldTransaction> {
  return gate(url, table, false);
}

async function gate(url: string, table: Table, atCommit: boolean): Promise<HeldTransaction> {
  await addTrigger(url, table, `PERFORM pg_advisory_xact_lock_shared(${GATE_KEY});`, atCommit);
  const held = await holdTransaction(url);
  await held.query(`SELECT pg_advisory_xact_lock(${GATE_KEY})`);
  return held;
}

/** Makes the first `count` transactions that wrote to the table fail with this SQLSTATE, at their commit or at the statement. */
export async function failWrites(
  url: string,
  table: Table,
  { count, sqlState, atCommit }: { count: number; sqlState: string; atCommit: boolean },
): Promise<void> {
  // a sequence counts what was rolled back too
  await ask(url, 'CREATE SEQUENCE test_faults');
  onTestFinished(async () => {
    await ask(url, 'DROP SEQUENCE test_faults');
  });
  const raise = `IF nextval('test_faults') <= ${count} THEN RAISE EXCEPTION 'injected' USING ERRCODE = '${sqlState}'; END IF;`;
  await addTrigger(url, table, raise, atCommit);
}

/** How many writes met the injected fault or passed it. */
export async function countTried(url: string): Promise<number> {
  const [row] = await ask(url, 'SELECT last_value::int AS tried FROM test_faults');
  return row?.tried as number;
}
