// The proof over HTTP: recomputes the invariants from the data, for one customer, or for all while the ledger is small.

import { hasMoreEntriesThan } from '../db/entries.js';
import { checkInvariants, type InvariantOptions, type InvariantReport } from '../db/invariants/audit.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';

/** Entries, of whom is asked about, up to which they are checked in one request. */
const ENTRIES_MAX = 50_000;

/** Checks one customer, or all of them. Throws: too_large, customer_not_found, selector_conflict. */
export async function proveInvariants(deps: Deps, selector: Selector | undefined): Promise<InvariantReport> {
  const customerId = selector && (await requireCustomer(deps, selector)).customerId;
  if (await hasMoreEntriesThan(deps.db, ENTRIES_MAX, customerId)) {
    const command = customerId === undefined ? 'npm run verify' : `npm run verify -- --customer ${customerId}`;
    throw new AppError('too_large', `There are more than ${ENTRIES_MAX} entries to check: run \`${command}\`.`);
  }
  return auditInTurn(deps, { ...(customerId !== undefined && { customerId }) });
}

/** One audit at a time: each keeps a connection for as long as it takes. Instants are compared with the real time where the clock tells it. */
function auditInTurn(deps: Deps, options: InvariantOptions): Promise<InvariantReport> {
  return deps.turns.take('audit', () =>
    checkInvariants(deps.db.pool, { ...options, ...(!deps.clock.skewTo && { latest: null }) }),
  );
}
