// The proof over HTTP: recomputes the invariants from the data, for one customer, or for all while the ledger is small.

import { hasMoreEntriesThan } from '../db/entries.js';
import { checkInvariants, type InvariantOptions, type InvariantReport } from '../db/invariants/audit.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';

/** Entries up to which everything is checked in one request. */
const ENTRIES_MAX = 50_000;

/** Checks one customer, or all of them. Throws: too_large, customer_not_found, selector_conflict. */
export async function proveInvariants(deps: Deps, selector: Selector | undefined): Promise<InvariantReport> {
  if (selector) {
    const { customerId } = await requireCustomer(deps, selector);
    return auditInTurn(deps, { customerId });
  }
  if (await hasMoreEntriesThan(deps.db, ENTRIES_MAX)) {
    throw new AppError('too_large', `The ledger has more than ${ENTRIES_MAX} entries: run \`npm run verify\`.`);
  }
  return auditInTurn(deps, {});
}

/** One audit at a time: each keeps a connection for as long as it takes. Instants are compared with the real time where the clock tells it. */
function auditInTurn(deps: Deps, options: InvariantOptions): Promise<InvariantReport> {
  return deps.turns.take('audit', () =>
    checkInvariants(deps.db.pool, { ...options, ...(!deps.clock.skewTo && { latest: null }) }),
  );
}
