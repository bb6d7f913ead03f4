// The test clock: an instant that was set by hand, one for all processes on this database (DOMAIN 3.18).
import type { Changes } from '../ledger/changes.js';
import type { Row, Tx } from './client.js';

/** What the clock was set to; undefined while it never was. */
export async function findSandboxInstant(tx: Tx): Promise<Date | undefined> {
  const [row] = await tx.query<Row & { instant: Date }>('SELECT instant FROM sandbox_clock');
  return row?.instant;
}

/** Serialises who sets the clock, until the transaction ends; everybody else reads it. */
export async function lockSandboxClock(tx: Tx): Promise<void> {
  await tx.query('LOCK TABLE sandbox_clock IN SHARE ROW EXCLUSIVE MODE');
}

/** Sets the clock. */
export function writeSandboxClock(tx: Tx, { clock }: Changes): Promise<unknown> | undefined {
  const last = clock.at(-1);
  return (
    last &&
    tx.query(
      `INSERT INTO sandbox_clock (instant) VALUES ($1::timestamptz)
       ON CONFLICT (is_the_row) DO UPDATE SET instant = excluded.instant`,
      [last.after.toISOString()],
    )
  );
}
