// How often a customer may have an offer (DOMAIN 3.7): each of its quantity that was ordered, granted or exchanged takes a place.
import { AppError } from '../errors/app-error.js';

/** So many of an offer that are asked for, at a place of the request. */
export interface AskedPlaces {
  sku: string;
  maxPerCustomer: number | null;
  quantity: number;
  pointer: string;
}

/** Refuses more of an offer than a customer may have; `taken` says how many places of each he has taken. Throws: offer_limit_reached. */
export function assertPlaces(taken: ReadonlyMap<string, number>, asked: readonly AskedPlaces[]): void {
  const wanted = new Map<string, number>();
  for (const { sku, maxPerCustomer: limit, quantity, pointer } of asked) {
    if (limit === null) continue;
    const used = taken.get(sku) ?? 0;
    const requested = (wanted.get(sku) ?? 0) + quantity;
    wanted.set(sku, requested);
    if (used + requested <= limit) continue;
    const detail = `A customer has at most ${limit} of ${sku}, this one has ${used}.`;
    throw new AppError('offer_limit_reached', detail, { pointer, extensions: { used, limit } });
  }
}
