// Metered products (DOMAIN 3.12): nothing is granted of them, limits alone govern them. What a customer uses of one is counted in one batch without an end,
// which his first use opens and no list shows, so that holds, give-backs and the ledger know no other way of a use.
import { newParts } from './batch-parts.js';
import { type Book, holdingOf } from './book.js';
import type { Batch, NewBatch } from './entities.js';

/** Whether a batch counts a customer's use of a metered product. */
export function isMeterOf({ customerId, ids }: Book, { id, productKey }: Pick<Batch, 'id' | 'productKey'>): boolean {
  return id === ids.of(customerId, nameOf(productKey));
}

function nameOf(productKey: string): string {
  return `metered ${productKey}`;
}

/** The batch that counts a customer's use of a metered product; a new one, which is in no book yet, where he has used none. */
export function meterOf(book: Book, productKey: string): Batch {
  return holdingOf(book, productKey).running[0] ?? newMeter(book, productKey);
}

function newMeter(book: Book, productKey: string): NewBatch {
  return {
    id: book.ids.of(book.customerId, nameOf(productKey)),
    productKey,
    source: 'metered',
    sku: null,
    orderId: null,
    orderItemId: null,
    subscriptionId: null,
    operationId: '', // of the use that opens it
    ...newParts(null),
    predecessorId: null,
    offerQuantity: null,
    priority: 0,
    validFrom: book.now,
    expiresAt: null,
    anchorDay: null,
    noticeAt: null,
    createdAt: book.now,
    metadata: {},
  };
}
