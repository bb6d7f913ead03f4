// What requests need of books: the things that they name, and whether what was read of a product covers what is asked of it. No SQL.
import type { Needs } from '../ledger/consume.js';
import { USE_BATCHES_MAX } from '../lib/sizes.js';
import { type HoldingRow, ownCost, type ReservationRow, toProvider } from './book-rows.js';

/** One customer to load, and what his operations look at. */
export interface BookRequest {
  customerId: string;
  needs: readonly Needs[];
}

/** Product units that may be taken of a row's product for all that is asked of its customer. */
export function unitsAsked(row: HoldingRow, needs: readonly Needs[], named: readonly ReservationRow[]): number {
  let units = 0;
  const add = (amount: number, unitCost: number) => {
    units = Math.min(Number.MAX_SAFE_INTEGER, units + amount * unitCost);
  };
  for (const { asks, reservation } of needs) {
    for (const { subject, amount } of asks) add(amount, toProvider(row, subject)?.unitCost ?? 0);
    const held = reservation && named.find(({ id }) => id === reservation.id);
    if (held) add(Math.max(0, reservation.amount - held.amount), ownCost(held.costs, row.product_key) ?? 0);
  }
  return units;
}

/** Whether the usable batches that were read, `limit` at most, cover what is asked. */
export function isCovered(row: HoldingRow, limit: number, units: () => number): boolean {
  const usable = row.usable ?? [];
  if (usable.length < limit || limit >= USE_BATCHES_MAX) return true;
  const loaded = usable.reduce((sum, batch) => sum + Number(batch.available), 0);
  const spendable = (row.available ?? 0) - (row.overdue ?? 0) - (row.not_yet_valid ?? 0);
  return loaded >= Math.min(spendable, units());
}

/** Things of customers that are named, as the two arrays that a statement takes, and how many units of each are asked for in all. */
export class Names {
  readonly customerIds: string[] = [];
  readonly names: string[] = [];
  readonly units: number[] = [];
  readonly #places = new Map<string, number>();

  add(customerId: string, name: string, units = 0): void {
    const text = JSON.stringify([customerId, name]);
    const place = this.#places.get(text) ?? this.names.length;
    this.#places.set(text, place);
    this.customerIds[place] = customerId;
    this.names[place] = name;
    this.units[place] = Math.min(Number.MAX_SAFE_INTEGER, (this.units[place] ?? 0) + units);
  }

  arrays(): [string[], string[]] {
    return [this.customerIds, this.names];
  }
}

/** All that is named in requests. */
export interface NamedThings {
  products: Names;
  features: Names;
  reservations: Names;
  operations: Names;
  /** Products from which more may be taken than there is. */
  overdrawn: Names;
}

/** What requests name, each thing once. */
export function namedIn(requests: readonly BookRequest[]): NamedThings {
  const named = {
    products: new Names(),
    features: new Names(),
    reservations: new Names(),
    operations: new Names(),
    overdrawn: new Names(),
  };
  for (const { customerId, needs } of requests) {
    for (const { asks, reservation, takenBy } of needs) {
      for (const { subject, amount, isOverdraft } of asks) {
        if ('feature' in subject) named.features.add(customerId, subject.feature);
        else named.products.add(customerId, subject.productKey);
        if (isOverdraft && 'productKey' in subject) named.overdrawn.add(customerId, subject.productKey, amount);
      }
      if (reservation) named.reservations.add(customerId, reservation.id);
      if (takenBy !== undefined) named.operations.add(customerId, takenBy);
    }
  }
  return named;
}

/** Whom requests are about. */
export function idsOf(requests: readonly BookRequest[]): string[] {
  return requests.map(({ customerId }) => customerId);
}
