// Units that come back by request (DOMAIN 3.14): what an operation took is given back in reverse order of use, in whole units of what was
// asked for, at most once each. Repaid debt, exchanges and purchases stay as they are.

import { AppError } from '../errors/app-error.js';
import { assert, required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';
import { TAKEN_ENTRIES_MAX } from '../lib/sizes.js';
import { type Book, hasRoomFor, holdingOf } from './book.js';
import { assertFewCopies } from './bounds.js';
import type { Subject } from './catalog-entities.js';
import type { Taking } from './consume.js';
import { unitCounter } from './counting.js';
import type { TakenEntry, TakenOperation } from './entities.js';
import { isMeterOf } from './meter.js';
import { returnableOf } from './metered-return.js';
import { isReversible } from './operations.js';
import { owedOf, postForgive, postReturn, type Returned } from './postings.js';
import { QUANTITY_MAX } from './quantities.js';
import { inUnits, type UnitsBack } from './reservations.js';

/** In the unit that the operation was asked in; `restored` is in product units. */
export interface GiveBack extends UnitsBack {
  subject: Subject;
  amount: number;
  restored: Taking[];
}

/** Entries of one product that follow one another. */
interface Run {
  productKey: string;
  cost: number;
  /** Newest first. */
  entries: TakenEntry[];
  /** Product units that can come back, and those that did not yet, repaid ones included. */
  units: number;
  left: number;
}

/** What the operation was asked for. */
function subjectTaken({ entries }: TakenOperation): Subject | undefined {
  const [first] = entries;
  if (!first) return undefined;
  return first.feature === null ? { productKey: first.productKey } : { feature: first.feature };
}

/**
 * Gives back `amount` units of what an operation took, or all that is left of it: newest entries first.
 * Throws: not_reversible, release_exceeds_usage, quantity_too_large, too_many_batches (that it took of, or to which its metadata would be copied).
 */
export function giveBack(
  book: Book,
  taken: TakenOperation,
  amount: number | undefined,
  details: { operationId: string; metadata: Metadata },
): GiveBack {
  if (isReversible(taken.name) && taken.size > TAKEN_ENTRIES_MAX) {
    const detail = `What took units in more than ${TAKEN_ENTRIES_MAX} entries can't be given back by its id: grant them anew.`;
    throw new AppError('too_many_batches', detail, { pointer: '/operation_id' });
  }
  const subject = subjectTaken(taken);
  const isTold = taken.entries.every(({ feature, unitCost }) => feature === null || unitCost !== null);
  if (!isReversible(taken.name) || !subject || !isTold) {
    throw new AppError('not_reversible', `What ${taken.name} did is not undone by a give-back.`, {
      pointer: '/operation_id',
    });
  }
  const runs = runsTaken(book, taken);
  const ofRuns = runs.reduce((sum, { units, cost }) => sum + Math.floor(units / cost), 0);
  const ofMeter = meteredIn(book, subject, runs);
  const possible = Math.min(ofRuns, ofMeter);
  const wanted = amount ?? Math.max(1, possible);
  if (wanted > possible) throw tooMuch(runs, wanted, { possible, ofMeter });

  let left = wanted;
  const shares = runs.map((run) => {
    const units = Math.min(left, Math.floor(run.units / run.cost));
    left -= units;
    return { run, units: units * run.cost };
  });
  assertRoomFor(book, shares);
  assertFewCopies(details.metadata, taken.entries.length);
  const restored: Taking[] = [];
  const results = shares.map(({ run, units }) => ({
    cost: run.cost,
    ...reverseUnits(book, run, units, details, restored),
  }));
  return { subject, amount: wanted, ...inUnits(results), restored };
}

/** The last use first; what one product gave in a row is one run, and consists of whole units. */
function runsTaken(book: Book, { entries }: TakenOperation): Run[] {
  const runs: Run[] = [];
  for (const entry of [...entries].reverse()) {
    const last = runs.at(-1);
    const run =
      last?.productKey === entry.productKey
        ? last
        : { productKey: entry.productKey, cost: entry.unitCost ?? 1, entries: [], units: 0, left: 0 };
    if (run !== last) runs.push(run);
    run.entries.push(entry);
    run.left += entry.amount - entry.reversed;
    run.units += reversibleUnits(book, entry);
  }
  return runs;
}

/** A debt can be forgiven as far as it is still owed, where the oldest is repaid first; what was repaid stays repaid. */
function reversibleUnits(book: Book, { batch, amount, reversed, productKey, seq }: TakenEntry): number {
  if (batch !== null) return amount - reversed;
  const holding = holdingOf(book, productKey);
  return owedOf(
    holding,
    required(
      holding.debts.find((debt) => debt.seq === seq),
      'a debt that was asked for is known',
    ),
  );
}

/** Refuses what would bring a balance beyond what stays exact. Throws: quantity_too_large. */
function assertRoomFor(book: Book, shares: readonly { run: Run; units: number }[]): void {
  const back = new Map<string, number>();
  for (const { run, units } of shares) {
    const isCounted = run.entries.some(({ batch }) => batch !== null && batch.granted !== null);
    if (isCounted) back.set(run.productKey, (back.get(run.productKey) ?? 0) + units);
  }
  for (const [productKey, units] of back) {
    if (hasRoomFor(holdingOf(book, productKey), units)) continue;
    throw new AppError('quantity_too_large', `The balance of ${productKey} can't exceed ${QUANTITY_MAX}.`, {
      pointer: '/amount',
    });
  }
}

/** How much of what is metered may come back: some of it may have come back by its name. Anything else is bounded by what was taken alone. */
function meteredIn(book: Book, subject: Subject, [run]: readonly Run[]): number {
  const batch = run?.entries[0]?.batch;
  if (!run || !batch || !isMeterOf(book, batch)) return Number.POSITIVE_INFINITY;
  return returnableOf(book, subject, { productKey: run.productKey, unitCost: run.cost });
}

function tooMuch(
  runs: readonly Run[],
  requested: number,
  { possible, ofMeter }: { possible: number; ofMeter: number },
): AppError {
  const left = Math.min(
    ofMeter,
    runs.reduce((sum, run) => sum + Math.floor(run.left / run.cost), 0),
  );
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
  { entries }: Run,
  amount: number,
  { operationId, metadata }: { operationId: string; metadata: Metadata },
  restored: Taking[],
): Returned {
  let left = amount;
  const returned = { kept: 0, expired: 0, revoked: 0 };
  const unitsOf = unitCounter();
  for (const entry of entries) {
    const units = Math.min(left, reversibleUnits(book, entry));
    if (units === 0) continue;
    const { feature, unitCost, actionType, actionId, batch, countedAt } = entry;
    const counted = { at: countedAt, amount: -unitsOf(entry.productKey, units, unitCost ?? 1) };
    const details = { operationId, feature, unitCost, actionType, actionId, metadata, reversesSeq: entry.seq, counted };
    if (batch === null) {
      postForgive(book, entry.productKey, null, units, details);
      returned.kept += units;
    } else {
      const back = postReturn(book, batch, 'consumed', units, details);
      returned.kept += back.kept;
      returned.expired += back.expired;
      returned.revoked += back.revoked;
      restored.push({ batch, amount: units });
    }
    entry.reversed += units;
    left -= units;
  }
  assert(left === 0, 'what is given back was there to give back');
  return returned;
}
