// The rules of the model that need no state: what a product costs, which batch goes first, when a period ends. Written from the
// documented rules, like the model, and sharing nothing with src/.
import { type CatalogueOffer, products, type Subject } from './catalogue.js';
import type { Expected } from './requests.js';

const HOUR_MS = 3_600_000;
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** What decides in which order batches are used. */
interface Ranked {
  place: number;
  priority: number;
  expiresAt: number | null;
  madeAt: number;
}

export function refuse(...codes: string[]): Expected {
  return { outcome: 'refused', codes };
}

export function isCounted(product: string): boolean {
  return products.some((known) => known.key === product && known.type === 'quantity');
}

export function isRetired(product: string): boolean {
  return products.some((known) => known.key === product && !known.isActive);
}

/** Whether it is priced in a currency product. */
export function isForExchange(offer: CatalogueOffer): boolean {
  return products.some((product) => product.key === offer.currency);
}

export function costOf(product: string, subject: Subject): number | undefined {
  if ('product' in subject) return subject.product === product ? 1 : undefined;
  return products.find((known) => known.key === product)?.costs[subject.feature];
}

export function isKnown(subject: Subject): boolean {
  return products.some((product) => costOf(product.key, subject) !== undefined);
}

/** Lower priority, then soonest end (never last), then oldest, then first made. */
export function byUse(a: Ranked, b: Ranked): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.expiresAt !== b.expiresAt) return (a.expiresAt ?? Infinity) < (b.expiresAt ?? Infinity) ? -1 : 1;
  if (a.madeAt !== b.madeAt) return a.madeAt - b.madeAt;
  return a.place - b.place;
}

export function isTooMuch(offer: CatalogueOffer, times: number): boolean {
  return offer.items.some(({ product, quantity, unit, value }) => {
    if (isCounted(product)) return BigInt(quantity) * BigInt(times) > BigInt(Number.MAX_SAFE_INTEGER);
    return value !== null && (endOf(0, unit, value * times) ?? 0) > LAST_INSTANT;
  });
}

/** Hours and days are lengths; months and years end on a day of the month, that of their start or another, or on the last one that the month has. */
export function endOf(
  from: number,
  unit: CatalogueOffer['items'][number]['unit'],
  value: number | null,
  wantedDay = dayOf(from),
): number | null {
  if (unit === 'forever' || value === null) return null;
  if (unit === 'hours') return from + value * HOUR_MS;
  if (unit === 'days') return from + value * 24 * HOUR_MS;
  const start = new Date(from);
  const months = start.getUTCFullYear() * 12 + start.getUTCMonth() + value * (unit === 'years' ? 12 : 1);
  const [year, month] = [Math.floor(months / 12), months % 12];
  if (year > 9999) return Infinity;
  let day = wantedDay;
  while (new Date(Date.UTC(year, month, day)).getUTCMonth() !== month) day -= 1;
  return Date.UTC(year, month, day) + (from % (24 * HOUR_MS));
}

export function dayOf(instant: number): number {
  return new Date(instant).getUTCDate();
}

/** The day of the month that access keeps whose end was said: that of its start, if it lasts a number of months from there, else that of its end. */
export function dayKept(from: number, end: number): number {
  for (let months = 1; ; months += 1) {
    const reached = endOf(from, 'months', months) ?? Infinity;
    if (reached >= end) return dayOf(reached === end ? from : end);
  }
}

/** What came back of each product, in whole units of what was asked for: those that can be used again, and of the others what was revoked or expired. */
export function inWholeUnits(products: readonly { kept: number; expired: number; revoked: number; cost: number }[]) {
  const whole = { returned: 0, expired: 0, revoked: 0 };
  for (const { kept, expired, revoked, cost } of products) {
    const returned = Math.floor(kept / cost);
    const gone = (kept + expired + revoked) / cost - returned;
    const taken = expired === 0 && revoked > 0 ? gone : Math.floor(revoked / cost);
    whole.returned += returned;
    whole.revoked += taken;
    whole.expired += gone - taken;
  }
  return whole;
}
