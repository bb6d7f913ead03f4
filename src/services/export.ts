// All that is held about a customer, for whoever has the right to know it (DOMAIN 3.10).
import { findFamilyIds } from '../db/customers.js';
import { type ExportedRecord, type ExportPosition, exportRecords, isExportPosition } from '../db/export.js';
import { findMerging } from '../db/merges.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';

/** One page of all that is held about a customer with his family; of one that was merged, about whom he leads to. Throws: customer_not_found. */
export async function exportCustomer(
  deps: Deps,
  customerId: string,
  page: { after: ExportPosition | undefined; limit: number },
): Promise<ExportedRecord[]> {
  const customer = (await findMerging(deps.db, [customerId])).get(customerId);
  if (!customer) throw new AppError('customer_not_found', 'There is no such customer.', { pointer: 'path/id' });
  const familyIds = await findFamilyIds(deps.db, customer.mergedInto ?? customerId);
  return exportRecords(deps.db, familyIds, page.after, page.limit);
}

/** Whether a page of an export may have ended there. */
export function isInExport(position: ExportPosition): boolean {
  return isExportPosition(position);
}
