// The independent auditor: plain SQL over a test's database, run after each test that uses one.

/** Throws when an invariant I1..I9 does not hold in the database. */
export async function auditInvariants(_url: string): Promise<void> {
  // filled from src/db/invariants
}
