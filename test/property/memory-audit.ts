// What the entries of a ledger say: the parts of every batch and what is owed, summed anew, and whether what is stored agrees (I1, I2, I3, I5).
// Shares no sum with the code under test.
import type { Batch, Entry, Reservation } from '../../src/ledger/entities.js';
import { groupBy } from '../../src/lib/group-by.js';

/** Units of a batch, by where they are. */
interface Summed {
  granted: number;
  available: number;
  held: number;
  consumed: number;
  expired: number;
  revoked: number;
}

export interface StoredBalance {
  available: number;
  held: number;
  owed: number;
}

/** From where to where each kind of entry moves the units of a counted batch; `outside` is before they were granted. */
const MOVES: Readonly<Record<string, readonly [keyof Summed | 'outside', keyof Summed]>> = {
  grant: ['outside', 'available'],
  consume: ['available', 'consumed'],
  expire: ['available', 'expired'],
  revoke: ['available', 'revoked'],
  hold: ['available', 'held'],
  release: ['held', 'available'],
  commit: ['held', 'consumed'],
  reverse: ['consumed', 'available'],
  repay: ['available', 'consumed'],
};

const PARTS = ['available', 'held', 'consumed', 'expired', 'revoked'] as const;
const OWED_BY: Readonly<Record<string, 1 | -1>> = { debt: 1, repay: -1, forgive: -1 };
const BALANCE_BY: Readonly<Record<Entry['direction'], 1 | -1 | 0>> = { credit: 1, debit: -1, none: 0 };

/** The parts of a batch by its own entries; of an uncounted one only `consumed` counts. */
export function sumBatch(batch: Pick<Batch, 'id' | 'granted'>, own: readonly Entry[]): Summed {
  const parts = { granted: 0, available: 0, held: 0, consumed: 0, expired: 0, revoked: 0 };
  for (const { batchId, kind, amount } of own) {
    if (batchId !== batch.id) throw new Error(`an entry of ${batchId} is no entry of ${batch.id}`);
    const move = MOVES[kind];
    if (!move) throw new Error(`an entry ${kind} names a batch`);
    const [from, to] = move;
    if (kind === 'grant') parts.granted += amount;
    if (from !== 'outside') parts[from] -= amount;
    parts[to] += amount;
  }
  return batch.granted === null ? { ...parts, available: 0, held: 0 } : parts;
}

/** What is owed by the entries, of products of which something is. */
export function sumOwed(entries: readonly Entry[]): Record<string, number> {
  const owed: Record<string, number> = {};
  for (const { kind, productKey, amount } of entries) {
    owed[productKey] = (owed[productKey] ?? 0) + (OWED_BY[kind] ?? 0) * amount;
  }
  return Object.fromEntries(Object.entries(owed).filter(([, units]) => units !== 0));
}

/** Throws, saying where what is stored differs from what the entries say. Runs after every write, so without a matcher for each number. */
export function auditLedger(ledger: {
  entries: readonly Entry[];
  batches: readonly Batch[];
  balances: ReadonlyMap<string, StoredBalance>;
  reservations: readonly Reservation[];
}): void {
  const { entries, batches, balances, reservations } = ledger;
  for (const [index, { seq }] of entries.entries()) demand(`seq ${seq}`, seq, index + 1);
  const byBatch = groupBy(entries, ({ batchId }) => batchId);
  for (const batch of batches) auditBatch(batch, byBatch.get(batch.id) ?? [], reservations);
  const owed = sumOwed(entries);
  for (const [product, stored] of balances) {
    const own = batches.filter(({ productKey, granted }) => productKey === product && granted !== null);
    const sum = (part: 'available' | 'held') => own.reduce((total, batch) => total + batch[part], 0);
    demand(`available of ${product}`, stored.available, sum('available'));
    demand(`held of ${product}`, stored.held, sum('held'));
    demand(`owed of ${product}`, stored.owed, owed[product] ?? 0);
    if (stored.owed > 0) demand(`available of ${product} beside a debt`, stored.available, 0);
  }
  auditBalances(entries, new Set(batches.filter(({ granted }) => granted === null).map(({ id }) => id)));
  auditReversals(entries);
}

function demand(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what} is ${found} and should be ${expected}`);
}

function auditBatch(batch: Batch, own: readonly Entry[], reservations: readonly Reservation[]): void {
  const summed = sumBatch(batch, own);
  demand(`granted of ${batch.id}`, batch.granted ?? 1, summed.granted);
  for (const part of PARTS) {
    demand(`${part} of ${batch.id}`, batch[part], summed[part]);
    demand(`${part} of ${batch.id} below zero`, batch[part] < 0, false);
  }
  demand(`transferred of ${batch.id}`, batch.transferred, 0);
  if (batch.granted === null) return;
  let held = 0;
  for (const { status, legs } of reservations) {
    if (status === 'held') for (const leg of legs) held += leg.batch.id === batch.id ? leg.amount : 0;
  }
  demand(`held of ${batch.id} by its legs`, batch.held, held);
  const end = batch.expiresAt?.getTime() ?? Infinity;
  for (const [index, { kind, occurredAt }] of own.entries()) {
    if (kind !== 'expire') continue;
    // Units that came back after the end expire when they came back.
    const before = own.slice(0, index).findLast((entry) => entry.kind !== 'expire');
    const came = before && ['release', 'reverse'].includes(before.kind) ? before.occurredAt.getTime() : 0;
    demand(`when units of ${batch.id} expired`, occurredAt.getTime(), Math.max(end, came));
  }
}

/** Every entry tells the balance after it: what the one before told, and its own amount in its direction. */
function auditBalances(entries: readonly Entry[], uncounted: ReadonlySet<string>): void {
  const balances = new Map<string, number>();
  for (const { productKey, batchId, direction, amount, balanceAfter, seq } of entries) {
    if (batchId !== null && uncounted.has(batchId)) {
      demand(`the direction of ${seq}`, direction, 'none');
      demand(`the balance after ${seq}`, balanceAfter, 0);
      continue;
    }
    const balance = (balances.get(productKey) ?? 0) + BALANCE_BY[direction] * amount;
    balances.set(productKey, balance);
    demand(`the balance after ${seq}`, balanceAfter, balance);
  }
}

/** No more is given back of an entry than it took. */
function auditReversals(entries: readonly Entry[]): void {
  const reversed = new Map<number, number>();
  for (const { reversesSeq, amount } of entries) {
    if (reversesSeq !== null) reversed.set(reversesSeq, (reversed.get(reversesSeq) ?? 0) + amount);
  }
  for (const [seq, amount] of reversed) {
    const taken = entries[seq - 1]?.amount ?? 0;
    demand(`what is given back of ${seq}, ${amount}, above what it took, ${taken},`, amount > taken, false);
  }
}
