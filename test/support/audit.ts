// The independent auditor: plain SQL over a test's database, run after each test that uses one.
import pg from 'pg';
import { checkInvariants, describeDifference } from '../../src/db/invariants.js';

/** Throws when an invariant I1..I9 does not hold in the database. */
export async function auditInvariants(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { differences } = await checkInvariants(client);
    if (differences.length > 0)
      throw new Error(`invariants do not hold:\n${differences.map(describeDifference).join('\n')}`);
  } finally {
    await client.end();
  }
}
