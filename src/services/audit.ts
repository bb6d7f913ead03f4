// The audit trail: what management changed.
import { type AuditAsked, listAuditRecords } from '../db/audit-trail.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import type { Selector } from '../engine/selector.js';
import type { AuditRecord } from '../ledger/audit-record.js';

/** One page of the trail, newest first; of one customer where one is named. Throws: customer_not_found, selector_conflict. */
export async function getAuditTrail(
  deps: Deps,
  { selector, ...asked }: Omit<AuditAsked, 'customerIds'> & { selector: Selector | undefined },
): Promise<AuditRecord[]> {
  const customerIds = selector && (await requireCustomer(deps, selector)).familyIds;
  return listAuditRecords(deps.db, { ...asked, customerIds });
}
