// What happened, for whoever is asked about it: an operation with all that it did, a batch with all that was done to it, a product
// with all that became of it.

import { findProducts } from '../db/catalog.js';
import { type CausedEntry, listEntriesOfBatch, listRange } from '../db/entries.js';
import { listEventsOf, type StoredEvent } from '../db/events.js';
import { findRecordsOf } from '../db/idempotency.js';
import { findOperation, type StoredOperation } from '../db/operations.js';
import { type ProductReport, sumProduct } from '../db/product-report.js';
import { findBatch, type StoredBatch } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import { requireCustomer, requireOwner } from '../engine/customers.js';
import { readSettled } from '../engine/reads.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import type { RecordedRequest, RecordKind } from '../ledger/entities.js';
import { required } from '../lib/assert.js';

/** Entries, and events, of an operation that are shown. */
const SHOWN_MAX = 200;

export interface Receipt {
  operation: StoredOperation;
  /** What is kept of its answer, under each of its keys. */
  records: (RecordedRequest & { kind: RecordKind; key: string })[];
  entries: CausedEntry[];
  entriesTotal: number;
  events: StoredEvent[];
}

/** What an operation did. Throws: operation_not_found (also of another customer than the selector names), customer_not_found, selector_conflict. */
export async function getReceipt(deps: Deps, selector: Selector, id: string): Promise<Receipt> {
  const { customerId } = await requireOwner(deps, { kind: 'operation', id }, selector);
  const operation = required(await findOperation(deps.db, customerId, id), 'operations are kept');
  const { familyIds } = await requireCustomer(deps, { customerId });
  const { firstSeq: first, lastSeq: last } = operation;
  const [records, entries, events] = await Promise.all([
    findRecordsOf(deps.db, operation),
    first === null || last === null ? [] : listRange(deps.db, { customerId, familyIds }, { first, last }, SHOWN_MAX),
    listEventsOf(deps.db, operation, SHOWN_MAX),
  ]);
  const entriesTotal = first === null || last === null ? 0 : last - first + 1;
  return { operation, records, entries, entriesTotal, events };
}

/**
 * A batch of a customer with one page of its entries, newest first. Throws: batch_not_found (also another customer's), customer_not_found,
 * selector_conflict.
 */
export async function getBatch(
  deps: Deps,
  selector: Selector,
  id: string,
  page: { beforeSeq: number | undefined; limit: number },
): Promise<{ batch: StoredBatch; entries: CausedEntry[]; isDue: boolean }> {
  const reader = await requireCustomer(deps, selector);
  const { familyIds, isDue } = reader;
  const instant = { at: reader.now, isPast: false };
  const batch = await readSettled(deps, reader, instant, (tx, settled) =>
    findBatch(tx, familyIds, instant, settled, id),
  );
  if (!batch) throw new AppError('batch_not_found', `The customer has no batch ${id}.`, { pointer: 'path/id' });
  const { productKey } = batch;
  return { batch, entries: await listEntriesOfBatch(deps.db, { familyIds, id, productKey }, page), isDue };
}

/** What became of all units of a product, over all customers, now. Throws: product_not_found. */
export async function getProductReport(deps: Deps, productKey: string): Promise<ProductReport> {
  const product = (await findProducts(deps.db, [productKey])).get(productKey);
  if (!product) throw new AppError('product_not_found', `There is no product ${productKey}.`, { pointer: 'path/key' });
  return deps.db.slowReads.take(() => sumProduct(deps.db, productKey, deps.clock.now()));
}
