// Units that come back by request (DOMAIN 3.14): what an operation took is given back in reverse order of use, in whole units of what was
// asked for, at most once each. Repaid debt, exchanges and purchases stay as they are.
import { AppError } from '../errors/app-error.js';
import { assert } from '../lib/assert.js';
import {
  type Book,
  hasRoomFor,
  holdingOf,
  type Metadata,
  postForgive,
  postReturn,
  type Subject,
  type TakenEntry,
  type TakenOperation,
} from './book.js';
import type { Taking } from './consume.js';
import { QUANTITY_MAX } from './quantities.js';
import { inUnits } from './reservations.js';

/** In the unit that the operation was asked in; `restored` is in product units. */
export interface GiveBack {
  subject: Subject;
  amount: number;
  returned: number;
  expired: number;
  restored: Taking[];
}

/** Operations that use something up; what others moved is not given back. */
const REVERSIBLE: readonly string[] = ['quota.consume', 'quota.consume.item', 'reservation.commit', 'credits.deduct'];

interface ProductTaken {
  cost: number;
  /** Newest first. */
  entries: TakenEntry[];
  /** Product units that can come back, and those that did not yet, repaid ones included. */
  units: number;
  left: number;
}

/** What the operation was asked for. */
export function subjectTaken({ entries }: TakenOperation): Subject | undefined {
  const [first] = entries;
  if (!first) return undefined;
  return first.feature === null ? { productKey: first.productKey } : { feature: first.feature };
}

/**
 * Gives back `amount` units of what an operation took, or all that is left of it: newest entries first.
 * Throws: not_reversible, release_exceeds_usage, quantity_too_large.
 */
export function giveBack(
  book: Book,
  taken: TakenOperation,
  amount: number | undefined,
  details: { operationId: string; metadata: Metadata },
): GiveBack {
  const subject = subjectTaken(taken);
  const isTold = taken.entries.every(({ feature, unitCost }) => feature === null || unitCost !== null);
  if (!REVERSIBLE.includes(taken.name) || !subject || !isTold) {
    throw new AppError('not_reversible', `What ${taken.name} did is not undone by a give-back.`, {
      pointer: '/operation_id',
    });
  }
  const products = productsTaken(book, taken);
  const possible = products.reduce((sum, { units, cost }) => sum + Math.floor(units / cost), 0);
  const wanted = amount ?? Math.max(1, possible);
  if (wanted > possible) throw tooMuch(products, wanted, possible);

  let left = wanted;
  const shares = products.map((product) => {
    const units = Math.min(left, Math.floor(product.units / product.cost));
    left -= units;
    return { product, units: units * product.cost };
  });
  for (const { product, units } of shares) assertRoomFor(book, product, units);
  const restored: Taking[] = [];
  const results = shares.map(({ product, units }) => ({
    cost: product.cost,
    ...reverseUnits(book, product, units, details, restored),
  }));
  return { subject, amount: wanted, ...inUnits(results), restored };
}

/** By product, in reverse order of first use. */
function productsTaken(book: Book, { entries }: TakenOperation): ProductTaken[] {
  const products = new Map<string, ProductTaken>();
  for (const entry of [...entries].reverse()) {
    const known = products.get(entry.productKey) ?? { cost: entry.unitCost ?? 1, entries: [], units: 0, left: 0 };
    known.entries.push(entry);
    known.left += entry.amount - entry.reversed;
    known.units += reversibleUnits(book, entry);
    products.set(entry.productKey, known);
  }
  return [...products.values()];
}

/** A debt can be forgiven as far as it is still owed; what was repaid stays repaid. */
function reversibleUnits(book: Book, { batch, amount, reversed, productKey }: TakenEntry): number {
  const left = amount - reversed;
  return batch === null ? Math.min(left, holdingOf(book, productKey).owed) : left;
}

/** Refuses what would bring a balance beyond what stays exact. Throws: quantity_too_large. */
function assertRoomFor(book: Book, { entries }: ProductTaken, units: number): void {
  const [entry] = entries;
  const isCounted = entries.some(({ batch }) => batch !== null && batch.granted !== null);
  if (!entry || !isCounted || hasRoomFor(holdingOf(book, entry.productKey), units)) return;
  throw new AppError('quantity_too_large', `The balance of ${entry.productKey} can't exceed ${QUANTITY_MAX}.`, {
    pointer: '/amount',
  });
}

function tooMuch(products: readonly ProductTaken[], requested: number, possible: number): AppError {
  const left = products.reduce((sum, product) => sum + Math.floor(product.left / product.cost), 0);
  if (requested <= left) {
    const detail = `${requested} to give back, ${possible} possible: the rest was a debt that is repaid.`;
    return new AppError('not_reversible', detail, { pointer: '/amount' });
  }
  const detail = `${requested} to give back, ${possible} left of what was taken.`;
  return new AppError('release_exceeds_usage', detail, {
    pointer: '/amount',
    extensions: { requested, available: possible },
  });
}

function reverseUnits(
  book: Book,
  { entries }: ProductTaken,
  amount: number,
  { operationId, metadata }: { operationId: string; metadata: Metadata },
  restored: Taking[],
): { kept: number; expired: number } {
  let left = amount;
  let kept = 0;
  let expired = 0;
  for (const entry of entries) {
    const units = Math.min(left, reversibleUnits(book, entry));
    if (units === 0) continue;
    const { feature, unitCost, actionType, actionId, batch } = entry;
    const details = { operationId, feature, unitCost, actionType, actionId, metadata, reversesSeq: entry.seq };
    if (batch === null) {
      postForgive(book, entry.productKey, units, details);
      kept += units;
    } else {
      const back = postReturn(book, batch, 'reverse', units, details);
      kept += back.kept;
      expired += back.expired;
      restored.push({ batch, amount: units });
    }
    entry.reversed += units;
    left -= units;
  }
  assert(left === 0, 'what is given back was there to give back');
  return { kept, expired };
}
